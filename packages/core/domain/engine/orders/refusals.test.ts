import { describe, expect, test } from 'bun:test'
import { instrument, spec, World } from '../../../testing/world.ts'
import type { AccountSpec, OrderBody } from '../types.ts'

const at = (second: number): string => `2024-03-04T08:00:${String(second).padStart(2, '0')}Z`
const quoted = (more: Partial<AccountSpec> = {}): World =>
  new World(spec([], more)).start(at(0)).quote(at(1), '99.00', '101.00')

describe('grid', () => {
  const coarse = () =>
    quoted({
      instruments: [
        instrument('TST/USD', {
          price_tick: '0.05',
          quantity_step: '0.5',
          min_quantity: '2',
          max_quantity: '50',
          min_notional: '300',
        }),
      ],
    })
  const refused: [string, Partial<OrderBody>, object][] = [
    [
      'a quantity off the step',
      { quantity: '2.3', price: '100.00' },
      { code: 'quantity_off_grid', field: 'quantity', nearest: '2.5' },
    ],
    [
      'a quantity of nothing',
      { quantity: '0', price: '100.00' },
      { code: 'quantity_too_small', field: 'quantity', nearest: '2' },
    ],
    [
      'a quantity off the step and below the least',
      { quantity: '0.3', price: '100.00' },
      { code: 'quantity_off_grid', nearest: '2' },
    ],
    [
      'a quantity off the step and above the largest',
      { quantity: '70.3', price: '100.00' },
      { code: 'quantity_off_grid', nearest: '50' },
    ],
    ['one below the least', { quantity: '1.5', price: '100.00' }, { code: 'quantity_too_small', nearest: '2' }],
    ['one above the largest', { quantity: '50.5', price: '100.00' }, { code: 'quantity_too_large', nearest: '50' }],
    [
      'a price off the tick',
      { quantity: '5', price: '100.02' },
      { code: 'price_off_grid', field: 'price', nearest: '100' },
    ],
    [
      'a price halfway, which goes down',
      { quantity: '5', price: '100.025' },
      { code: 'price_off_grid', nearest: '100' },
    ],
    ['a price below the first tick', { quantity: '5', price: '0.01' }, { code: 'price_off_grid', nearest: '0.05' }],
    [
      'a stop price',
      { quantity: '5', type: 'stop', stop_price: '105.01' },
      { code: 'price_off_grid', field: 'stop_price', nearest: '105' },
    ],
    [
      'a trail',
      { quantity: '5', type: 'trailing_stop', trail: { offset: '1.01' } },
      { code: 'price_off_grid', field: 'trail.offset', nearest: '1' },
    ],
    [
      'an activation price',
      { quantity: '5', type: 'trailing_stop', trail: { pct: '1' }, activation_price: '105.01' },
      { code: 'price_off_grid', field: 'activation_price' },
    ],
    [
      'a percentage of all',
      { quantity: '5', type: 'trailing_stop', trail: { pct: '100' } },
      { code: 'validation_failed', field: 'trail.pct' },
    ],
    [
      'a leg of a pair',
      { quantity: '5', type: 'oco', price: '95.00', stop_price: '105.00', stop_limit_price: '105.02' },
      { code: 'price_off_grid', field: 'stop_limit_price' },
    ],
    ['too little money', { quantity: '2', price: '100.00' }, { code: 'notional_too_small', field: 'quantity' }],
  ]
  for (const [what, body, answer] of refused)
    test(`${what} is refused, with the field and the nearest legal value`, () => {
      const w = coarse()
      expect(w.order(body)).toMatchObject({ ok: false, ...answer })
      expect([w.working, w.fills]).toEqual([[], []])
    })

  test('what is on the grid and within bounds passes', () => {
    expect(coarse().order({ quantity: '50', price: '100.05' }).ok).toBe(true)
  })

  test("an outcome's limit prices lie in [0, 1], both ends allowed", () => {
    const outcome = () =>
      quoted({ instruments: [instrument('TST/USD', { kind: 'outcome' })] }).quote(at(2), '0.40', '0.60')
    expect(outcome().order({ price: '1.01' })).toMatchObject({ code: 'price_off_grid', nearest: '1' })
    expect(outcome().order({ price: '1' }).ok).toBe(true)
    expect(outcome().order({ price: '0' }).ok).toBe(true)
  })
})

describe('market', () => {
  const WEEK = [1, 2, 3, 4, 5].map((day) => ({ from: { day, time: '07:00' }, to: { day, time: '16:00' } }))
  const calendar = { name: 'hours', version: 1, kind: 'sessions' as const, zone: 'UTC', weekly: WEEK, holidays: null }
  const withHours = () =>
    quoted({ instruments: [instrument('TST/USD', { session_calendar: 'hours' })], calendars: [calendar] })

  test('closed by its calendar whatever the status in the log says, from the very end of the session on', () => {
    const w = withHours()
    w.quote('2024-03-04T15:59:59.999Z', '99.00', '101.00')
    expect(w.buy('1').ok).toBe(true)
    w.quote('2024-03-04T16:00:00Z', '99.00', '101.00')
    expect(w.buy('1')).toMatchObject({ code: 'market_closed', field: 'symbol' })
  })

  test('outside its sessions nothing triggers and nothing rests into a fill', () => {
    const w = withHours()
    w.order({ price: '98.00' })
    w.order({ side: 'sell', type: 'stop', stop_price: '95.00' })
    w.quote('2024-03-04T18:00:00Z', '90.00', '91.00')
    expect(w.fills).toEqual([])
    w.quote('2024-03-05T07:00:00Z', '90.00', '91.00')
    expect(w.fills).toEqual(['#2 sell 10 @ 90 taker', '#1 buy 10 @ 98 maker'])
  })

  test('halted, settled, unknown, without a quote and too old are told apart', () => {
    const code = (w: World) => {
      const answer = w.buy('1')
      return answer.ok ? 'ok' : answer.code
    }
    expect(code(quoted().status(at(2), 'halted'))).toBe('market_halted')
    expect(code(quoted().status(at(2), 'settled'))).toBe('market_closed')
    expect(code(quoted().status(at(2), 'unknown'))).toBe('market_stale')
    expect(code(new World(spec([])).start(at(0)))).toBe('market_stale')
    const old = quoted({ instruments: [instrument('TST/USD', { stale_limit_ms: 5000 })] })
    expect([code(old.clock(at(6))), code(old.clock(at(7)))]).toEqual(['ok', 'market_stale'])
  })

  test('cancels pass in any market', () => {
    const w = quoted()
    w.order({ price: '98.00' })
    w.status(at(2), 'halted')
    expect(w.command({ op: 'cancel_all' })).toMatchObject({ ok: true })
    expect(w.working).toEqual([])
  })
})

test('the most orders that may work at once is a bound; a market order needs no place', () => {
  const w = quoted()
  for (let i = 0; i < 200; i++) w.order({ price: '50.00', quantity: '1' })
  expect(w.order({ price: '50.00', quantity: '1' })).toMatchObject({ code: 'too_many_orders' })
  expect(w.buy('1').ok).toBe(true)
  expect(w.command({ op: 'close', position: 'TST/USD' }).ok).toBe(true)
})
