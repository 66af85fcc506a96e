import { expect, test } from 'bun:test'
import { instrument, spec } from '../../testing/world.ts'
import type { Instrument } from '../instruments/instrument.ts'
import type { MarketEvent } from '../market/event.ts'
import { dec, str } from '../money/dec.ts'
import { compileSpec } from './compile.ts'
import { newAccount } from './state.ts'
import { stopOut } from './stop-out.ts'
import { newTurn } from './turn.ts'
import type { AccountSpec, JournalRecord } from './types.ts'
import { MarketView } from './view.ts'

const WEDNESDAY = Date.parse('2026-01-07T12:00:00Z')
type Held = [id: string, symbol: string, quantity: string, cost: string]
/** Leverage 10, stop-out at half of the used margin; A and B stand at 100 unless said otherwise. */
function account(
  balance: string,
  positions: Held[],
  more: Partial<AccountSpec> = {},
  quotes: Record<string, object> = {},
) {
  const plain: Partial<Instrument> = { price_tick: '0.01', quantity_step: '1' }
  const compiled = compileSpec(
    spec([], {
      leverage: '10',
      stop_out: '0.5',
      instruments: [instrument('A/USD', plain), instrument('B/USD', plain)],
      ...more,
    }),
  )
  const view = new MarketView()
  const tell = (tick: Record<string, unknown>) =>
    view.apply({ venue: 't', ts: 1, pos: 1, ...tick, mseq: view.mseq + 1, mts: WEDNESDAY } as unknown as MarketEvent)
  for (const symbol of ['A/USD', 'B/USD'])
    tell({ kind: 'quote', symbol, bid: '100', ask: '100', bid_size: '1000', ask_size: '1000', ...quotes[symbol] })
  const state = { ...newAccount('a'), status: 'started' as const }
  state.book.balance = dec(balance)
  state.book.positions = positions.map(([id, symbol, quantity, cost]) => ({
    id,
    symbol,
    quantity: dec(quantity),
    cost: dec(cost),
    openedAt: 0,
    openedDay: 0,
  }))
  const turn = newTurn(state, view, compiled)
  return {
    turn,
    tell,
    run: () => stopOut(turn),
    closed: () => turn.records.filter((r): r is Extract<JournalRecord, { kind: 'stop_out' }> => r.kind === 'stop_out'),
    left: () => turn.state.book.positions.map((p) => `${p.id} ${str(p.quantity)}`),
  }
}

