import type { Instrument } from '../../domain/instruments/instrument.ts'
import {
  type Account,
  type Book,
  type Desk,
  heldIn,
  instrumentOf,
  isHedging,
  type Order,
  type Position,
  type Taken,
} from './account.ts'
import type { OracleMarket } from './market.ts'
import { abs, bpsOf, ceilTo, div, floorTo, max, min, mul, num, ONE, text } from './number.ts'
import { noteFill } from './trades.ts'
import { booked, isOpen, marksOf, markupOf } from './value.ts'

export interface Print {
  symbol: string
  price: bigint
  size: bigint
  /** what no order of this account has been filled with yet */
  left: bigint
}
type Taker = Pick<Order, 'symbol' | 'side'>

/** What is left to this book of the levels that a taker of this side meets, at this account's prices. */
export function depth(account: Account, book: Book, order: Taker, market: OracleMarket) {
  const instrument = instrumentOf(account.spec, order.symbol)
  const clip = num(instrument.clip)
  const markup = order.side === 'buy' ? markupOf(instrument) : -markupOf(instrument)
  return market.book(order.symbol, order.side).map(([raw, size]) => {
    const price = raw + markup
    const taken = book.taken.find((t) => t.symbol === order.symbol && t.side === order.side && t.price === price)
    return { price, size, left: (size ?? clip) - (taken?.quantity ?? 0n) }
  })
}
function take(book: Book, taken: Taken): void {
  const before = book.taken.find((t) => t.symbol === taken.symbol && t.side === taken.side && t.price === taken.price)
  if (before) before.quantity += taken.quantity
  else book.taken.push({ ...taken })
}
/** An event that changes a level's size or removes it drops what was taken of it. */
export function forgetTaken(account: Account, book: Book, market: OracleMarket): void {
  if (book.taken.length === 0) return
  book.taken = book.taken.filter((t) =>
    depth(account, book, t, market).some(({ price, size }) => price === t.price && size === t.size),
  )
}

/** What a reducing order can still reduce. */
export function reducible(
  account: Account,
  book: Book,
  { symbol, side, ticket }: Pick<Order, 'symbol' | 'side' | 'ticket'>,
): bigint {
  const held = ticket === null ? heldIn(book, symbol) : (book.positions.find((p) => p.id === ticket)?.quantity ?? 0n)
  if (ticket === null && isHedging(account)) return 0n
  return max(side === 'buy' ? -held : held, 0n)
}
function restOf(account: Account, book: Book, order: Order): bigint {
  const rest = order.quantity - order.filled
  return order.reduceOnly || order.ticket !== null ? min(rest, reducible(account, book, order)) : rest
}
const reaches = ({ side, price }: Pick<Order, 'side' | 'price'>, at: bigint): boolean =>
  price === null || (side === 'buy' ? at <= price : at >= price)

/** Market, crossing limit, triggered stop, close: opposite levels best first, then one slippage step beyond them. */
export function fillMarketable(desk: Desk, book: Book, order: Order): bigint {
  const { account, market } = desk
  if (!isOpen(desk, order.symbol)) return 0n
  const instrument = instrumentOf(account.spec, order.symbol)
  const before = order.filled
  const wanted = restOf(account, book, order)
  const end = before + wanted
  const levels = depth(account, book, order, market)
  let visible = 0n
  let reachable = 0n
  for (const level of levels) {
    visible += level.left
    if (reaches(order, level.price)) reachable += level.left
  }
  if (order.tif === 'fok' && min(reachable, wanted) < order.quantity) return 0n
  for (const { price, size, left } of levels) {
    const quantity = min(end - order.filled, left)
    if (quantity <= 0n || !reaches(order, price)) continue
    take(book, { symbol: order.symbol, side: order.side, price, size, quantity })
    bookFill(desk, book, order, { price, quantity, liquidity: 'taker' })
  }
  const rest = end - order.filled
  const slippage = num(instrument.slippage_bps)
  if (rest > 0n && visible > 0n && slippage > 0n && reaches(order, levels.at(-1)!.price)) {
    const most = floorTo(div(mul(visible, num(instrument.cap_bps)), slippage), num(instrument.quantity_step))
    const quantity = min(rest, most)
    const price = slipped(instrument, order, levels.at(-1)!.price, quantity, visible)
    const isPrice = price > 0n && (instrument.kind !== 'outcome' || price <= ONE)
    if (quantity > 0n && isPrice && reaches(order, price))
      bookFill(desk, book, order, { price, quantity, liquidity: 'taker' })
  }
  return order.filled - before
}
/** last x (1 +/- slippage / 10,000 x quantity / visible) in one fraction, so that a price on the tick stays on it. */
function slipped(instrument: Instrument, { side }: Taker, last: bigint, quantity: bigint, visible: bigint): bigint {
  const slippage = num(instrument.slippage_bps)
  const step = num(instrument.price_tick)
  const whole = 10_000n * visible
  const moved = last * (side === 'buy' ? whole + mul(slippage, quantity) : whole - mul(slippage, quantity))
  return side === 'buy' ? ceilTo(moved, whole * step) / whole : floorTo(moved, whole * step) / whole
}

