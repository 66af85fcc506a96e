/**
 * What holding a position costs or earns: swap at its schedule's local time, funding at its instants or when the market
 * tells a rate, and the settlement that ends it. Books only: the point is evaluated by who calls.
 */
import { DAY, MINUTE, weekDayOf } from '../calendars/local-time.ts'
import { booked, transfer } from '../ledger/book-fill.ts'
import type { MarketEvent } from '../market/event.ts'
import { abs, add, type Dec, dec, isZero, mul, neg, ofInt, sign, str, ZERO } from '../money/dec.ts'
import { instantOf, offsetAt } from '../time/zone.ts'
import type { Compiled, Funding, Market, Swap } from './compile.ts'
import { noteCarry } from './note-fill.ts'
import type { AccountState, Book, Position } from './state.ts'
import { fill, own, type Turn, write } from './turn.ts'
import { markOf, sizeOf } from './valuation.ts'
import type { SymbolView } from './view.ts'

type RateEvent = Extract<MarketEvent, { kind: 'rate' }>
type StateEvent = Extract<MarketEvent, { kind: 'symbol_state' }>

const TEN_THOUSANDTH = dec('0.0001')

/** First instant of a funding schedule after `at`: multiples of its hours from each 00:00 UTC. */
function nextFunding({ everyMs }: Funding, at: number): number {
  const midnight = Math.floor(at / DAY) * DAY
  return Math.min(midnight + (Math.floor((at - midnight) / everyMs) + 1) * everyMs, midnight + DAY)
}
/** First instant of a swap schedule after `at`, and the local week day that it belongs to. */
function nextSwap({ zone, minutes, days }: Swap, at: number): { at: number; weekDay: number } {
  const local = at + offsetAt(zone, at)
  for (let day = Math.floor(local / DAY) * DAY - DAY; ; day += DAY) {
    const weekDay = weekDayOf(day)
    if (days !== null && !days.includes(weekDay)) continue
    const instant = instantOf(zone, day + minutes * MINUTE)
    if (instant > at) return { at: instant, weekDay }
  }
}

/** The first instant after `after.mts` at which swap or funding of a held position is due; null: none is. */
export function carryDeadline(state: AccountState, compiled: Compiled, after: { mts: number }): number | null {
  let first: number | null = null
  const take = (at: number): void => {
    if (first === null || at < first) first = at
  }
  for (const symbol of new Set(state.book.positions.map((p) => p.symbol))) {
    const { swap, funding } = compiled.markets.get(symbol)!
    if (funding) take(nextFunding(funding, after.mts))
    if (swap) take(nextSwap(swap, after.mts).at)
  }
  return first
}

/** Positions that carry, by symbol; those of one symbol in the order of the book. */
const bySymbol = (positions: readonly Position[]): Position[] =>
  [...positions].sort((a, b) => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0))

/** Books what is due at `turn.at`: funding of all positions, then swap of all. */
export function bookCarry(turn: Turn): void {
  const due = bySymbol(turn.state.book.positions).map((p) => turn.compiled.markets.get(p.symbol)!)
  for (const market of new Set(due)) {
    if (market.funding && nextFunding(market.funding, turn.at - 1) === turn.at) bookFunding(turn, market)
  }
  for (const market of new Set(due)) {
    const next = market.swap && nextSwap(market.swap, turn.at - 1)
    if (next?.at === turn.at) bookSwap(turn, market, next.weekDay)
  }
}

/** A rate told by the market: booked at once where the instrument has no funding schedule. */
export function takeRate(turn: Turn, event: RateEvent): void {
  const market = turn.compiled.markets.get(event.symbol)
  if (event.what === 'funding' && event.rate !== undefined && market && market.funding === null)
    bookFunding(turn, market)
}

const ratesOf = (turn: Turn, market: Market): SymbolView => turn.view.symbol(market.symbol)!

