/**
 * The highest equity of an untouched account, exact, found when somebody looks: quotes are kept for a while, with the
 * best bid and ask of every stretch of the log in a ladder of stretches. A span whose bound (every leg at its best) is
 * no new high is passed over as a whole; one that may hold a new high is halved, and a short one walked.
 */
import type { Compiled } from '@assay/core/domain/engine/compile'
import type { Book } from '@assay/core/domain/engine/state'
import { equityOf } from '@assay/core/domain/engine/valuation'
import type { Quote, SymbolView } from '@assay/core/domain/engine/view'
import type { TouchOf } from '@assay/core/domain/instruments/convert'
import { type Dec, gt, lt } from '@assay/core/domain/money/dec'

/** Events of a stretch at each rung of the ladder; each is a multiple of the one before. */
const RUNGS = [256, 4096, 65_536] as const
const TOP = RUNGS.length - 1
/** So few quotes are walked one by one. */
const FEW = 4

interface Best {
  bid: Dec
  ask: Dec
}
interface History {
  /** by mseq; the first one may be the quote that stood when the history began */
  quotes: Quote[]
  /** by rung, by number of the stretch: what stood at its start included */
  best: Map<number, Best>[]
}

export class Highs {
  private readonly symbols = new Map<string, History>()
  /** equities computed: bounds and walked quotes */
  evaluations = 0

  /** The quote that an event just made. */
  add(view: SymbolView): void {
    const quote = view.quote!
    let history = this.symbols.get(view.symbol)
    if (!history) {
      history = { quotes: [], best: RUNGS.map(() => new Map()) }
      this.symbols.set(view.symbol, history)
    }
    if (history.quotes.length === 0 && view.before) history.quotes.push(view.before)
    const standing = history.quotes.at(-1) ?? quote
    history.quotes.push(quote)
    for (let rung = 0; rung <= TOP; rung++) {
      const stretches = history.best[rung]!
      const number = Math.floor(quote.mseq / RUNGS[rung]!)
      const best = stretches.get(number)
      if (best) widen(best, quote.bid.price, quote.ask.price)
      else
        stretches.set(
          number,
          widen({ bid: standing.bid.price, ask: standing.ask.price }, quote.bid.price, quote.ask.price),
        )
    }
  }

  /** Forgets what lies before `mseq`, save the quote that stands there. */
  forget(mseq: number): void {
    for (const { quotes, best } of this.symbols.values()) {
      const kept = standingAt(quotes, mseq)
      if (kept > 0) quotes.splice(0, kept)
      for (let rung = 0; rung <= TOP; rung++) {
        const oldest = Math.floor(mseq / RUNGS[rung]!)
        for (const number of best[rung]!.keys()) if (number < oldest) best[rung]!.delete(number)
      }
    }
  }
  clear(): void {
    this.symbols.clear()
  }

  /**
   * The highest equity of a book that stood unchanged, over the quotes with from < mseq <= to; `least` where none is
   * above it. `quoteOf`: the market at `to`, for symbols that had no quote since.
   */
  highest(book: Book, compiled: Compiled, span: { from: number; to: number }, quoteOf: TouchOf, least: Dec): Dec {
    const symbols = valuing(book, compiled)
    const search: Search = { book, compiled, symbols, quoteOf, best: least }
    this.search(search, span.from + 1, span.to)
    return search.best
  }

