import { expect, test } from 'bun:test'
import { orderOf } from '../../testing/request.ts'
import { instrument, spec } from '../../testing/world.ts'
import type { Instrument, SwapSchedule } from '../instruments/instrument.ts'
import type { MarketEvent } from '../market/event.ts'
import { dec, str } from '../money/dec.ts'
import { bookCarry, carryDeadline, settleSymbol, takeRate } from './carry.ts'
import { compileSpec } from './compile.ts'
import { type AccountState, newAccount, type Order } from './state.ts'
import { newTurn, type Turn } from './turn.ts'
import type { JournalRecord } from './types.ts'
import { MarketView } from './view.ts'

const at = (text: string) => Date.parse(text)
const iso = (ms: number | null) => ms && new Date(ms).toISOString().replace(':00.000Z', 'Z')
const NY: SwapSchedule = {
  zone: 'America/New_York',
  time: '17:00',
  unit: 'points',
  long: '-0.0002',
  short: '0.0001',
  triple: 3,
}
type Held = [symbol: string, quantity: string, cost: string]

/** An account that holds positions under quotes, without orders. */
function holding(
  positions: Held[],
  instruments: Instrument[],
  { hedging = false, currency = 'USD' }: { hedging?: boolean; currency?: string } = {},
) {
  const compiled = compileSpec(spec([], { instruments, currency, position_mode: hedging ? 'hedging' : 'netting' }))
  const view = new MarketView()
  const state: AccountState = { ...newAccount('a'), status: 'started' }
  state.book.balance = dec('100000')
  state.book.positions = positions.map(([symbol, quantity, cost], i) => ({
    id: `o${i}`,
    symbol,
    quantity: dec(quantity),
    cost: dec(cost),
    openedAt: 0,
    openedDay: 0,
  }))
  const tell = (tick: Record<string, unknown>): MarketEvent => {
    const event = { venue: 'test', ts: 1, pos: 1, ...tick, mseq: view.mseq + 1, mts: 1 } as unknown as MarketEvent
    view.apply(event)
    return event
  }
  return {
    state,
    compiled,
    view,
    tell,
    quote: (symbol: string, bid: string, ask: string) => tell({ kind: 'quote', symbol, bid, ask }),
    turnAt: (instant: string): Turn => ({ ...newTurn(state, view, compiled), at: at(instant) }),
    /** the instants due in (from, to], as the deadline loop would find them */
    due(from: string, to: string): string[] {
      const found: string[] = []
      for (let next = carryDeadline(state, compiled, { mts: at(from) }); next && next <= at(to); ) {
        found.push(iso(next) as string)
        next = carryDeadline(state, compiled, { mts: next })
      }
      return found
    },
  }
}
const carries = (turn: Turn) =>
  turn.records.filter((r): r is Extract<JournalRecord, { kind: 'carry' }> => r.kind === 'carry')
const booked = (turn: Turn) => carries(turn).map((r) => [r.what, r.position, r.booked.booked])
const fx = (more: Partial<Instrument> = {}) => instrument('EUR/USD', { price_tick: '0.00001', kind: 'fx', ...more })

