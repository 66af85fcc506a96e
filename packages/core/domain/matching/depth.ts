import type { Market } from '../engine/compile.ts'
import type { Book, Taken } from '../engine/state.ts'
import type { BookLevel, SymbolView } from '../engine/view.ts'
import { add, cmp, type Dec, gt, isZero, lt, max, min, ONE, sub, ZERO } from '../money/dec.ts'

export interface OpenLevel {
  /** as this account sees it: the source's with the mark-up */
  price: Dec
  /** the source's */
  raw: Dec
  /** size less what this account took of it */
  open: Dec
  size: Dec
  kind: 'quote' | 'levels'
  mseq: number
}

const worse = (side: 'bid' | 'ask', a: Dec, b: Dec): boolean => (side === 'ask' ? gt(a, b) : lt(a, b))

/** The levels of one side, best first: level 1 is the newest quote, deeper ones those of the newest levels event that are worse than it. */
function standing(
  view: SymbolView,
  side: 'bid' | 'ask',
): { level: BookLevel; kind: 'quote' | 'levels'; mseq: number }[] {
  if (!view.quote) return []
  const touch = view.quote[side]
  const deeper = side === 'ask' ? view.asks : view.bids
  return [
    { level: touch, kind: 'quote' as const, mseq: view.quote.mseq },
    ...deeper
      .filter((l) => worse(side, l.price, touch.price))
      .map((level) => ({ level, kind: 'levels' as const, mseq: view.levelsMseq })),
  ]
}

/** Size that one side shows this account at exactly this price; null: none. */
export function displayedAt(view: SymbolView, side: 'bid' | 'ask', price: Dec, market: Market): Dec | null {
  const found = standing(view, side).find(({ level }) => cmp(markedUp(level.price, side, market), price) === 0)
  return found ? (found.level.size ?? market.clip) : null
}

/** Drops what an event has changed or removed since it was taken. */
export function settleTaken(taken: Taken[], symbolView: (symbol: string) => SymbolView | undefined): Taken[] {
  if (taken.length === 0) return taken
  return taken.filter((t) => {
    const view = symbolView(t.symbol)
    const found = view && standing(view, t.side).find((s) => cmp(s.level.price, t.price) === 0)
    return found !== undefined && found.level.since <= t.mseq
  })
}

/** A price of the source as this account sees it: its bids lower, its asks higher by the mark-up; an outcome's stay in [0, 1]. */
export function markedUp(price: Dec, side: 'bid' | 'ask', { markup, isOutcome }: Market): Dec {
  if (isZero(markup)) return price
  const moved = side === 'ask' ? add(price, markup) : sub(price, markup)
  return isOutcome ? max(ZERO, min(ONE, moved)) : moved
}

/** What is left to trade against on one side of the book, best first. */
export function openLevels(view: SymbolView, side: 'bid' | 'ask', book: Book, market: Market): OpenLevel[] {
  return standing(view, side).map(({ level, kind, mseq }) => {
    const size = level.size ?? market.clip
    const taken = book.taken.find((t) => t.symbol === view.symbol && t.side === side && cmp(t.price, level.price) === 0)
    const open = taken ? sub(size, taken.size) : size
    const price = markedUp(level.price, side, market)
    return { price, raw: level.price, size, open: open.n > 0n ? open : ZERO, kind, mseq }
  })
}

/** Remembers that this account took `size` at a level. */
export function take(book: Book, symbol: string, side: 'bid' | 'ask', price: Dec, size: Dec, mseq: number): void {
  const found = book.taken.find((t) => t.symbol === symbol && t.side === side && cmp(t.price, price) === 0)
  if (found) {
    found.size = add(found.size, size)
    found.mseq = mseq
  } else book.taken.push({ symbol, side, price, size, mseq })
}
