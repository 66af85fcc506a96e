/**
 * A box: per symbol and side of the quote the interval in which it may move while nothing about an account can change.
 * One invariant makes it safe, checked in exact numbers: the highest floor that can come to be inside the box is not
 * above the equity with every leg at its worst (strictly below it under `lte`), and where a ceiling counts the equity
 * with every leg at its best is not beyond that. Floats only choose the widths.
 */
import type { Compiled } from '@assay/core/domain/engine/compile'
import type { Book } from '@assay/core/domain/engine/state'
import type { Leg, Triggers } from '@assay/core/domain/engine/triggers'
import { equityOf } from '@assay/core/domain/engine/valuation'
import type { BookLevel, Quote } from '@assay/core/domain/engine/view'
import type { QuoteOf } from '@assay/core/domain/instruments/convert'
import { type Dec, dec, gt, gte, lt, lte, str, toNumber } from '@assay/core/domain/money/dec'

export interface Interval {
  lo: number
  hi: number
}
/** Where one symbol's quote may move. */
export interface Band {
  symbol: string
  bid: Interval
  ask: Interval
}
export interface Box {
  bands: Band[]
  emin: Dec
  /** null: no ceiling counts, the best side is open */
  emax: Dec | null
}

/** Decimals of at most 15 significant digits and doubles keep each other's order: what longer prices do, nobody leaves to floats. */
const DIGITS = 15
const SHRINK = 7 / 8
const TRIES = 24
/** A band wider than the price says nothing more. */
const WIDEST = 0.9

export const isFloatExact = (price: string): boolean =>
  price.length <= DIGITS || price.replace(/^-?0*\.?0*|\./g, '').length <= DIGITS

/** The decimal that a 15-digit double stands for. */
function exactly(value: number): Dec {
  const text = String(value)
  const e = text.indexOf('e')
  if (e < 0) return dec(text)
  const mantissa = dec(text.slice(0, e))
  const shift = Number(text.slice(e + 1))
  return shift < 0 ? { n: mantissa.n, s: mantissa.s - shift } : { n: mantissa.n * 10n ** BigInt(shift), s: mantissa.s }
}
const rounded = (value: number): number => Number(value.toPrecision(DIGITS))

export const isSafe = (emin: Dec, emax: Dec | null, t: Pick<Triggers, 'floor' | 'ceiling'>): boolean =>
  (t.floor === null || (t.floor.strict ? lte(t.floor.value, emin) : lt(t.floor.value, emin))) &&
  (t.ceiling === null || (emax !== null && (t.ceiling.strict ? gte(t.ceiling.value, emax) : gt(t.ceiling.value, emax))))

/** Relative width that each symbol's quote may move down in value (`down`) and up (`up`), for each side. */
interface Width {
  bid: { down: number; up: number }
  ask: { down: number; up: number }
}

/** Splits the room to floor and ceiling over the legs in equal shares. */
function chooseWidths(
  t: Triggers,
  equityNow: number,
  quoteOf: QuoteOf,
  converted: (leg: Leg) => number,
): Map<string, Width> {
  const down = t.floor ? Math.max(0, equityNow - toNumber(t.floor.value)) : Number.POSITIVE_INFINITY
  const up = t.ceiling ? Math.max(0, toNumber(t.ceiling.value) - equityNow) : Number.POSITIVE_INFINITY
  const conversions = new Map<string, number>()
  for (const leg of t.legs) {
    for (const c of leg.path)
      if (!c.peg) conversions.set(c.symbol, (conversions.get(c.symbol) ?? 0) + Math.abs(converted(leg)))
  }
  const terms = t.legs.length + conversions.size
  const widths = new Map<string, Width>()
  const widthOf = (symbol: string): Width => {
    let w = widths.get(symbol)
    if (!w) {
      const open = Number.POSITIVE_INFINITY
      w = { bid: { down: open, up: open }, ask: { down: open, up: open } }
      widths.set(symbol, w)
    }
    return w
  }
  const narrow = (w: { down: number; up: number }, downBy: number, upBy: number): void => {
    w.down = Math.min(w.down, downBy)
    w.up = Math.min(w.up, upBy)
  }
  for (const leg of t.legs) {
    const price = toNumber(quoteOf(leg.symbol)![leg.side].price)
    // value of the whole leg in account currency: what a relative move of its price by 1 is worth
    const value = Math.abs(toNumber(leg.quantity)) * price * rateOf(leg, quoteOf) || Number.MIN_VALUE
    const against = down / terms / value
    const towards = up / terms / value
    if (leg.side === 'bid') narrow(widthOf(leg.symbol).bid, against, towards)
    else narrow(widthOf(leg.symbol).ask, towards, against)
  }
  for (const [symbol, result] of conversions) {
    // the result may grow by the room itself while the rate moves
    const against = finite(down / terms / (result + down || Number.MIN_VALUE))
    const towards = finite(up / terms / (result + up || Number.MIN_VALUE))
    narrow(widthOf(symbol).bid, against, towards)
    narrow(widthOf(symbol).ask, towards, against)
  }
  return widths
}
/** Infinite room over infinite room: no bound. */
const finite = (width: number): number => (Number.isNaN(width) ? Number.POSITIVE_INFINITY : width)
function rateOf(leg: Leg, quoteOf: QuoteOf): number {
  let rate = 1
  for (const c of leg.path) {
    if (c.peg) continue
    const mid = toNumber(quoteOf(c.symbol)!.bid.price)
    rate = c.direct ? rate * mid : rate / mid
  }
  return rate
}