test('swap keeps its local time across a clock change: 22:00 UTC before 8 March 2026, 21:00 after', () => {
  const world = holding([['EUR/USD', '100000', '110000']], [fx({ swap: NY })])
  expect(world.due('2026-03-06T00:00:00Z', '2026-03-10T00:00:00Z')).toEqual([
    '2026-03-06T22:00Z',
    '2026-03-07T22:00Z',
    '2026-03-08T21:00Z',
    '2026-03-09T21:00Z',
  ])
})
test('swap at a local time that does not exist comes at the next valid instant, at a doubled one on the first, once', () => {
  const swap = { ...NY, zone: 'Europe/Prague', time: '02:30' }
  const world = holding([['EUR/USD', '100000', '110000']], [fx({ swap })])
  expect(world.due('2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z')).toEqual(['2026-03-29T01:00Z', '2026-03-30T00:30Z'])
  expect(world.due('2026-10-24T12:00:00Z', '2026-10-26T12:00:00Z')).toEqual(['2026-10-25T00:30Z', '2026-10-26T01:30Z'])
})
test('an instant that was passed is not due again, and none is due while nothing is held', () => {
  const world = holding([['EUR/USD', '100000', '110000']], [fx({ swap: NY })])
  expect(world.due('2026-01-06T22:00:00Z', '2026-01-07T22:00:00Z')).toEqual(['2026-01-07T22:00Z'])
  world.state.book.positions = []
  expect(carryDeadline(world.state, world.compiled, { mts: 0 })).toBe(null)
})
test('swap in points: longs and shorts gain their own rate, the triple day books three', () => {
  const world = holding(
    [
      ['EUR/USD', '100000', '110000'],
      ['EUR/USD', '-50000', '-55000'],
    ],
    [fx({ swap: NY })],
    { hedging: true },
  )
  world.quote('EUR/USD', '1.10000', '1.10010')
  const tuesday = world.turnAt('2026-01-06T22:00:00Z')
  bookCarry(tuesday)
  expect(booked(tuesday)).toEqual([
    ['swap', 'o0', '-20'],
    ['swap', 'o1', '5'],
  ])
  const wednesday = world.turnAt('2026-01-07T22:00:00Z')
  bookCarry(wednesday)
  expect(booked(wednesday)).toEqual([
    ['swap', 'o0', '-60'],
    ['swap', 'o1', '15'],
  ])
  expect(str(wednesday.state.book.balance)).toBe('99955')
})
test('swap in bps is of the notional at the mark, contract size and mark-up in it', () => {
  const world = holding(
    [['EUR/USD', '2', '220000']],
    [fx({ contract_size: '100000', spread_markup_ticks: '100', swap: { ...NY, unit: 'bps', long: '-0.5' } })],
  )
  world.quote('EUR/USD', '1.10000', '1.10010')
  const turn = world.turnAt('2026-01-06T22:00:00Z')
  bookCarry(turn)
  // 200,000 x 1.099 x 0.5 / 10^4
  expect(carries(turn)[0]).toMatchObject({
    mark: '1.099',
    rate: '-0.5',
    rate_mseq: null,
    booked: { amount: '-10.99', booked: '-10.99' },
    postings: [
      { ledger: 'account:cash', amount: '-10.99' },
      { ledger: 'house:swap', amount: '10.99' },
    ],
  })
})
test('days leave out the nights that the triple one holds: seven nights a week in all', () => {
  const world = holding([['EUR/USD', '100000', '110000']], [fx({ swap: { ...NY, days: [1, 2, 3, 4, 5] } })])
  world.quote('EUR/USD', '1.10000', '1.10010')
  const nights = world.due('2026-01-05T00:00:00Z', '2026-01-12T00:00:00Z').map((instant) => {
    const turn = world.turnAt(instant)
    bookCarry(turn)
    return Number(carries(turn)[0]!.booked.booked) / -20
  })
  expect(nights).toEqual([1, 1, 3, 1, 1])
})
test('a swap rate told by the market counts from then on, one of zero books nothing', () => {
  const world = holding([['EUR/USD', '100000', '110000']], [fx({ swap: NY })])
  world.quote('EUR/USD', '1.10000', '1.10010')
  const told = world.tell({ kind: 'rate', symbol: 'EUR/USD', what: 'swap', long: '-0.0003', short: '0' })
  const turn = world.turnAt('2026-01-06T22:00:00Z')
  takeRate(turn, told as Extract<MarketEvent, { kind: 'rate' }>)
  expect(turn.records).toEqual([])
  bookCarry(turn)
  expect(carries(turn)[0]).toMatchObject({ rate: '-0.0003', rate_mseq: 2, booked: { booked: '-30' } })
  world.tell({ kind: 'rate', symbol: 'EUR/USD', what: 'swap', long: '0', short: '0' })
  const next = world.turnAt('2026-01-08T22:00:00Z')
  bookCarry(next)
  expect(next.records).toEqual([])
})
test('carry converts by its own sign at the worse side and is rounded once', () => {
  const world = holding(
    [
      ['EUR/JPY', '1000', '160000'],
      ['EUR/JPY', '-1000', '-160000'],
    ],
    [
      instrument('EUR/JPY', {
        conversions: { USD: [{ symbol: 'USD/JPY', direct: false }] },
        swap: { ...NY, long: '-0.5', short: '0.5' },
      }),
    ],
    { hedging: true },
  )
  world.quote('EUR/JPY', '160.00', '160.02')
  world.quote('USD/JPY', '150.00', '150.02')
  const turn = world.turnAt('2026-01-06T22:00:00Z')
  bookCarry(turn)
  // 500 / 150.02 = 3.33288..., -500 / 150.00 = -3.33333...
  expect(carries(turn).map((r) => [r.booked.amount, r.booked.rate, r.booked.booked])).toEqual([
    ['-500', '/150', '-3.33'],
    ['500', '/150.02', '3.33'],
  ])
})

