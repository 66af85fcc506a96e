import { expect, test } from 'bun:test'
import { add, type Dec, dec, eq, gte, lt, lte, mul, str, sub } from '../money/dec.ts'
import { floorAfter, type PayoutFacts, type PayoutTerms, payoutOf, scaledSize, unmetConditions } from './payout.ts'

const TERMS: PayoutTerms = {
  buffer: dec('0'),
  minProfit: dec('0'),
  minDays: 14,
  winningDays: 0,
  consistency: null,
  requireFlat: true,
  cap: null,
  share: dec('1'),
  split: dec('0.8'),
  after: 'floors_kept',
}
const FACTS: PayoutFacts = {
  initial: dec('100000'),
  balance: dec('104000'),
  days: 14,
  winningDays: 5,
  bestDay: dec('1500'),
  total: dec('4000'),
  flat: true,
  overall: { value: dec('90000'), compare: 'lt', distance: dec('10000') },
  day: null,
  unit: dec('0.01'),
  scale: 2,
}
const terms = (more: Partial<PayoutTerms>) => ({ ...TERMS, ...more })
const facts = (more: Partial<PayoutFacts>) => ({ ...FACTS, ...more })
const overall = (value: string, compare: 'lt' | 'lte' = 'lt') => ({
  value: dec(value),
  compare,
  distance: dec('4000'),
})

test('all of the profit is paid at 80 %: 4,000 leaves the account, 3,200 is the trader’s', () => {
  const paid = payoutOf(TERMS, FACTS)!
  expect([paid.amount, paid.trader, paid.house, paid.balance].map(str)).toEqual(['4000', '3200', '800', '100000'])
})
test.each([
  ['profit', facts({ balance: dec('100000') }), {}],
  ['profit', FACTS, { buffer: dec('3000'), minProfit: dec('1000.01') }],
  ['days', facts({ days: 13 }), {}],
  ['winning_days', facts({ winningDays: 4 }), { winningDays: 5 }],
  ['consistency', FACTS, { consistency: { share: dec('0.37'), compare: 'lt' as const } }],
  ['consistency', FACTS, { consistency: { share: dec('0.375'), compare: 'lte' as const } }],
  ['consistency', facts({ total: dec('0') }), { consistency: { share: dec('1'), compare: 'lt' as const } }],
  [
    'consistency',
    facts({ total: dec('0'), bestDay: dec('0') }),
    { consistency: { share: dec('1'), compare: 'lt' as const } },
  ],
  ['flat', facts({ flat: false }), {}],
])('a payout is refused for want of %s', (unmet, given, more) => {
  expect(unmetConditions(terms(more), given)).toContain(unmet as 'flat')
  expect(payoutOf(terms(more), given)).toBe(null)
})
test('what is met to the unit is met', () => {
  const just = terms({
    buffer: dec('3000'),
    minProfit: dec('1000'),
    winningDays: 5,
    consistency: { share: dec('0.375'), compare: 'lt' },
  })
  expect(unmetConditions(just, FACTS)).toEqual([])
})
test.each([
  ['share', { buffer: dec('1000') }, {}, null, '3000'],
  ['share', { share: dec('0.5') }, {}, null, '2000'],
  ['cap', { cap: dec('1500') }, {}, null, '1500'],
  ['floor', {}, { overall: overall('101000') }, null, '3000'],
  ['floor', {}, { overall: overall('101000', 'lte') }, null, '2999.99'],
  ['floor', {}, { day: { value: dec('102500'), compare: 'lt' as const } }, null, '1500'],
  ['asked', {}, {}, '250.50', '250.5'],
  ['cap', { cap: dec('200') }, {}, '250.50', '200'],
])('the amount is the least of its limits: %s', (by, more, given, asked, amount) => {
  const paid = payoutOf(terms(more), facts(given as Partial<PayoutFacts>), asked === null ? null : dec(asked))!
  expect([paid.limitedBy, str(paid.amount)]).toEqual([by as 'cap', amount])
})
test('the amount is cut to whole minor units, the trader’s part rounded once and the house has the rest', () => {
  const paid = payoutOf(terms({ split: dec('0.8') }), facts({ balance: dec('100000.139') }))!
  expect([paid.amount, paid.trader, paid.house].map(str)).toEqual(['0.13', '0.1', '0.03'])
})
test('where the floor already stands at the balance nothing can be paid', () => {
  expect(payoutOf(TERMS, facts({ overall: overall('104000') }))).toBe(null)
})