test('nothing is closed at the level itself, the largest loss one minor unit below it', () => {
  // used 200, level 100; U is -300 and -100
  const positions: Held[] = [
    ['o1', 'A/USD', '10', '1300'],
    ['o2', 'B/USD', '10', '1100'],
  ]
  const at = account('500', positions)
  expect([at.run(), at.turn.records.length]).toEqual([false, 0])
  const below = account('499.99', positions)
  expect(below.run()).toBe(true)
  expect(below.closed()).toMatchObject([
    { position: 'o1', symbol: 'A/USD', equity: '99.99', used: '200', level: '0.5' },
  ])
  expect(below.turn.records.map((r) => r.kind)).toEqual(['stop_out', 'fill'])
  expect(below.turn.records[1]).toMatchObject({ order: 'stop_out', side: 'sell', quantity: '10', price: '100' })
  expect(below.left()).toEqual(['o2 10'])
})
test('it is tested again after each: the next largest loss follows while equity is still too low', () => {
  const both = account('440', [
    ['o1', 'A/USD', '-10', '-600'],
    ['o2', 'B/USD', '10', '1020'],
  ])
  expect(both.run()).toBe(true)
  expect(both.closed().map((r) => [r.position, r.equity, r.used])).toEqual([
    ['o1', '20', '200'],
    ['o2', '20', '100'],
  ])
  expect(both.left()).toEqual([])
})
test('equal losses go by symbol, then by id', () => {
  const bySymbol = account('99', [
    ['o1', 'B/USD', '10', '1000'],
    ['o2', 'A/USD', '10', '1000'],
  ])
  bySymbol.run()
  expect(bySymbol.closed()[0]!.position).toBe('o2')
  const byId = account(
    '99',
    [
      ['o3', 'A/USD', '20', '2000'],
      ['o2', 'A/USD', '20', '2000'],
    ],
    { position_mode: 'hedging' },
  )
  byId.run()
  expect(byId.closed()[0]!.position).toBe('o2')
})
test('losses compare in account currency', () => {
  const path = { conversions: { USD: [{ symbol: 'EUR/USD', direct: true }] } }
  const world = account(
    '100',
    [
      ['o1', 'A/USD', '10', '1010'],
      ['o2', 'B/EUR', '10', '1009'],
    ],
    { instruments: [instrument('A/USD'), instrument('B/EUR', path), instrument('EUR/USD')] },
  )
  world.tell({ kind: 'quote', symbol: 'B/EUR', bid: '100', ask: '100' })
  world.tell({ kind: 'quote', symbol: 'EUR/USD', bid: '1.2', ask: '1.2' })
  world.run()
  expect(world.closed()[0]!.position).toBe('o2')
})
test('a hedged ticket is closed alone', () => {
  const world = account(
    '40',
    [
      ['o1', 'A/USD', '10', '1000'],
      ['o2', 'A/USD', '-10', '-1000'],
    ],
    { position_mode: 'hedging' },
  )
  expect(world.run()).toBe(true)
  // used 100, level 50: the first closed leaves the other with the same margin
  expect(world.closed().map((r) => r.position)).toEqual(['o1', 'o2'])
  expect(world.left()).toEqual([])
})
test('nothing is closed while a symbol that values the account is unknown', () => {
  const world = account('99', [
    ['o1', 'A/USD', '10', '1000'],
    ['o2', 'B/USD', '10', '1000'],
  ])
  world.tell({ kind: 'symbol_state', symbol: 'B/USD', state: 'unknown' })
  expect([world.run(), world.turn.records.length]).toEqual([false, 0])
})
test('a closed market is passed over for the next largest loss', () => {
  const positions: Held[] = [
    ['o1', 'A/USD', '10', '1300'],
    ['o2', 'B/USD', '10', '1100'],
  ]
  const halted = account('499', positions)
  halted.tell({ kind: 'symbol_state', symbol: 'A/USD', state: 'halted' })
  halted.run()
  expect(halted.closed().map((r) => r.position)).toEqual(['o2'])
  const closed = account('499', positions, {
    calendars: [
      {
        name: 'c',
        version: 1,
        kind: 'sessions',
        zone: 'UTC',
        weekly: [{ from: { day: 1, time: '00:00' }, to: { day: 1, time: '01:00' } }],
        holidays: null,
      },
    ],
    instruments: [instrument('A/USD', { session_calendar: 'c' }), instrument('B/USD')],
  })
  closed.run()
  expect(closed.closed().map((r) => r.position)).toEqual(['o2'])
})
test('without depth nothing is filled and no record says so; what there is is taken and the rest stays', () => {
  const positions: Held[] = [['o1', 'A/USD', '100', '12000']]
  const none = account('2400', positions, {}, { 'A/USD': { bid_size: '0' } })
  expect([none.run(), none.turn.records.length, none.left()]).toEqual([false, 0, ['o1 100']])
  const some = account('2400', positions, {}, { 'A/USD': { bid_size: '30' } })
  expect(some.run()).toBe(true)
  expect(some.left()).toEqual(['o1 70'])
  expect(some.closed().length).toBe(1)
})
test('an account without a stop-out level, or that ended, is left alone', () => {
  const positions: Held[] = [['o1', 'A/USD', '10', '2000']]
  expect(account('1', positions, { stop_out: null }).run()).toBe(false)
  const ended = account('1', positions)
  ended.turn.state.status = 'failed'
  expect(ended.run()).toBe(false)
})
