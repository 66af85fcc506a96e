import type { Instrument } from '../../domain/instruments/instrument.ts'
import { type Account, type Book, type Decision, instrumentOf, type Order, positionOf, type Taken } from './account.ts'
import type { OracleMarket } from './market.ts'
import { abs, bpsOf, ceilTo, div, floorTo, min, mul, num, text } from './number.ts'
import { booked } from './value.ts'

/** What is left to this book of the levels that a taker of this side meets. */
export function depth(account: Account, book: Book, order: Pick<Order, 'symbol' | 'side'>, market: OracleMarket) {
  const clip = num(instrumentOf(account.spec, order.symbol).clip)
  return market.book(order.symbol, order.side).map(([price, size]) => {
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
  book.taken = book.taken.filter((t) =>
    depth(account, book, t, market).some(({ price, size }) => price === t.price && size === t.size),
  )
}

/** Market, crossing limit, close: opposite levels best first, then one slippage step beyond them. */
export function fillMarketable(account: Account, book: Book, order: Order, market: OracleMarket): Decision[] {
  const fills: Decision[] = []
  if (market.of(order.symbol).state !== 'open') return fills
  const instrument = instrumentOf(account.spec, order.symbol)
  const reaches = (price: bigint) =>
    order.price === null || (order.side === 'buy' ? price <= order.price : price >= order.price)
  const levels = depth(account, book, order, market)
  let visible = 0n
  for (const level of levels) visible += level.left
  for (const { price, size, left } of levels) {
    const quantity = min(order.quantity - order.filled, left)
    if (quantity <= 0n || !reaches(price)) continue
    take(book, { symbol: order.symbol, side: order.side, price, size, quantity })
    fills.push(bookFill(account, book, order, { price, quantity, liquidity: 'taker' }, market))
  }
  const rest = order.quantity - order.filled
  const slippage = num(instrument.slippage_bps)
  if (rest === 0n || visible === 0n || slippage === 0n) return fills
  const last = levels.at(-1)!.price
  if (!reaches(last)) return fills
  const most = floorTo(div(mul(visible, num(instrument.cap_bps)), slippage), num(instrument.quantity_step))
  const quantity = min(rest, most)
  const step = num(instrument.price_tick)
  // last x (1 +/- slippage / 10,000 x quantity / visible) in one fraction, so that a price on the tick stays on it
  const whole = 10_000n * visible
  const moved = last * (order.side === 'buy' ? whole + mul(slippage, quantity) : whole - mul(slippage, quantity))
  const price = order.side === 'buy' ? ceilTo(moved, whole * step) / whole : floorTo(moved, whole * step) / whole
  if (quantity <= 0n || !reaches(price)) return fills
  fills.push(bookFill(account, book, order, { price, quantity, liquidity: 'taker' }, market))
  return fills
}

/** A working limit is the maker: by the book at its price or better, or by a print beyond its price; the larger of both. */
export function fillResting(
  account: Account,
  order: Order,
  print: { symbol: string; price: bigint; left: bigint } | null,
  market: OracleMarket,
): Decision[] {
  const { book } = account
  const limit = order.price!
  const crossed = depth(account, book, order, market).filter(({ price }) =>
    order.side === 'buy' ? price <= limit : price >= limit,
  )
  let byBook = 0n
  for (const { left } of crossed) byBook += left
  const through =
    print !== null &&
    print.symbol === order.symbol &&
    (order.side === 'buy' ? print.price < limit : print.price > limit)
  const byPrint = through ? print.left : 0n
  const quantity = min(order.quantity - order.filled, byBook > byPrint ? byBook : byPrint)
  if (quantity <= 0n) return []
  if (byBook >= byPrint) {
    let rest = quantity
    for (const { price, size, left } of crossed) {
      const part = min(rest, left)
      if (part > 0n) take(book, { symbol: order.symbol, side: order.side, price, size, quantity: part })
      rest -= part
    }
  } else print!.left -= quantity
  return [bookFill(account, book, order, { price: limit, quantity, liquidity: 'maker' }, market)]
}

function feeOf(instrument: Instrument, quantity: bigint, notional: bigint, liquidity: 'maker' | 'taker'): bigint {
  const { bps, maker_bps, taker_bps, per_lot } = instrument.commission
  const rate = (liquidity === 'maker' ? maker_bps : taker_bps) ?? bps ?? '0'
  return bpsOf(notional, num(rate)) + mul(num(per_lot ?? '0'), quantity)
}
/** Netting: a reduction releases cost pro rata, the last one all of it; a reversal is close and open in one fill. */
function bookFill(
  account: Account,
  book: Book,
  order: Order,
  { price, quantity, liquidity }: { price: bigint; quantity: bigint; liquidity: 'maker' | 'taker' },
  market: OracleMarket,
): Decision {
  const { spec, day } = account
  const marks = (symbol: string) => market.of(symbol)
  const instrument = instrumentOf(spec, order.symbol)
  const sign = order.side === 'buy' ? 1n : -1n
  const worth = (units: bigint) => mul(mul(units, num(instrument.contract_size)), price)
  const held = positionOf(book, order.symbol) ?? { symbol: order.symbol, quantity: 0n, cost: 0n, openedDay: day.k }
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
    if (held.quantity === 0n) held.openedDay = day.k
    held.cost += sign * worth(opens)
    held.quantity += sign * opens
    day.opened = true
  }
  book.positions = book.positions.filter((p) => p.symbol !== order.symbol)
  if (held.quantity !== 0n) book.positions.push(held)
  order.filled += quantity
  const fee = -feeOf(instrument, quantity, worth(quantity), liquidity)
  const bookedResult = booked(spec, instrument, result, marks)
  const bookedFee = booked(spec, instrument, fee, marks)
  book.balance += bookedResult + bookedFee
  return {
    kind: 'fill',
    phase: book.phase,
    symbol: order.symbol,
    side: order.side,
    quantity: text(quantity),
    price: text(price),
    liquidity,
    result: text(bookedResult),
    fee: text(bookedFee),
    position: text(held.quantity),
    cost: text(held.cost),
    order: order.id,
  }
}
