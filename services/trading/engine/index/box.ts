/**
 * A box: per symbol and side of the quote the interval in which it may move while nothing about an account can change.
 * One invariant makes it safe, checked in exact numbers: the highest floor that can come to be inside the box is not
 * above the equity with every leg at its worst (strictly below it under `lte`), and where a ceiling counts the equity
 * with every leg at its best is not beyond that. Floats only choose the widths.
 */
import type { Compiled } from '@assay/core/domain/engine/compile'
import type { Book } from '@assay/core/domain/engine/state'
import type { Triggers } from '@assay/core/domain/engine/triggers'
import { equityOf } from '@assay/core/domain/engine/valuation'
import type { BookLevel } from '@assay/core/domain/engine/view'
import type { QuoteOf, TouchOf } from '@assay/core/domain/instruments/convert'
import { type Dec, gt, gte, lt, lte } from '@assay/core/domain/money/dec'
import { isFloatExact } from './float.ts'
import { chooseWidths, type SideWidth } from './widths.ts'

/** Both edges belong to the interval; null: open. */
export interface Interval {
  lo: Dec | null
  hi: Dec | null
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
const SHRINK = 7 / 8
const TRIES = 24
/** A band wider than the price says nothing more. */
const WIDEST = 0.9

export const isSafe = (emin: Dec, emax: Dec | null, t: Pick<Triggers, 'floor' | 'ceiling'>): boolean =>
  (t.floor === null || (t.floor.strict ? lte(t.floor.value, emin) : lt(t.floor.value, emin))) &&
  (t.ceiling === null || (emax !== null && (t.ceiling.strict ? gte(t.ceiling.value, emax) : gt(t.ceiling.value, emax))))

/** Edges on the price's own decimal grid, never wider than asked. */
function intervalOf({ price }: BookLevel, width: SideWidth, scale: number): Interval {
  const ticks = Number(price.n)
  const edge = (share: number, sign: number): Dec | null =>
    share === Number.POSITIVE_INFINITY
      ? null
      : { n: BigInt(ticks + sign * Math.floor(ticks * Math.min(share * scale, WIDEST))), s: price.s }
  return { lo: edge(width.down, -1), hi: edge(width.up, 1) }
}

/** Prices at a corner of the box: every leg at its worst has each bid at `lo` and each ask at `hi`; at its best, the reverse. */
function corner(bands: readonly Band[], worst: boolean, quoteOf: QuoteOf): TouchOf {
  return (symbol) => {
    const quote = quoteOf(symbol)
    if (!quote) return null
    for (const band of bands) {
      if (band.symbol !== symbol) continue
      const bid = worst ? band.bid.lo : band.bid.hi
      const ask = worst ? band.ask.hi : band.ask.lo
      return { bid: bid ? { price: bid } : quote.bid, ask: ask ? { price: ask } : quote.ask }
    }
    return quote
  }
}
/** Equity with every leg at its worst and at its best inside the bands, exact: rounding of divisions is monotone. */
export const eminOf = (bands: readonly Band[], book: Book, compiled: Compiled, quoteOf: QuoteOf): Dec =>
  equityOf(book, compiled, corner(bands, true, quoteOf))
export const emaxOf = (bands: readonly Band[], book: Book, compiled: Compiled, quoteOf: QuoteOf): Dec =>
  equityOf(book, compiled, corner(bands, false, quoteOf))

export interface Chosen {
  /** null: not even standing still is safe, so every event counts */
  box: Box | null
  /** equities computed to find it */
  evaluations: number
}
/** The widest safe box of the equal split. `coming`: the floor that the coming reset is sure to set. */
export function chooseBox(t: Triggers, coming: Dec | null, book: Book, compiled: Compiled, quoteOf: QuoteOf): Chosen {
  const { widths, floor } = chooseWidths(t, coming, quoteOf)
  let evaluations = 1
  for (const { symbol } of widths) {
    const { bid, ask } = quoteOf(symbol)!
    if (!isFloatExact(bid.price) || !isFloatExact(ask.price)) return { box: null, evaluations }
  }
  for (let i = 0, scale = 1; i <= TRIES; i++, scale = i === TRIES ? 0 : scale * SHRINK) {
    const bands: Band[] = []
    for (const { symbol, bid, ask } of widths) {
      const quote = quoteOf(symbol)!
      bands.push({ symbol, bid: intervalOf(quote.bid, bid, scale), ask: intervalOf(quote.ask, ask, scale) })
    }
    const emin = eminOf(bands, book, compiled, quoteOf)
    const emax = t.ceiling ? emaxOf(bands, book, compiled, quoteOf) : null
    evaluations += emax ? 2 : 1
    // standing still is safe where the floor of now is kept, whatever the coming one will be
    if (isSafe(emin, emax, { floor: scale === 0 ? t.floor : floor, ceiling: t.ceiling }))
      return { box: { bands, emin, emax }, evaluations }
  }
  return { box: null, evaluations }
}
