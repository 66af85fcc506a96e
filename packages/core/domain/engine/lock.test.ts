/** What a breach does: soft closes out and locks until the next reset, flag says so, hard fails; one violation a point. */
import { expect, test } from 'bun:test'
import { instrument, spec, World } from '../../testing/world.ts'
import type { AccountSpec, Rule } from './types.ts'

type Of<K extends Rule['rule']> = Partial<Extract<Rule, { rule: K }>>
const overall = (more: Of<'max_loss'> = {}): Rule => ({
  rule: 'max_loss',
  mode: 'static',
  limit: { amount: '5000' },
  lock: null,
  metric: 'equity',
  compare: 'lt',
  effect: 'hard',
  ...more,
})
const daily = (more: Of<'max_daily_loss'> = {}): Rule => ({
  rule: 'max_daily_loss',
  anchor: 'balance',
  limit: { amount: '3000' },
  metric: 'equity',
  compare: 'lt',
  tested: 'always',
  effect: 'soft',
  ...more,
})
const target: Rule = {
  rule: 'profit_target',
  amount: '2000',
  basis: 'balance',
  require_flat: true,
  sticky: false,
  effect: 'gate',
}
const cap: Rule = {
  rule: 'daily_profit_cap',
  anchor: 'balance',
  limit: { amount: '2500' },
  metric: 'equity',
  compare: 'lt',
  tested: 'always',
  effect: 'soft',
}
/** Prague's day ends at 23:00 UTC. */
const at = (time: string): string => `2024-03-${time}Z`
function world(rules: Rule[], more: Partial<AccountSpec> = {}): World {
  const w = new World(spec(rules, more))
  w.start(at('04T08:00:00')).quote(at('04T08:00:01'), '100.00', '100.00')
  w.buy('1000')
  return w
}
const price = (w: World, time: string, p: string): World => w.quote(at(time), p, p)
const said = (w: World) => w.of('violation').map((v) => [v.rule, v.effect, v.value, v.limit])

test('a soft breach closes out, cancels and locks until the next reset; what reduces is accepted', () => {
  const w = world([daily()])
  w.order({ price: '90.00' })
  price(w, '04T09:00:00', '96.99')
  expect(said(w)).toEqual([['max_daily_loss', 'soft', '96990', '97000']])
  expect(w.ended).toContain('#2 cancelled account_locked')
  expect(w.of('fill').at(-1)).toMatchObject({ order: 'lock', side: 'sell', quantity: '1000' })
  expect(w.of('lock')).toMatchObject([{ rule: 'max_daily_loss', index: 0, until: Date.parse(at('04T23:00:00')) }])
  expect(w.state.status).toBe('started')
  expect(w.buy('1')).toMatchObject({ ok: false, code: 'account_locked' })
  w.clock(at('04T23:00:00'))
  const reset = w.records.slice(w.records.findIndex((r) => r.kind === 'day'))
  expect(reset.map((r) => r.kind)).toEqual(['day', 'floor', 'lock'])
  expect(w.of('lock').at(-1)).toMatchObject({ rule: null, until: null })
  expect(w.buy('1')).toMatchObject({ ok: true })
})

test('while locked there is no further soft violation, and a hard one still fails', () => {
  const w = world([daily({ limit: { amount: '3000' } }), overall()])
  // no depth at all: the position stays through the fall
  w.status(at('04T08:30:00'), 'halted')
  price(w, '04T09:00:00', '96.00')
  expect(said(w).map(([rule]) => rule)).toEqual(['max_daily_loss'])
  expect(w.state.book.positions).toHaveLength(1)
  price(w, '04T09:01:00', '95.50')
  expect(said(w)).toHaveLength(1)
  price(w, '04T09:02:00', '94.99')
  expect(said(w).map(([rule]) => rule)).toEqual(['max_daily_loss', 'max_loss'])
  expect(w.state.status).toBe('failed')
})

