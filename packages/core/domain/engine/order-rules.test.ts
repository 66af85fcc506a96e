/** Rules that refuse an order before it stands, through the engine: what waits counts as filled, what reduces passes. */
import { describe, expect, test } from 'bun:test'
import { instrument, spec, World } from '../../testing/world.ts'
import type { NewsCalendar } from '../calendars/calendar.ts'
import { liveView } from './live.ts'
import type { AccountSpec, NewsWindowRule, OrderBody, Rule } from './types.ts'

const at = (time: string): string => `2024-03-04T${time}Z`
function world(rules: Rule[], more: Partial<AccountSpec> = {}): World {
  const w = new World(spec(rules, { instruments: [instrument('TST/USD'), instrument('OTH/USD')], ...more }))
  w.start(at('08:00:00')).quote(at('08:00:01'), '100.00', '100.00')
  return w.quote(at('08:00:01'), '50.00', '50.00', { symbol: 'OTH/USD' })
}
const code = (answer: { ok: boolean; code?: string }) => (answer.ok ? 'ok' : answer.code)
const limit = (w: World, quantity: string, more: Partial<OrderBody> = {}) =>
  code(w.order({ type: 'limit', price: '90.00', quantity, ...more }))

describe('max_position_size', () => {
  const rule: Rule = { rule: 'max_position_size', per: 'symbol', quantity: '100', effect: 'gate' }
  test('at the limit is accepted, one step beyond it refused with the limit and what it would be', () => {
    const w = world([rule])
    expect(code(w.buy('60'))).toBe('ok')
    expect(limit(w, '40')).toBe('ok')
    expect(w.order({ price: '90.00', quantity: '1' })).toEqual({
      ok: false,
      code: 'rule_refused',
      field: 'quantity',
      detail: 'max_position_size: at most 100 in TST/USD; with this order 101.',
    })
  })
  test('what reduces is accepted; a reversal counts from zero', () => {
    const w = world([rule])
    w.buy('100')
    expect(code(w.sell('50'))).toBe('ok')
    expect(code(w.sell('151'))).toBe('rule_refused')
    expect(code(w.sell('150'))).toBe('ok')
  })
  test('exits and the other leg of a pair add nothing', () => {
    const w = world([rule])
    const bracket = { take_profit: { price: '110.00' }, stop_loss: { stop_price: '95.00' } }
    expect(code(w.order({ type: 'market', quantity: '50', ...bracket }))).toBe('ok')
    expect(code(w.order({ type: 'oco', price: '90.00', stop_price: '110.00', quantity: '50' }))).toBe('ok')
    expect(limit(w, '1')).toBe('rule_refused')
  })
  test('raising an order by an amendment is an order like any other', () => {
    const w = world([rule])
    const placed = w.order({ price: '90.00', quantity: '50' })
    const order = placed.ok ? placed.order!.id : ''
    expect(code(w.command({ op: 'amend', order, quantity: '101' }))).toBe('rule_refused')
    expect(code(w.command({ op: 'amend', order, quantity: '100' }))).toBe('ok')
  })
})
test('max_total_exposure adds the notional of all symbols, waiting orders at their own price', () => {
  const w = world([{ rule: 'max_total_exposure', notional: '15000', effect: 'gate' }])
  expect(code(w.buy('100'))).toBe('ok')
  expect(code(w.buy('101', { symbol: 'OTH/USD' }))).toBe('rule_refused')
  expect(code(w.order({ symbol: 'OTH/USD', price: '40.00', quantity: '125' }))).toBe('ok')
  expect(limit(w, '1')).toBe('rule_refused')
})
test('a trailing stop that waits for its activation counts at that price, placed and waiting', () => {
  const w = world([{ rule: 'max_total_exposure', notional: '15000', effect: 'gate' }])
  const trail = {
    type: 'trailing_stop' as const,
    trail: { offset: '1.00' },
    activation_price: '50.00',
    quantity: '100',
  }
  expect(code(w.order(trail))).toBe('ok')
  expect([limit(w, '101', { price: '100.00' }), limit(w, '100', { price: '100.00' })]).toEqual(['rule_refused', 'ok'])
})
test('max_open_positions counts what waiting orders would open', () => {
  const w = world([{ rule: 'max_open_positions', n: 1, effect: 'gate' }])
  expect(limit(w, '10')).toBe('ok')
  expect(code(w.buy('10', { symbol: 'OTH/USD' }))).toBe('rule_refused')
  expect(code(w.buy('10'))).toBe('ok')
})
describe('max_open_positions, hedging: what would be a ticket of its own counts once', () => {
  const hedging = (n: number): World =>
    world([{ rule: 'max_open_positions', n, effect: 'gate' }], { position_mode: 'hedging' })
  const placed = (w: World, body: Partial<OrderBody>): string => {
    const answer = w.order(body)
    return answer.ok && answer.order ? answer.order.id : ''
  }
  const amend = (w: World, order: string, price: string) => code(w.command({ op: 'amend', order, price }))
  test('an order that has its ticket is changed, and so is a leg of a pair', () => {
    const w = hedging(1)
    w.quote(at('08:00:02'), '100.00', '100.00', { ask_size: '4' })
    const begun = placed(w, { price: '100.00', quantity: '10' })
    expect(amend(w, begun, '99.00')).toBe('ok')
    const pair = hedging(1)
    const leg = placed(pair, { type: 'oco', price: '90.00', stop_price: '110.00' })
    expect(amend(pair, leg, '91.00')).toBe('ok')
    expect(amend(hedging(0), '', '91.00')).toBe('order_not_working')
  })
  test('the rest of an order whose ticket was closed opens one again', () => {
    const w = hedging(1)
    w.quote(at('08:00:02'), '100.00', '100.00', { ask_size: '4' })
    const begun = placed(w, { price: '100.00', quantity: '10' })
    w.command({ op: 'close', position: begun })
    expect(code(w.buy('1', { symbol: 'OTH/USD' }))).toBe('rule_refused')
  })
})
test('max_orders_per_day counts until the reset and lets a position be closed', () => {
  const w = world([{ rule: 'max_orders_per_day', n: 1, effect: 'gate' }])
  w.buy('10')
  expect(code(w.buy('1'))).toBe('rule_refused')
  expect(code(w.sell('10'))).toBe('ok')
  w.clock(at('23:00:00'))
  expect(code(w.buy('1'))).toBe('ok')
})
test('max_orders_per_day: an order may be changed when the day has no more', () => {
  const w = world([{ rule: 'max_orders_per_day', n: 1, effect: 'gate' }])
  const placed = w.order({ price: '90.00', quantity: '10' })
  const order = placed.ok && placed.order ? placed.order.id : ''
  expect(code(w.command({ op: 'amend', order, price: '91.00', quantity: '20' }))).toBe('ok')
  expect(limit(w, '1')).toBe('rule_refused')
})
test('allowed symbols, sides and sessions bind what opens', () => {
  const symbols = world([{ rule: 'allowed_symbols', symbols: ['OTH/USD'], effect: 'gate' }])
  expect([code(symbols.buy('1')), code(symbols.buy('1', { symbol: 'OTH/USD' }))]).toEqual(['rule_refused', 'ok'])
  const sides = world([{ rule: 'allowed_sides', sides: ['buy'], effect: 'gate' }])
  expect([code(sides.sell('1')), code(sides.buy('1')), code(sides.sell('1'))]).toEqual(['rule_refused', 'ok', 'ok'])
  const sessions = world([
    {
      rule: 'allowed_sessions',
      zone: 'Europe/Prague',
      windows: [{ days: [1], from: '09:00', to: '10:00' }],
      effect: 'gate',
    },
  ])
  expect(code(sessions.buy('1'))).toBe('ok')
  sessions.quote(at('09:00:00'), '100.00', '100.00')
  expect([code(sessions.buy('1')), code(sessions.sell('1'))]).toEqual(['rule_refused', 'ok'])
})