  /** Events `first` to `last`: passed over where every leg at its best is no new high, else halved; few are walked. */
  private search(search: Search, first: number, last: number): void {
    let quotes = 0
    const best = search.symbols.map((symbol) => {
      const history = this.symbols.get(symbol)
      if (!history) return search.quoteOf(symbol)
      const [a, b] = [standingAt(history.quotes, first - 1), standingAt(history.quotes, last)]
      quotes += b - a
      return b === a ? (history.quotes[a] ?? search.quoteOf(symbol)) : this.bestOf(history, first, last)
    })
    if (quotes === 0) return
    this.evaluations++
    const bound = equityOf(search.book, search.compiled, (symbol) => best[search.symbols.indexOf(symbol)]!)
    if (!gt(bound, search.best)) return
    // one leg without a conversion: its best price was there
    if (isOneLeg(search)) search.best = bound
    else if (quotes <= FEW) this.walk(search, first, last)
    else {
      const middle = (first + last) >> 1
      this.search(search, middle + 1, last)
      this.search(search, first, middle)
    }
  }
  /** Best bid and ask that stood at any of the events; stretches that lie wholly inside are taken as a whole. */
  private bestOf(history: History, first: number, last: number): ReturnType<TouchOf> {
    const { quotes } = history
    const standing = quotes[standingAt(quotes, first - 1)]
    const best = standing
      ? { bid: standing.bid.price, ask: standing.ask.price }
      : { bid: quotes[0]!.bid.price, ask: quotes[0]!.ask.price }
    for (let at = first; at <= last; ) {
      let rung = TOP
      while (rung >= 0 && (at % RUNGS[rung]! !== 0 || at + RUNGS[rung]! - 1 > last)) rung--
      if (rung >= 0) {
        const stretch = history.best[rung]!.get(at / RUNGS[rung]!)
        if (stretch) widen(best, stretch.bid, stretch.ask)
        at += RUNGS[rung]!
        continue
      }
      const end = Math.min(last, (Math.floor(at / RUNGS[0]) + 1) * RUNGS[0] - 1)
      for (let i = standingAt(quotes, at - 1) + 1; i < quotes.length && quotes[i]!.mseq <= end; i++)
        widen(best, quotes[i]!.bid.price, quotes[i]!.ask.price)
      at = end + 1
    }
    return { bid: { price: best.bid }, ask: { price: best.ask } }
  }

  /** Every quote of the account's symbols from `first` to `last`, in order. */
  private walk(search: Search, first: number, last: number): void {
    const legs = search.symbols.map((symbol) => {
      const quotes = this.symbols.get(symbol)?.quotes ?? []
      const at = standingAt(quotes, first - 1)
      return { symbol, quotes, at, standing: quotes[at] ?? search.quoteOf(symbol) }
    })
    const touchOf: TouchOf = (symbol) => legs.find((leg) => leg.symbol === symbol)!.standing
    for (;;) {
      let next: (typeof legs)[number] | undefined
      for (const leg of legs) {
        const mseq = leg.quotes[leg.at + 1]?.mseq
        if (mseq !== undefined && mseq <= last && (!next || mseq < next.quotes[next.at + 1]!.mseq)) next = leg
      }
      if (!next) return
      next.at++
      next.standing = next.quotes[next.at]!
      this.evaluations++
      const equity = equityOf(search.book, search.compiled, touchOf)
      if (gt(equity, search.best)) search.best = equity
    }
  }
}
interface Search {
  book: Book
  compiled: Compiled
  symbols: string[]
  quoteOf: TouchOf
  best: Dec
}

const isOneLeg = ({ book, compiled }: Search): boolean =>
  book.positions.length === 1 && compiled.markets.get(book.positions[0]!.symbol)!.path!.every((leg) => leg.peg)
function widen(best: Best, bid: Dec, ask: Dec): Best {
  if (gt(bid, best.bid)) best.bid = bid
  if (lt(ask, best.ask)) best.ask = ask
  return best
}
/** Place of the newest quote up to `mseq`; -1: none. */
function standingAt(quotes: readonly Quote[], mseq: number): number {
  let [low, high] = [0, quotes.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (quotes[middle]!.mseq <= mseq) low = middle + 1
    else high = middle
  }
  return low - 1
}
function valuing(book: Book, compiled: Compiled): string[] {
  const symbols = new Set<string>()
  for (const { symbol } of book.positions) {
    symbols.add(symbol)
    for (const leg of compiled.markets.get(symbol)!.path!) if (!leg.peg) symbols.add(leg.symbol)
  }
  return [...symbols]
}