test('what has no depth at the lock is closed at the first event that allows it, beyond the reset too', () => {
  const w = world([daily({ anchor: 'equity' })])
  w.status(at('04T08:30:00'), 'halted')
  price(w, '04T09:00:00', '96.00')
  expect(w.state.liquidations).toEqual([{ position: expect.any(String), symbol: 'TST/USD', order: 'lock' }])
  w.clock(at('04T23:00:00'))
  expect(w.state.lock).toBeNull()
  expect(w.state.book.positions).toHaveLength(1)
  w.status(at('04T23:30:00'), 'open')
  expect(w.state.book.positions).toEqual([])
  expect(w.of('fill').at(-1)!.order).toBe('lock')
  expect(w.state.liquidations).toEqual([])
})

test('the fills of a close-out are a point of their own: one that takes the account below a hard floor fails it', () => {
  const thin = instrument('TST/USD', { slippage_bps: '100', cap_bps: '500' })
  const w = world([daily(), overall({ limit: { amount: '3300' } })], { instruments: [thin] })
  w.quote(at('04T09:00:00'), '96.90', '96.90', { bid_size: '300', ask_size: '300' })
  expect(said(w).map(([rule]) => rule)).toEqual(['max_daily_loss', 'max_loss'])
  expect(w.state.status).toBe('failed')
})

test('nothing passes while locked; at the reset that ends the lock it does', () => {
  const w = world([target, cap])
  price(w, '04T09:00:00', '102.51')
  expect(said(w)).toEqual([['daily_profit_cap', 'soft', '102510', '102500']])
  expect([w.state.status, w.state.book.positions]).toEqual(['started', []])
  w.clock(at('04T10:00:00'))
  expect(w.state.status).toBe('started')
  w.clock(at('04T23:00:00'))
  expect(w.state.status).toBe('passed')
})

test('a flag is said once in a trading day, and does not keep a target from passing', () => {
  const w = world([daily({ effect: 'flag' }), target])
  price(w, '04T09:00:00', '96.00')
  price(w, '04T09:01:00', '99.00')
  price(w, '04T09:02:00', '95.00')
  expect(said(w)).toHaveLength(1)
  expect(w.state.book.positions).toHaveLength(1)
  // the next day's floor hangs on the same balance: it is crossed by the clock, and said again
  w.clock(at('04T23:00:00'))
  expect(said(w)).toHaveLength(2)
  price(w, '05T09:00:00', '103.00')
  w.sell('1000')
  expect(w.state.status).toBe('passed')
})

test('of several limits in one point a hard one is attributed, though a flag was crossed first', () => {
  const w = world([daily({ effect: 'flag', limit: { amount: '1000' } }), overall()])
  price(w, '04T09:00:00', '94.00')
  const [violation] = w.of('violation')
  expect(w.of('violation')).toHaveLength(1)
  expect(violation).toMatchObject({ rule: 'max_loss', effect: 'hard', crossed: [{ rule: 'max_daily_loss' }] })
})

test('a soft breach that is tested at the reset locks until the reset after it', () => {
  const w = world([daily({ tested: 'reset' })])
  price(w, '04T22:59:00', '96.00')
  w.clock(at('04T23:00:00'))
  expect(w.of('lock')).toMatchObject([{ rule: 'max_daily_loss', until: Date.parse(at('05T23:00:00')) }])
  expect(w.state.lock).not.toBeNull()
  w.clock(at('05T23:00:00'))
  expect(w.state.lock).toBeNull()
})

test('a soft breach in doubt closes nothing until its marks are valid, then locks, dated at its own instant', () => {
  const other = world([daily()], { instruments: [instrument('TST/USD'), instrument('OTH/USD')] })
  other.quote(at('04T08:10:00'), '10.00', '10.00', { symbol: 'OTH/USD' })
  other.buy('1000', { symbol: 'OTH/USD' })
  other.status(at('04T08:30:00'), 'unknown', 'OTH/USD')
  price(other, '04T09:00:00', '96.90')
  expect(other.of('violation')).toMatchObject([{ provisional: true, effect: 'soft' }])
  expect([other.state.lock, other.state.book.positions.length]).toEqual([null, 2])
  other.quote(at('04T09:05:00'), '9.99', '9.99', { symbol: 'OTH/USD' })
  expect(other.of('violation').at(-1)).toMatchObject({
    provisional: false,
    value: '96890',
    dated: { mts: Date.parse(at('04T09:00:00')) },
  })
  expect([other.state.lock?.rule, other.state.book.positions]).toEqual([0, []])
})