const perp = (more: Partial<Instrument> = {}) =>
  instrument('BTC/USD:USD', { kind: 'perp', base: 'BTC', quote: 'USD', ...more })

test('funding instants count from 00:00 UTC, of an interval that does not divide the day too', () => {
  const every = (hours: number) =>
    holding([['BTC/USD:USD', '1', '1']], [perp({ funding: { every_hours: hours, rate: '0.0001' } })]).due(
      '2026-01-06T00:00:00Z',
      '2026-01-07T00:00:00Z',
    )
  expect(every(8)).toEqual(['2026-01-06T08:00Z', '2026-01-06T16:00Z', '2026-01-07T00:00Z'])
  expect(every(9)).toEqual(['2026-01-06T09:00Z', '2026-01-06T18:00Z', '2026-01-07T00:00Z'])
  expect(every(24)).toEqual(['2026-01-07T00:00Z'])
})
test.each([
  ['0.0001', '-10', '10.01'],
  ['-0.0001', '10', '-10.01'],
])('funding at %s: longs get %s at the bid, shorts %s at the ask', (rate, long, short) => {
  const world = holding(
    [
      ['BTC/USD:USD', '2', '100000'],
      ['BTC/USD:USD', '-2', '-100000'],
    ],
    [perp({ funding: { every_hours: 8, rate } })],
    { hedging: true },
  )
  world.quote('BTC/USD:USD', '50000', '50050')
  const turn = world.turnAt('2026-01-06T08:00:00Z')
  bookCarry(turn)
  expect(booked(turn)).toEqual([
    ['funding', 'o0', long],
    ['funding', 'o1', short],
  ])
  expect(carries(turn)[1]!.postings[1]!.ledger).toBe('house:funding')
})
test('with a schedule a funding rate waits for the next instant, without one it books at once', () => {
  const told = { kind: 'rate', symbol: 'BTC/USD:USD', what: 'funding', rate: '0.0003' }
  const scheduled = holding([['BTC/USD:USD', '1', '50000']], [perp({ funding: { every_hours: 8, rate: '0.0001' } })])
  scheduled.quote('BTC/USD:USD', '50000', '50010')
  const event = scheduled.tell(told) as Extract<MarketEvent, { kind: 'rate' }>
  const turn = scheduled.turnAt('2026-01-06T08:00:00Z')
  takeRate(turn, event)
  expect(turn.records).toEqual([])
  bookCarry(turn)
  expect(carries(turn)[0]).toMatchObject({ rate: '0.0003', rate_mseq: 2, booked: { booked: '-15' } })

  const free = holding([['BTC/USD:USD', '1', '50000']], [perp()])
  free.quote('BTC/USD:USD', '50000', '50010')
  const now = free.turnAt('2026-01-06T05:00:00Z')
  takeRate(now, free.tell(told) as Extract<MarketEvent, { kind: 'rate' }>)
  expect(booked(now)).toEqual([['funding', 'o0', '-15']])
})
test('while the mark is unknown the last accepted one counts', () => {
  const world = holding([['BTC/USD:USD', '1', '50000']], [perp({ funding: { every_hours: 8, rate: '0.001' } })])
  world.quote('BTC/USD:USD', '50000', '50010')
  world.tell({ kind: 'symbol_state', symbol: 'BTC/USD:USD', state: 'unknown' })
  const turn = world.turnAt('2026-01-06T08:00:00Z')
  bookCarry(turn)
  expect(booked(turn)).toEqual([['funding', 'o0', '-50']])
})
test('at one instant funding is booked before swap, symbols in order of their names', () => {
  const both = { funding: { every_hours: 8, rate: '0.0001' }, swap: { ...NY, zone: 'UTC', time: '08:00' } }
  const world = holding(
    [
      ['B/USD', '100', '5000'],
      ['A/USD', '100', '5000'],
    ],
    [instrument('A/USD', both), instrument('B/USD', both)],
  )
  world.quote('A/USD', '50', '50')
  world.quote('B/USD', '50', '50')
  const turn = world.turnAt('2026-01-06T08:00:00Z')
  bookCarry(turn)
  expect(carries(turn).map((r) => [r.what, r.symbol])).toEqual([
    ['funding', 'A/USD'],
    ['funding', 'B/USD'],
    ['swap', 'A/USD'],
    ['swap', 'B/USD'],
  ])
})
test('only what is due at the instant is booked', () => {
  const world = holding(
    [['EUR/USD', '100000', '110000']],
    [fx({ swap: NY, funding: { every_hours: 8, rate: '0.0001' } })],
  )
  world.quote('EUR/USD', '1.1', '1.1')
  const turn = world.turnAt('2026-01-06T16:00:00Z')
  bookCarry(turn)
  expect(carries(turn).map((r) => r.what)).toEqual(['funding'])
})