function intervalOf(level: BookLevel, width: { down: number; up: number }, scale: number): Interval {
  const price = toNumber(level.price)
  const lo = scale === 0 ? price : rounded(price * (1 - Math.min(width.down * scale, WIDEST)))
  const hi = scale === 0 ? price : rounded(price * (1 + width.up * scale))
  return {
    lo: Number.isFinite(width.down) ? Math.min(lo, price) : Number.NEGATIVE_INFINITY,
    hi: Number.isFinite(width.up) ? Math.max(hi, price) : Number.POSITIVE_INFINITY,
  }
}

/** Quotes at a corner of the box: every leg at its worst has each bid at `lo` and each ask at `hi`; at its best, the reverse. */
function corner(bands: readonly Band[], worst: boolean, quoteOf: QuoteOf): QuoteOf {
  const quotes = new Map<string, Quote>()
  for (const band of bands) {
    const now = quoteOf(band.symbol)!
    const at = (level: BookLevel, edge: number): BookLevel =>
      Number.isFinite(edge) ? { ...level, price: exactly(edge) } : level
    quotes.set(band.symbol, {
      ...now,
      bid: at(now.bid, worst ? band.bid.lo : band.bid.hi),
      ask: at(now.ask, worst ? band.ask.hi : band.ask.lo),
    })
  }
  return (symbol) => quotes.get(symbol) ?? quoteOf(symbol)
}
/** Equity with every leg at its worst and at its best inside the bands, exact: rounding of divisions is monotone. */
export const eminOf = (bands: readonly Band[], book: Book, compiled: Compiled, quoteOf: QuoteOf): Dec =>
  equityOf(book, compiled, corner(bands, true, quoteOf))
export const emaxOf = (bands: readonly Band[], book: Book, compiled: Compiled, quoteOf: QuoteOf): Dec =>
  equityOf(book, compiled, corner(bands, false, quoteOf))

export interface Chosen {
  box: Box
  /** equities computed to find it */
  evaluations: number
}
/** The widest safe box of the equal split; null when not even standing still is safe: then every event counts. */
export function chooseBox(t: Triggers, book: Book, compiled: Compiled, quoteOf: QuoteOf): Chosen | null {
  const now = equityOf(book, compiled, quoteOf)
  const symbols = new Set<string>()
  for (const leg of t.legs) {
    symbols.add(leg.symbol)
    for (const c of leg.path) if (!c.peg) symbols.add(c.symbol)
  }
  for (const symbol of symbols) {
    const quote = quoteOf(symbol)!
    if (!isFloatExact(str(quote.bid.price)) || !isFloatExact(str(quote.ask.price))) return null
  }
  const converted = (leg: Leg): number => {
    const price = quoteOf(leg.symbol)![leg.side].price
    return (toNumber(leg.quantity) * toNumber(price) - toNumber(leg.cost)) * rateOf(leg, quoteOf)
  }
  const widths = chooseWidths(t, toNumber(now), quoteOf, converted)
  let evaluations = 1
  for (let i = 0, scale = 1; i <= TRIES; i++, scale = i === TRIES ? 0 : scale * SHRINK) {
    const bands = [...symbols].map((symbol): Band => {
      const quote = quoteOf(symbol)!
      const width = widths.get(symbol)!
      return { symbol, bid: intervalOf(quote.bid, width.bid, scale), ask: intervalOf(quote.ask, width.ask, scale) }
    })
    const emin = eminOf(bands, book, compiled, quoteOf)
    const emax = t.ceiling ? emaxOf(bands, book, compiled, quoteOf) : null
    evaluations += emax ? 2 : 1
    if (isSafe(emin, emax, t)) return { box: { bands, emin, emax }, evaluations }
  }
  return null
}