/** A working limit is the maker: by the book at its price or better, or by a print beyond its price; the larger of both. */
export function fillResting(desk: Desk, order: Order, print: Print | null): bigint {
  const { account, market } = desk
  const { book } = account
  const limit = order.price!
  const crossed = depth(account, book, order, market).filter(({ price }) => reaches(order, price))
  let byBook = 0n
  for (const { left } of crossed) byBook += left
  const most = restOf(account, book, order)
  byBook = min(most, byBook)
  const byPrint = min(most, printedFor(order, print))
  const quantity = max(byBook, byPrint)
  if (quantity <= 0n) return 0n
  if (byBook >= byPrint) {
    let rest = quantity
    for (const { price, size, left } of crossed) {
      const part = min(rest, left)
      if (part > 0n) take(book, { symbol: order.symbol, side: order.side, price, size, quantity: part })
      rest -= part
    }
  } else print!.left -= quantity
  bookFill(desk, book, order, { price: limit, quantity, liquidity: 'maker' })
  return quantity
}
/** A print beyond the price gives its size; one at the price what it leaves after the size ahead. */
function printedFor(order: Order, print: Print | null): bigint {
  const limit = order.price!
  if (print === null || print.symbol !== order.symbol) return 0n
  if (order.side === 'buy' ? print.price < limit : print.price > limit) return print.left
  if (print.price !== limit || order.ahead === null) return 0n
  return max(print.left - order.ahead, 0n)
}
/** Queue model: a print at its price goes to the size ahead of an order; less of it may be displayed then. */
export function moveUp(desk: Desk, order: Order, print: Print | null): void {
  if (order.ahead === null) return
  if (print?.price === order.price) order.ahead = max(order.ahead - print!.size, 0n)
  const shown = displayed(desk, order)
  if (shown !== null) order.ahead = min(order.ahead, shown)
}
/** The size displayed on an order's own side at exactly its price; null where its price is not displayed. */
export function displayed({ account, market }: Desk, order: Order): bigint | null {
  const instrument = instrumentOf(account.spec, order.symbol)
  const side = order.side === 'buy' ? 'sell' : 'buy'
  const markup = side === 'buy' ? markupOf(instrument) : -markupOf(instrument)
  const level = market.book(order.symbol, side).find(([price]) => price + markup === order.price)
  return level ? (level[1] ?? num(instrument.clip)) : null
}

function feeOf(
  { commission }: Instrument,
  quantity: bigint,
  price: bigint,
  notional: bigint,
  liquidity: 'maker' | 'taker',
): bigint {
  const { bps, maker_bps, taker_bps, per_lot, probability_rate } = commission
  const rate = (liquidity === 'maker' ? maker_bps : taker_bps) ?? bps ?? '0'
  const fee = bpsOf(notional, num(rate)) + mul(num(per_lot ?? '0'), quantity)
  if (!probability_rate || liquidity === 'maker') return fee
  return fee + mul(mul(mul(quantity, num(probability_rate)), price), ONE - price)
}
interface Executed {
  price: bigint
  quantity: bigint
  liquidity: 'maker' | 'taker'
  free?: boolean
}
/** A reduction releases cost pro rata, the last one all of it; a reversal is close and open in one fill. */
export function bookFill(desk: Desk, book: Book, order: Order, { price, quantity, liquidity, free }: Executed): void {
  const { account, at } = desk
  const { spec, day } = account
  const marks = marksOf(desk)
  const instrument = instrumentOf(spec, order.symbol)
  const sign = order.side === 'buy' ? 1n : -1n
  const worth = (units: bigint) => mul(mul(units, num(instrument.contract_size)), price)
  const fresh: Position = { id: order.id, symbol: order.symbol, quantity: 0n, cost: 0n, openedAt: at, openedDay: day.k }
  const held = positionFor(account, book, order) ?? fresh
  const before = { ...held }
  const closes = held.quantity * sign < 0n ? min(abs(held.quantity), quantity) : 0n
  const opens = quantity - closes
  let result = 0n
  if (closes > 0n) {
    const all = closes === abs(held.quantity)
    const released = all ? held.cost : div(mul(held.cost, closes), abs(held.quantity))
    result = -sign * worth(closes) - released
    held.cost -= released
    held.quantity += sign * closes
    if (held.openedDay === day.k && book === account.book) day.openedAndClosed = true
  }
  if (opens > 0n) {
    if (held.quantity === 0n) Object.assign(held, { id: order.id, openedAt: at, openedDay: day.k })
    held.cost += sign * worth(opens)
    held.quantity += sign * opens
    if (book === account.book) day.opened = true
  }
  if (held === fresh) book.positions.push(held)
  book.positions = book.positions.filter((p) => p.quantity !== 0n)
  order.filled += quantity
  const fee = free ? 0n : -feeOf(instrument, quantity, price, worth(quantity), liquidity)
  const bookedResult = booked(spec, instrument, result, marks)
  const bookedFee = booked(spec, instrument, fee, marks)
  book.balance += bookedResult + bookedFee
  desk.said.push({
    kind: 'fill',
    phase: book.phase,
    symbol: order.symbol,
    side: order.side,
    quantity: text(quantity),
    price: text(price),
    liquidity,
    result: text(bookedResult),
    fee: text(bookedFee),
    id: held.id,
    position: text(held.quantity),
    cost: text(held.cost),
    order: order.id,
  })
  if (book === account.book) {
    noteFill(desk, { order, before, after: held, closes, opens, result: bookedResult, fee: bookedFee })
  }
}
function positionFor(account: Account, book: Book, { id, symbol, ticket }: Order): Position | undefined {
  if (ticket !== null) return book.positions.find((p) => p.id === ticket)
  return book.positions.find((p) => p.symbol === symbol && (!isHedging(account) || p.id === id))
}