/** Longs pay notional x rate to shorts; a negative rate the other way round. */
function bookFunding(turn: Turn, market: Market): void {
  const told = ratesOf(turn, market).fundingRate
  const rate = told?.rate ?? dec(market.funding!.rate)
  book(turn, market, 'funding', ({ quantity }, mark) => ({
    amount: neg(mul(mul(sizeOf(quantity, market), mark), rate)),
    rate: str(rate),
    rate_mseq: told?.mseq ?? null,
  }))
}

/** What a night gains each side, in points of the price or bps of the notional; the triple day books three. */
function bookSwap(turn: Turn, market: Market, weekDay: number): void {
  const swap = market.swap!
  const told = ratesOf(turn, market).swapRates
  const nights = ofInt(weekDay === swap.triple ? 3 : 1)
  book(turn, market, 'swap', ({ quantity }, mark) => {
    const rate = sign(quantity) > 0 ? (told?.long ?? dec(swap.long)) : (told?.short ?? dec(swap.short))
    const unit = swap.unit === 'points' ? rate : mul(mul(mark, rate), TEN_THOUSANDTH)
    return {
      amount: mul(mul(sizeOf(abs(quantity), market), unit), nights),
      rate: str(rate),
      rate_mseq: told?.mseq ?? null,
    }
  })
}

interface Carried {
  /** quote currency, signed for the trader */
  amount: Dec
  rate: string
  rate_mseq: number | null
}
/** Books a carry on each position of a symbol at the mark that values it; nothing is written where nothing is owed. */
function book(
  turn: Turn,
  market: Market,
  what: 'swap' | 'funding',
  carried: (position: Position, mark: Dec) => Carried,
): void {
  const quote = turn.quoteOf(market.symbol)
  if (!quote || !turn.state.book.positions.some((p) => p.symbol === market.symbol)) return
  const { state, compiled } = { state: own(turn), compiled: turn.compiled }
  for (const position of state.book.positions.filter((p) => p.symbol === market.symbol)) {
    const mark = markOf(position.quantity, market, quote)
    const { amount, ...rate } = carried(position, mark)
    if (isZero(amount)) continue
    const { doc, value } = booked(amount, market, compiled.scale, turn.quoteOf)
    state.book.balance = add(state.book.balance, value)
    noteCarry(turn, position, value)
    write(turn, {
      kind: 'carry',
      phase: state.phase,
      what,
      position: position.id,
      symbol: market.symbol,
      quantity: str(position.quantity),
      mark: str(mark),
      ...rate,
      booked: doc,
      postings: transfer(value, what),
    })
  }
}

/**
 * A market settled at a price: positions are closed at it without a fee, those of ended phases too, and working orders
 * of the symbol are cancelled. Without a price nothing more trades.
 */
export function settleSymbol(turn: Turn, event: StateEvent): void {
  const market = turn.compiled.markets.get(event.symbol)
  if (event.state !== 'settled' || event.price === undefined || !market) return
  const state = own(turn)
  const price = dec(event.price)
  const free: Market = { ...market, makerBps: ZERO, takerBps: ZERO, perLot: ZERO, probabilityRate: ZERO }
  for (const held of [state.book, ...state.closing]) settleBook(turn, held, free, event, price)
  state.closing = state.closing.filter((b) => b.positions.length > 0)
  for (const order of state.orders.filter((o) => o.symbol === event.symbol)) {
    write(turn, {
      kind: 'order',
      phase: state.phase,
      order: order.id,
      status: 'cancelled',
      filled: str(order.filled),
      reason: 'settled',
    })
  }
  state.orders = state.orders.filter((o) => o.symbol !== event.symbol)
}

function settleBook(turn: Turn, held: Book, market: Market, event: StateEvent, price: Dec): void {
  for (const position of held.positions.filter((p) => p.symbol === market.symbol)) {
    const quantity = abs(position.quantity)
    fill(turn, held, market, {
      order: 'settlement',
      side: sign(position.quantity) > 0 ? 'sell' : 'buy',
      quantity,
      price,
      liquidity: 'taker',
      source: {
        kind: 'settlement',
        venue: event.venue,
        mseq: event.mseq,
        price: str(price),
        size: str(quantity),
        ts: event.ts,
      },
      position: position.id,
    })
  }
}
