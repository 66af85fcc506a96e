import type { AccountSpec } from '../../domain/engine/types.ts'
import type { Instrument } from '../../domain/instruments/instrument.ts'
import { type Account, type Book, type Desk, heldIn, instrumentOf, isHedging, type Order } from './account.ts'
import { inSession } from './clocks.ts'
import type { Newest } from './market.ts'
import { abs, div, max, min, mul, num, ONE, percentOf, round } from './number.ts'

/** Ledger scale of each currency (trading.md, "Currency"). */
const SCALES: Record<string, number> = {
  USD: 2,
  EUR: 2,
  GBP: 2,
  CHF: 2,
  AUD: 2,
  CAD: 2,
  JPY: 0,
  BTC: 8,
  ETH: 8,
  USDT: 8,
  USDC: 8,
}
export type Marks = (symbol: string) => Newest
export const marksOf =
  (desk: Desk): Marks =>
  (symbol) =>
    desk.market.of(symbol)

/** The symbols that an instrument's amounts need to become the account's currency. */
export const pathOf = (spec: AccountSpec, instrument: Instrument) =>
  instrument.quote === spec.currency ? [] : instrument.conversions[spec.currency]
const legsOf = (spec: AccountSpec, instrument: Instrument): string[] =>
  (pathOf(spec, instrument) ?? []).filter((leg) => !leg.peg).map((leg) => leg.symbol)

/** A position's symbol is unknown when its own feed, or one on its conversion path, is lost. */
export function isUnknown(spec: AccountSpec, symbol: string, marks: Marks): boolean {
  const legs = legsOf(spec, instrumentOf(spec, symbol))
  return [symbol, ...legs].some((s) => marks(s).state === 'unknown' || !marks(s).quote)
}
/** The log's word, and closed outside the sessions of the instrument's calendar. */
export function isOpen({ account, market, at }: Desk, symbol: string): boolean {
  return market.of(symbol).state === 'open' && inSession(account.spec, instrumentOf(account.spec, symbol), at)
}
/** Why nothing that adds risk can be traded now: of the symbol itself, then of each symbol that converts for it. */
export function blockedBy({ account, market, at }: Desk, instrument: Instrument): string | null {
  const { spec } = account
  for (const symbol of [instrument.symbol, ...legsOf(spec, instrument)]) {
    const { state, quote, heardAt } = market.of(symbol)
    const isOwn = symbol === instrument.symbol
    const limit = isOwn ? instrument.stale_limit_ms : null
    if (isOwn && !inSession(spec, instrument, at)) return 'market_closed'
    if (state === 'halted') return 'market_halted'
    if (state === 'closed' || state === 'settled') return 'market_closed'
    if (state === 'unknown' || !quote || (limit !== null && market.mts - heardAt > limit)) return 'market_stale'
  }
  return null
}

/** By its own sign, at the worse side for the trader. */
export function convert(spec: AccountSpec, instrument: Instrument, amount: bigint, marks: Marks): bigint {
  const credit = amount > 0n
  let value = amount
  for (const leg of pathOf(spec, instrument)!) {
    if (leg.peg) continue
    const quote = marks(leg.symbol).quote!
    if (leg.direct) value = mul(value, credit ? quote.bid : quote.ask)
    else value = div(value, credit ? quote.ask : quote.bid)
  }
  return value
}
export const booked = (spec: AccountSpec, instrument: Instrument, amount: bigint, marks: Marks): bigint =>
  round(convert(spec, instrument, amount, marks), SCALES[spec.currency]!)

export const markupOf = (instrument: Instrument): bigint =>
  mul(num(instrument.spread_markup_ticks), num(instrument.price_tick))
/** The touch as this account is shown it. */
export function touchOf(instrument: Instrument, marks: Marks): { bid: bigint; ask: bigint } {
  const { bid, ask } = marks(instrument.symbol).quote!
  const markup = markupOf(instrument)
  return { bid: bid - markup, ask: ask + markup }
}
export function markOf(instrument: Instrument, quantity: bigint, marks: Marks): bigint {
  const { bid, ask } = touchOf(instrument, marks)
  return quantity > 0n ? bid : ask
}
/** What one position would give if closed now at the touch, whatever its size. */
export function floatingOf(
  spec: AccountSpec,
  p: { symbol: string; quantity: bigint; cost: bigint },
  marks: Marks,
): bigint {
  const instrument = instrumentOf(spec, p.symbol)
  const worth = mul(mul(p.quantity, num(instrument.contract_size)), markOf(instrument, p.quantity, marks))
  return convert(spec, instrument, worth - p.cost, marks)
}
export function equityOf(spec: AccountSpec, book: Book, marks: Marks): bigint {
  let sum = book.balance
  for (const position of book.positions) sum += floatingOf(spec, position, marks)
  return sum
}