test.each([
  // trailing floor 102,000 on 4,000 under a high of 106,000
  ['floors_kept', '2000', '102000', '102000'],
  ['floors_reset', '4000', '100000', '96000'],
  ['floor_at_initial', '4000', '100000', '100000'],
] as const)('after a payout with %s', (after, amount, balance, floor) => {
  const paid = payoutOf(terms({ after }), facts({ overall: overall('102000') }))!
  expect([paid.amount, paid.balance, paid.floor!].map(str)).toEqual([amount, balance, floor])
})
test('without an overall loss rule there is no floor to keep or set', () => {
  expect(floorAfter(TERMS, facts({ overall: null }), dec('1'))).toBe(null)
  expect(payoutOf(TERMS, facts({ overall: null }))!.floor).toBe(null)
})

/** Numbers 0..n-1 that repeat from run to run. */
function* numbers(seed: number): Generator<(n: number) => number> {
  let state = seed
  for (;;)
    yield (n) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * n)
    }
}
test('always: parts sum to the amount, no limit is passed, the balance stays allowed, a larger cap never pays less', () => {
  const pick = numbers(7).next().value!
  const amount = (n: number): Dec => dec(`${pick(n)}.${String(pick(100)).padStart(2, '0')}`)
  const afters = ['floors_kept', 'floors_reset', 'floor_at_initial'] as const
  let paidOut = 0
  for (let i = 0; i < 5000; i++) {
    const t = terms({
      buffer: amount(1500),
      cap: pick(3) === 0 ? null : add(amount(3000), dec('0.01')),
      share: dec(`0.${1 + pick(9)}`),
      split: dec(`0.${1 + pick(9)}`),
      after: afters[pick(3)]!,
    })
    const compare = pick(2) === 0 ? 'lt' : 'lte'
    const f = facts({
      balance: add(dec('98000'), amount(9000)),
      overall: { value: add(dec('95000'), amount(8000)), compare, distance: dec('5000') },
    })
    const paid = payoutOf(t, f)
    if (!paid) continue
    paidOut += 1
    expect(eq(add(paid.trader, paid.house), paid.amount)).toBe(true)
    expect(eq(add(paid.balance, paid.amount), f.balance)).toBe(true)
    expect(gte(paid.balance, add(f.initial, t.buffer))).toBe(true)
    expect(paid.floor && (compare === 'lt' ? gte(paid.balance, paid.floor) : lt(paid.floor, paid.balance))).toBe(true)
    expect(lte(paid.amount, mul(sub(sub(f.balance, f.initial), t.buffer), t.share))).toBe(true)
    expect(t.cap === null || lte(paid.amount, t.cap)).toBe(true)
    const wider = payoutOf({ ...t, cap: null }, f)!
    expect(gte(wider.amount, paid.amount)).toBe(true)
  }
  expect(paidOut).toBeGreaterThan(1000)
})

const SCALING = { periodDays: 120, profit: dec('0.1'), payouts: 2, step: dec('0.25'), ceiling: dec('2000000') }
const GROWN = {
  original: dec('400000'),
  size: dec('400000'),
  days: 120,
  profit: dec('40000'),
  payouts: 2,
  balance: dec('400000'),
}
test('an account grows by a quarter of its original size, not of its present one, up to the ceiling', () => {
  const sizes: string[] = []
  for (let size: Dec | null = GROWN.size; size; ) {
    size = scaledSize(SCALING, { ...GROWN, size, profit: size, balance: size })
    if (size) sizes.push(str(size))
  }
  expect(sizes.slice(0, 2)).toEqual(['500000', '600000'])
  expect([sizes.length, sizes.at(-1)]).toEqual([16, '2000000'])
  expect(str(scaledSize({ ...SCALING, ceiling: dec('450000') }, GROWN)!)).toBe('450000')
})
test.each([
  ['days', { days: 119 }],
  ['profit', { profit: dec('39999.99') }],
  ['payouts', { payouts: 1 }],
  ['a balance below its size', { balance: dec('399999.99') }],
  ['room under the ceiling', { size: dec('2000000'), profit: dec('200000'), balance: dec('2000000') }],
])('an account does not grow for want of %s', (_, more) => {
  expect(scaledSize(SCALING, { ...GROWN, ...more })).toBe(null)
})
