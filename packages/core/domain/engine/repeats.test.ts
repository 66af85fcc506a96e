/** What adds nothing changes nothing: a repeated quote or a clock between two events leaves every record as it was. */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { instrument, spec, World } from '../../testing/world.ts'
import { str } from '../money/dec.ts'
import type { Effect, Rule } from './types.ts'

type Consequence = Exclude<Effect, 'gate'>
const effect = fc.constantFrom<Consequence>('hard', 'soft', 'flag')
const compare = fc.constantFrom('lt' as const, 'lte' as const)
const tested = fc.constantFrom('always' as const, 'reset' as const)
const amount = fc.integer({ min: 1, max: 8 }).map((n) => ({ amount: String(n * 500) }))
const anchor = fc.constantFrom('balance' as const, 'equity' as const, 'max' as const, 'day_high' as const)
const metric = fc.constantFrom('equity' as const, 'balance' as const, 'min' as const)
const rule: fc.Arbitrary<Rule> = fc.oneof(
  fc.record({ rule: fc.constant('max_daily_loss' as const), anchor, limit: amount, metric, compare, tested, effect }),
  fc.record({ rule: fc.constant('daily_profit_cap' as const), anchor, limit: amount, metric, compare, tested, effect }),
  fc.record({
    rule: fc.constant('max_loss' as const),
    mode: fc.constantFrom(
      'static' as const,
      'eod_equity' as const,
      'closed_balance' as const,
      'intraday_equity' as const,
    ),
    limit: amount,
    lock: fc.constantFrom(null, { at: 'initial' as const, offset: '0' }),
    metric,
    compare,
    effect,
  }),
  fc.record({
    rule: fc.constant('max_open_loss' as const),
    pct: fc.constantFrom('1', '2'),
    of: fc.constantFrom('balance' as const, 'day_profit' as const),
    compare,
    effect,
  }),
  fc.record({
    rule: fc.constant('max_risk_per_idea' as const),
    pct: fc.constantFrom('1', '2'),
    within_s: fc.constantFrom(0, 120, 3600),
    compare,
    effect,
  }),
  fc.record({
    rule: fc.constant('min_holding_time' as const),
    seconds: fc.constantFrom(60, 1200),
    share: fc.constantFrom('0.3', '0.5'),
    compare,
    effect,
  }),
  fc.record({ rule: fc.constant('inactivity' as const), days: fc.constantFrom(1, 2), effect }),
  fc.record({
    rule: fc.constant('max_risk_per_trade' as const),
    pct: fc.constant('1'),
    needs_stop: fc.constant(true),
    within_s: fc.constantFrom(0, 600),
    effect: effect as fc.Arbitrary<Effect>,
  }),
)
const target: Rule = {
  rule: 'profit_target',
  amount: '2500',
  basis: 'equity',
  require_flat: false,
  sticky: false,
  effect: 'gate',
}
const consistency: Rule = {
  rule: 'consistency',
  basis: 'total',
  share: '0.6',
  compare: 'lt',
  gross: false,
  effect: 'gate',
}
const moves = fc.array(
  fc.record({
    by: fc.integer({ min: -200, max: 200 }),
    trade: fc.constantFrom('', '', 'buy', 'sell', 'flatten'),
    minutes: fc.constantFrom(0, 1, 30, 400, 1500),
    status: fc.constantFrom(null, null, null, null, 'unknown', 'halted'),
  }),
  { minLength: 3, maxLength: 25 },
)
type Move = { by: number; trade: string; minutes: number; status: string | null }

/** `pad`: between all events a clock, and each quote twice. */
function play(rules: Rule[], path: readonly Move[], pad: boolean): World {
  const thin = instrument('TST/USD', { commission: { bps: '1' }, slippage_bps: '20' })
  const w = new World(spec(rules, { instruments: [thin], warnings: ['0.5', '0.9'], stop_out: '0.5' }))
  let at = Date.parse('2024-03-04T08:00:00Z')
  let cents = 10_000
  const time = () => new Date(at).toISOString()
  const quote = () => {
    const price = str({ n: BigInt(cents), s: 2 })
    for (let i = 0; i < (pad ? 2 : 1); i++) w.quote(time(), price, price)
    if (pad) w.clock(time())
  }
  w.start(time())
  quote()
  for (const { by, trade, minutes, status } of path) {
    const [held] = w.state.book.positions
    if (trade === 'buy') w.buy('700')
    if (trade === 'sell') w.sell('700')
    if (trade === 'flatten' && held) w.command({ op: 'close', position: held.symbol })
    at += minutes * 60_000
    cents = Math.max(100, cents + by)
    if (status) w.status(time(), status)
    if (status === 'halted') w.status(time(), 'open')
    quote()
  }
  at += 86_400_000
  w.clock(time())
  return w
}
/** Without the places in the log, which padding moves. */
const told = (w: World): string =>
  JSON.stringify(w.records, (key, value) => (['mseq', 'log_head', 'state_hash', 'source'].includes(key) ? 0 : value))

test('repeated quotes and clocks change no record', () => {
  fc.assert(
    fc.property(fc.array(rule, { minLength: 1, maxLength: 4 }), moves, (rules, path) => {
      const all = [...rules, target, consistency]
      expect(told(play(all, path, true))).toBe(told(play(all, path, false)))
    }),
    { numRuns: 300 },
  )
}, 30_000)

/** Of two of a name, the place in the phase breaks a tie. */
const distinct = fc.uniqueArray(rule, { minLength: 2, maxLength: 6, selector: (r) => r.rule })
test('each point writes at most one violation of its floors, and the verdict does not depend on the order of rules', () => {
  fc.assert(
    fc.property(distinct, moves, (rules, path) => {
      const hard = rules.map((r) => ({ ...r, effect: 'hard' as const }) as Rule)
      const a = play([...hard, target, consistency], path, false)
      const b = play([consistency, target, ...hard.reverse()], path, false)
      const verdict = (w: World) =>
        w.of('verdict').map((v) => [v.verdict, v.rule, v.value, v.limit, v.equity, v.mts, v.mseq])
      expect(verdict(b)).toEqual(verdict(a))
      expect(a.of('violation').filter((v) => !v.provisional).length).toBeLessThanOrEqual(1)
    }),
    { numRuns: 300 },
  )
}, 30_000)