// ---- margin --------------------------------------------------------------------------------------------------------
/** Outcome contracts are fully paid: p x q long, (1 - p) x q short; leverage does not apply. */
function margin(spec: AccountSpec, instrument: Instrument, quantity: bigint, price: bigint, marks: Marks): bigint {
  const units = mul(abs(quantity), num(instrument.contract_size))
  const isOutcome = instrument.kind === 'outcome'
  const paid = isOutcome && quantity < 0n ? ONE - price : price
  const notional = -convert(spec, instrument, -mul(units, paid), marks)
  if (isOutcome) return notional
  const rate = num(instrument.margin_rate)
  const leverage = num(spec.leverage)
  return mul(rate, leverage) >= ONE ? mul(notional, rate) : div(notional, leverage)
}
export function usedMargin({ spec }: Account, book: Book, marks: Marks): bigint {
  let sum = 0n
  for (const symbol of new Set(book.positions.map((p) => p.symbol))) {
    const instrument = instrumentOf(spec, symbol)
    let [long, short] = [0n, 0n]
    for (const { quantity } of book.positions.filter((p) => p.symbol === symbol)) {
      if (quantity > 0n) long += quantity
      else short += quantity
    }
    const side = (held: bigint) =>
      held === 0n ? 0n : margin(spec, instrument, held, markOf(instrument, held, marks), marks)
    sum += max(side(long), side(short))
  }
  return sum
}
/** What an order's margin is worked out at. */
export function ownPrice(desk: Desk, order: Order): bigint {
  if (order.price !== null) return order.price
  const stop = stopOf(order)
  if (stop !== null) return stop
  if (order.activation !== null) return order.activation
  const { bid, ask } = touchOf(instrumentOf(desk.account.spec, order.symbol), marksOf(desk))
  return order.side === 'buy' ? ask : bid
}
/** Where a stop triggers now. */
export function stopOf({ type, side, stop, trail, best }: Order): bigint | null {
  if (type !== 'trailing_stop' || !trail) return stop
  if (best === null) return null
  const distance = trail.offset ?? percentOf(best, trail.pct!)
  return side === 'buy' ? best + distance : best - distance
}
/**
 * Working orders of one side use a position up by arrival; what each would add beyond it reserves at its own price. Of
 * a pair only one leg can ever fill: the larger reserves.
 */
export function reservedMargin(desk: Desk): bigint {
  const { spec, book, orders } = desk.account
  const marks = marksOf(desk)
  let sum = 0n
  const against = new Map<string, bigint>()
  const pairs = new Map<string, bigint>()
  const shared = new Map<string, bigint>()
  for (const order of orders) {
    const { symbol, side, quantity, filled } = order
    if (order.reduceOnly || order.ticket !== null) continue
    const held = isHedging(desk.account) ? 0n : heldIn(book, symbol)
    const key = `${symbol} ${side}`
    const isSecond = order.partner !== null && pairs.has(order.id.replace(/\.stop$/, ''))
    const left = (isSecond ? shared.get(order.partner!) : against.get(key)) ?? max(side === 'buy' ? -held : held, 0n)
    const closes = min(quantity - filled, left)
    if (order.partner !== null) shared.set(order.id, left)
    if (!isSecond) against.set(key, left - closes)
    const adds = quantity - filled - closes
    const asked = margin(spec, instrumentOf(spec, symbol), side === 'buy' ? adds : -adds, ownPrice(desk, order), marks)
    if (order.partner === null) sum += asked
    else {
      const pair = order.id.replace(/\.stop$/, '')
      pairs.set(pair, max(pairs.get(pair) ?? 0n, asked))
    }
  }
  for (const asked of pairs.values()) sum += asked
  return sum
}
