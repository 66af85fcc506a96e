/** Stops that a rule watches over, through the engine. */
import { describe, expect, test } from 'bun:test'
import { instrument, spec, World } from '../../testing/world.ts'
import type { AccountSpec, Rule } from './types.ts'

const at = (time: string): string => `2024-03-04T${time}Z`
const rule = (more: Partial<Extract<Rule, { rule: 'max_risk_per_trade' }>> = {}): Rule => ({
  rule: 'max_risk_per_trade',
  pct: '1',
  needs_stop: true,
  within_s: 60,
  effect: 'gate',
  ...more,
})
function world(rules: Rule[], more: Partial<AccountSpec> = {}): World {
  const w = new World(spec(rules, { instruments: [instrument('TST/USD'), instrument('OTH/USD')], ...more }))
  w.start(at('08:00:00')).quote(at('08:00:01'), '100.00', '100.00')
  return w.quote(at('08:00:01'), '50.00', '50.00', { symbol: 'OTH/USD' })
}
const code = (answer: { ok: boolean; code?: string }) => (answer.ok ? 'ok' : answer.code)
const bought = (w: World, more = {}): string => {
  const answer = w.order({ type: 'market', quantity: '100', stop_loss: { stop_price: '91.00' }, ...more })
  return answer.ok ? answer.order!.id : ''
}

describe('a gate on the risk of a trade', () => {
  test("does not let the stop of a position be moved beyond the limit; nearer and back to it is the trader's own affair", () => {
    const w = world([rule({ needs_stop: false })])
    const sl = `${bought(w)}.sl`
    const move = (stop_price: string) => w.command({ op: 'amend', order: sl, stop_price })
    expect([code(move('95.00')), code(move('90.00'))]).toEqual(['ok', 'ok'])
    expect(move('50.00')).toMatchObject({ code: 'rule_refused', field: 'stop_loss' })
    expect(w.working).toEqual(['#1.sl 100'])
    expect(code(w.command({ op: 'cancel', order: sl }))).toBe('ok')
  })
  test('keeps a stop that is needed: cancelled neither alone nor with all, as long as there is the position', () => {
    const w = world([rule()])
    const id = bought(w, { take_profit: { price: '120.00' } })
    expect(w.command({ op: 'cancel', order: `${id}.sl` })).toMatchObject({ code: 'rule_refused', field: 'stop_loss' })
    expect(w.command({ op: 'cancel_all' })).toEqual({ ok: true, cancelled: [`${id}.tp`] })
    expect(w.working).toEqual(['#1.sl 100'])
    // it stands alone now
    expect(w.state.orders[0]!.oco).toBeNull()
    w.sell('100')
    expect(w.working).toEqual([])
  })
  test('lets one of two go, not both', () => {
    const w = world([rule()])
    const id = bought(w)
    w.order({ side: 'sell', type: 'stop', stop_price: '95.00', quantity: '100', reduce_only: true })
    expect(w.command({ op: 'cancel_all' })).toEqual({ ok: true, cancelled: [`${id}.sl`] })
    expect(w.working).toEqual(['#2 100'])
    expect(code(w.command({ op: 'amend', order: w.state.orders[0]!.id, quantity: '99' }))).toBe('rule_refused')
    expect(code(w.command({ op: 'amend', order: w.state.orders[0]!.id, stop_price: '96.00' }))).toBe('ok')
  })
})

describe('a stop within n seconds', () => {
  const flag = rule({ effect: 'hard', pct: '100' })
  test('is asked for after each entry: an addition without one is found when its time is over', () => {
    const w = world([flag])
    bought(w)
    w.clock(at('08:01:30'))
    w.buy('50')
    w.clock(at('08:02:29'))
    expect(w.of('violation')).toEqual([])
    w.clock(at('08:02:31'))
    expect(w.of('violation')).toMatchObject([
      { rule: 'max_risk_per_trade', value: '1', mts: Date.parse(at('08:02:30')) },
    ])
  })
  test('covers the whole position by then', () => {
    const w = world([flag])
    bought(w)
    w.clock(at('08:01:30'))
    w.buy('50')
    w.order({ side: 'sell', type: 'stop', stop_price: '95.00', quantity: '50', reduce_only: true })
    w.clock(at('08:10:00'))
    expect(w.of('violation')).toEqual([])
  })
  test('is asked for twice of one position, once of what was closed', () => {
    const w = world([rule({ effect: 'flag', pct: '100' })])
    w.buy('50')
    w.clock(at('08:00:30'))
    w.buy('50')
    w.sell('100')
    w.clock(at('08:10:00'))
    expect(w.of('violation')).toEqual([])
    expect(w.state.rules[0]).toMatchObject({ due: null, entries: [] })
  })
})
