import type { AccountSpec } from '../../domain/engine/types.ts'
import type { Instrument } from '../../domain/instruments/instrument.ts'
import { type Account, type Book, instrumentOf } from './account.ts'
import type { Newest } from './market.ts'
import { abs, div, max, min, mul, num, ONE, round } from './number.ts'

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

/** The symbols that an instrument's amounts need to become the account's currency. */
export const pathOf = (spec: AccountSpec, instrument: Instrument) =>
  instrument.quote === spec.currency ? [] : instrument.conversions[spec.currency]

/** A position's symbol is unknown when its own feed, or one on its conversion path, is lost. */
export function isUnknown(spec: AccountSpec, symbol: string, marks: Marks): boolean {
  const instrument = instrumentOf(spec, symbol)
  const legs = (pathOf(spec, instrument) ?? []).filter((leg) => !leg.peg)
  return [symbol, ...legs.map((leg) => leg.symbol)].some((s) => marks(s).state === 'unknown' || !marks(s).quote)
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

/** What a position would give if closed now at the touch, whatever its size. */
export function floating(spec: AccountSpec, book: Book, marks: Marks): bigint {
  let sum = 0n
  for (const { symbol, quantity, cost } of book.positions) {
    const instrument = instrumentOf(spec, symbol)
    const quote = marks(symbol).quote!
    const worth = mul(mul(quantity, num(instrument.contract_size)), quantity > 0n ? quote.bid : quote.ask)
    sum += convert(spec, instrument, worth - cost, marks)
  }
  return sum
}
export const equityOf = (spec: AccountSpec, book: Book, marks: Marks): bigint =>
  book.balance + floating(spec, book, marks)

const marginRate = (spec: AccountSpec, instrument: Instrument): bigint =>
  max(num(instrument.margin_rate), div(ONE, num(spec.leverage)))
function margin(spec: AccountSpec, instrument: Instrument, quantity: bigint, price: bigint, marks: Marks): bigint {
  const notional = mul(mul(abs(quantity), num(instrument.contract_size)), price)
  return -convert(spec, instrument, -mul(notional, marginRate(spec, instrument)), marks)
}
export function usedMargin(spec: AccountSpec, book: Book, marks: Marks): bigint {
  let sum = 0n
  for (const { symbol, quantity } of book.positions) {
    const quote = marks(symbol).quote!
    sum += margin(spec, instrumentOf(spec, symbol), quantity, quantity > 0n ? quote.bid : quote.ask, marks)
  }
  return sum
}
/** Working orders of one side use a position up by arrival; what each would add beyond it reserves at its own price. */
export function reservedMargin({ spec, book, orders }: Account, marks: Marks): bigint {
  let sum = 0n
  const against = new Map<string, bigint>()
  for (const { symbol, side, quantity, filled, price } of orders) {
    const held = book.positions.find((p) => p.symbol === symbol)?.quantity ?? 0n
    const left = against.get(`${symbol} ${side}`) ?? max(side === 'buy' ? -held : held, 0n)
    const closes = min(quantity - filled, left)
    against.set(`${symbol} ${side}`, left - closes)
    sum += margin(spec, instrumentOf(spec, symbol), quantity - filled - closes, price!, marks)
  }
  return sum
}