const outcome = () =>
  instrument('YES/USD', {
    kind: 'outcome',
    price_tick: '0.01',
    commission: { probability_rate: '0.07', bps: '10', per_lot: '1' },
  })
const order = (id: string, symbol: string): Order =>
  orderOf({ id, symbol, type: 'limit', price: '0.1', quantity: '10', filled: '3' })
test.each([
  ['1', '60', '-60'],
  ['0', '-40', '40'],
])('a prediction market that settles to %s gives longs %s and shorts %s, without a fee', (price, long, short) => {
  const world = holding(
    [
      ['YES/USD', '100', '40'],
      ['YES/USD', '-100', '-40'],
    ],
    [outcome(), instrument('TST/USD')],
    { hedging: true },
  )
  world.quote('YES/USD', '0.40', '0.41')
  world.state.orders = [order('o7', 'YES/USD'), order('o8', 'TST/USD')]
  const event = world.tell({ kind: 'symbol_state', symbol: 'YES/USD', state: 'settled', price })
  const turn = world.turnAt('2026-01-06T08:00:00Z')
  settleSymbol(turn, event as Extract<MarketEvent, { kind: 'symbol_state' }>)
  const fills = turn.records.filter((r): r is Extract<JournalRecord, { kind: 'fill' }> => r.kind === 'fill')
  expect(fills.map((r) => [r.order, r.side, r.price, r.result!.booked, r.fee, r.source.kind])).toEqual([
    ['settlement', 'sell', price, long, null, 'settlement'],
    ['settlement', 'buy', price, short, null, 'settlement'],
  ])
  expect(turn.state.book.positions).toEqual([])
  expect(turn.records.filter((r) => r.kind === 'order')).toMatchObject([
    { order: 'o7', status: 'cancelled', reason: 'settled', filled: '3' },
  ])
  expect(turn.state.orders.map((o) => o.id)).toEqual(['o8'])
  expect(world.view.symbol('YES/USD')!.settlement).toEqual({ price: dec(price), mseq: 2 })
})
test('positions of ended phases are settled too', () => {
  const world = holding([], [outcome()])
  world.quote('YES/USD', '0.40', '0.41')
  const position = { id: 'o1', symbol: 'YES/USD', quantity: dec('10'), cost: dec('4'), openedAt: 0, openedDay: 0 }
  world.state.closing = [{ phase: 0, balance: dec('99'), positions: [position], taken: [] }]
  const event = world.tell({ kind: 'symbol_state', symbol: 'YES/USD', state: 'settled', price: '1' })
  const turn = world.turnAt('2026-01-06T08:00:00Z')
  settleSymbol(turn, event as Extract<MarketEvent, { kind: 'symbol_state' }>)
  expect(turn.state.closing).toEqual([])
  expect(turn.records.map((r) => r.kind)).toEqual(['fill'])
})
test('a settlement without a price closes nothing', () => {
  const world = holding([['YES/USD', '100', '40']], [outcome()])
  world.quote('YES/USD', '0.40', '0.41')
  const event = world.tell({ kind: 'symbol_state', symbol: 'YES/USD', state: 'settled' })
  const turn = world.turnAt('2026-01-06T08:00:00Z')
  settleSymbol(turn, event as Extract<MarketEvent, { kind: 'symbol_state' }>)
  expect(turn.records).toEqual([])
  expect(turn.state.book.positions.length).toBe(1)
})
test('what a state refers to is copied before carry changes it', () => {
  const world = holding([['BTC/USD:USD', '1', '50000']], [perp({ funding: { every_hours: 8, rate: '0.001' } })])
  world.quote('BTC/USD:USD', '50000', '50010')
  bookCarry(world.turnAt('2026-01-06T08:00:00Z'))
  expect(str(world.state.book.balance)).toBe('100000')
})
