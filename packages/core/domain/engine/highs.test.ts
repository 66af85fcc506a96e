/** High-water marks that are raised later, from the highest equity of a stretch, are those of every point in it. */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { spec, World } from '../../testing/world.ts'
import { dec, gte, lte, max, str } from '../money/dec.ts'
import { raiseHighs } from './facts.ts'
import type { AccountState } from './state.ts'
import type { MaxLossRule, Rule } from './types.ts'

const locks = fc.constantFrom<MaxLossRule['lock']>(
  null,
  { at: 'initial', offset: '0' },
  { at: 'initial', offset: '500' },
  { at: 'target' },
)
const trail = fc
  .record({
    mode: fc.constantFrom<MaxLossRule['mode']>(
      'static',
      'eod_balance',
      'eod_equity',
      'closed_balance',
      'intraday_equity',
    ),
    limit: fc.constantFrom<MaxLossRule['limit']>({ amount: '9000' }, { pct: '8' }, { ratio: '0.07' }),
    lock: locks,
  })
  .map((more): Rule => ({ rule: 'max_loss', metric: 'equity', compare: 'lt', effect: 'hard', ...more }))
const daily: Rule = {
  rule: 'max_daily_loss',
  anchor: 'day_high',
  limit: { amount: '9000' },
  metric: 'equity',
  compare: 'lt',
  tested: 'always',
  effect: 'hard',
}
const target: Rule = {
  rule: 'profit_target',
  amount: '4000',
  basis: 'balance',
  require_flat: true,
  sticky: false,
  effect: 'gate',
}
const days: Rule = { rule: 'min_trading_days', n: 99, counts: 'opened', effect: 'gate' }
const cents = fc.array(fc.integer({ min: 9600, max: 10_500 }), { minLength: 1, maxLength: 30 })

const text = (n: number): string => str({ n: BigInt(n), s: 2 })
const marks = (s: AccountState) => [
  str(s.day!.high),
  ...s.rules.map((r) => [r.high && str(r.high), r.floor && str(r.floor)]),
]
function world(rules: Rule[]): World {
  const w = new World(spec(rules))
  w.start('2024-03-04T08:00:00Z').quote('2024-03-04T08:00:01Z', '100.00', '100.00')
  w.buy('1000')
  return w
}

test('the highest equity at once gives the marks and floors of every point, and twice is once', () => {
  fc.assert(
    fc.property(trail, trail, cents, (a, b, path) => {
      const w = world([a, b, daily, target, days])
      const before = w.state
      for (const price of path) w.quote('2024-03-04T09:00:00Z', text(price), text(price))
      if (w.state.status !== 'started') return
      const highest = path.map((price) => dec(String(price * 10))).reduce(max)
      const raised = raiseHighs(before, w.compiled, highest)
      expect(marks(raised)).toEqual(marks(w.state))
      expect(raiseHighs(raised, w.compiled, highest)).toBe(raised)
    }),
    { numRuns: 120 },
  )
})

/** Prices of days; between them the account may close and open again. */
const steps = fc.array(
  fc.record({ price: fc.integer({ min: 9700, max: 10_300 }), turn: fc.boolean(), nextDay: fc.boolean() }),
  { minLength: 1, maxLength: 30 },
)
test('a trailing floor never falls and never passes its lock; a static one is constant', () => {
  fc.assert(
    fc.property(trail, steps, (rule, path) => {
      const w = world([rule, target, days])
      const { lock } = rule as MaxLossRule
      const ceiling = lock ? dec(lock.at === 'target' ? '104000' : String(100_000 + Number(lock.offset))) : null
      let last = w.state.rules[0]!.floor!
      let at = Date.parse('2024-03-04T09:00:00Z')
      for (const { price, turn, nextDay } of path) {
        at += nextDay ? 86_400_000 : 60_000
        w.quote(new Date(at).toISOString(), text(price), text(price))
        if (w.state.status !== 'started') return
        if (turn) {
          w.sell('1000')
          w.buy('1000')
        }
        const { floor } = w.state.rules[0]!
        expect(gte(floor!, last)).toBe(true)
        if (ceiling) expect(lte(floor!, ceiling)).toBe(true)
        if ((rule as MaxLossRule).mode === 'static') expect(str(floor!)).toBe(str(last))
        last = floor!
      }
    }),
    { numRuns: 120 },
  )
})