describe('news_window', () => {
  const calendar: NewsCalendar = {
    name: 'eco',
    version: 1,
    kind: 'news',
    events: [
      { at: at('14:30:00'), currency: 'USD', impact: 'high' },
      { at: at('14:33:00'), currency: 'USD', impact: 'high' },
    ],
  }
  const rule = (more: Partial<NewsWindowRule> = {}): Rule => ({
    rule: 'news_window',
    calendar: 'eco',
    before_s: 120,
    after_s: 120,
    impact: ['high'],
    also: {},
    forbids: ['open', 'close', 'activation', 'stop_trigger'],
    effect: 'gate',
    ...more,
  })
  const news = (more: Partial<NewsWindowRule> = {}) => {
    const w = world([rule(more)], { calendars: [calendar] })
    w.quote(at('14:00:00'), '100.00', '100.00')
    w.buy('10')
    return w
  }
  test('overlapping windows merge, their ends are inside; what rests may be placed', () => {
    const w = news()
    for (const time of ['14:28:00', '14:32:30', '14:35:00']) {
      w.quote(at(time), '100.00', '100.00')
      expect([code(w.buy('1')), code(w.sell('1')), limit(w, '1')]).toEqual(['rule_refused', 'rule_refused', 'ok'])
    }
    w.quote(at('14:35:00.001'), '100.00', '100.00')
    expect([code(w.buy('1')), code(w.sell('1'))]).toEqual(['ok', 'ok'])
  })
  test('a resting entry is held back inside, and fills at the first event after it', () => {
    const w = news()
    w.order({ price: '99.00', quantity: '5' })
    w.quote(at('14:29:00'), '98.00', '98.50')
    expect(w.fills).toHaveLength(1)
    w.quote(at('14:35:01'), '98.00', '98.50')
    expect(w.fills).toHaveLength(2)
  })
  test('what was accepted before the window and would trade when it arrives inside is cancelled, both legs of a pair', () => {
    const w = world([rule()], { calendars: [calendar], latency_ms: 1000 })
    w.quote(at('14:27:59.500'), '100.00', '100.00')
    w.buy('10')
    w.order({ price: '101.00', quantity: '1' })
    w.order({ type: 'oco', price: '99.00', stop_price: '100.50', quantity: '2' })
    w.order({ price: '98.00', quantity: '3' })
    w.quote(at('14:28:00.100'), '100.60', '100.60')
    w.order({ price: '97.00', quantity: '4' })
    w.clock(at('14:28:10'))
    expect(w.fills).toEqual([])
    expect(w.ended).toEqual([
      '#1 cancelled news_window',
      '#2 cancelled news_window',
      '#3.stop cancelled news_window',
      '#3 cancelled news_window',
    ])
    expect(w.working).toEqual(['#4 3', '#5 4'])
  })
  test('holding through the window is allowed, and so is what the rule does not forbid', () => {
    const w = news({ forbids: ['open'], effect: 'hard' })
    w.quote(at('14:29:00'), '98.00', '98.50')
    w.sell('10')
    expect(w.state.status).toBe('started')
    w.buy('1')
    expect(w.of('violation')).toMatchObject([{ rule: 'news_window', effect: 'hard' }])
  })
  test('a stop that is reached already opens or closes nothing inside, placed or amended', () => {
    const w = news()
    w.quote(at('14:29:00'), '100.00', '100.00')
    const stop = { type: 'stop' as const, quantity: '5' }
    expect(code(w.order({ ...stop, stop_price: '99.00' }))).toBe('rule_refused')
    expect(code(w.order({ ...stop, side: 'sell', stop_price: '101.00', reduce_only: true }))).toBe('rule_refused')
    const waits = w.order({ ...stop, side: 'sell', stop_price: '90.00', reduce_only: true })
    const order = waits.ok && waits.order ? waits.order.id : ''
    expect(code(w.command({ op: 'amend', order, stop_price: '101.00' }))).toBe('rule_refused')
    expect(w.fills).toHaveLength(1)
  })
  test('a stop-limit that was triggered is amended to no price at which it would open inside', () => {
    const w = news()
    const placed = w.order({ type: 'stop_limit', quantity: '5', stop_price: '101.00', price: '100.50' })
    w.quote(at('14:20:00'), '101.00', '101.00')
    w.quote(at('14:29:00'), '101.00', '101.00')
    const order = placed.ok && placed.order ? placed.order.id : ''
    expect(code(w.command({ op: 'amend', order, price: '101.00' }))).toBe('rule_refused')
    expect(w.fills).toHaveLength(1)
  })
  test('where activations alone are forbidden, a stop that is reached already waits for the end of the window', () => {
    const w = news({ forbids: ['activation'] })
    w.quote(at('14:29:00'), '100.00', '100.00')
    expect(code(w.order({ type: 'stop', stop_price: '99.00', quantity: '5' }))).toBe('ok')
    expect(w.fills).toHaveLength(1)
    w.quote(at('14:35:01'), '100.00', '100.00')
    expect(w.fills).toHaveLength(2)
  })
  test('a limit between the source’s price and the marked-up one rests', () => {
    const marked = [instrument('TST/USD', { spread_markup_ticks: '2' }), instrument('OTH/USD')]
    const w = world([rule()], { calendars: [calendar], instruments: marked })
    w.quote(at('14:29:00'), '100.00', '100.00')
    expect(limit(w, '1', { price: '100.01' })).toBe('ok')
    expect(limit(w, '1', { price: '100.02' })).toBe('rule_refused')
  })
  test('as a flag it is said once a day, whatever else is done in the window', () => {
    const w = news({ effect: 'flag' })
    w.quote(at('14:29:00'), '100.00', '100.00')
    w.sell('1')
    w.sell('1')
    expect(w.of('violation')).toHaveLength(1)
  })
})
test('sizes are served with what waits counted as filled: what is said to remain is what is accepted', () => {
  const w = world([
    { rule: 'max_position_size', per: 'symbol', quantity: '100', effect: 'gate' },
    { rule: 'max_open_positions', n: 2, effect: 'gate' },
    { rule: 'max_total_exposure', notional: '10000', effect: 'gate' },
    { rule: 'scaling_plan', base: '80', steps: [], keeps: false, effect: 'gate' },
  ])
  const remaining = () => liveView(w.state, w.compiled, w.replay.view).rules.map((r) => r.remaining)
  expect(remaining()).toEqual(['100', '2', '10000.00', '80'])
  w.buy('10')
  w.order({ price: '90.00', quantity: '40' })
  expect(remaining()).toEqual(['50', '1', '5400.00', '30'])
  w.order({ symbol: 'OTH/USD', price: '40.00', quantity: '5' })
  expect(remaining()).toEqual(['50', '0', '5200.00', '25'])
  expect([limit(w, '26'), limit(w, '25')]).toEqual(['rule_refused', 'ok'])
})
test('hedging: tickets of both sides add up, they do not cancel each other out', () => {
  const w = world([{ rule: 'max_position_size', per: 'symbol', quantity: '100', effect: 'gate' }], {
    position_mode: 'hedging',
  })
  expect([code(w.buy('60')), code(w.sell('40')), code(w.sell('1'))]).toEqual(['ok', 'ok', 'rule_refused'])
})
