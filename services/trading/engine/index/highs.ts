/**
 * The highest equity of an untouched account, exact, found when somebody looks: quotes are kept for a while, with the
 * best bid and ask of every stretch of the log in a ladder of stretches. A stretch whose bound (every leg at its best)
 * is no new high is passed over as a whole; only one that may hold a new high is walked quote by quote.
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
      if (best) raise(best, quote)
      else stretches.set(number, raise({ bid: standing.bid.price, ask: standing.ask.price }, quote))
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
    const search: Search = { book, compiled, ...span, symbols: valuing(book, compiled), quoteOf, best: least }
    const [first, last] = [Math.floor((span.from + 1) / RUNGS[TOP]!), Math.floor(span.to / RUNGS[TOP]!)]
    for (let number = last; number >= first; number--) this.descend(search, TOP, number)
    return search.best
  }

  private descend(search: Search, rung: number, number: number): void {
    const start = number * RUNGS[rung]!
    const end = start + RUNGS[rung]! - 1
    if (end <= search.from || start > search.to) return
    if (!search.symbols.some((s) => this.symbols.get(s)?.best[rung]?.has(number))) {
      // nothing moved in it: what stands was valued where it came
      return
    }
    this.evaluations++
    const bound = equityOf(search.book, search.compiled, (symbol) => this.bestOf(search, symbol, rung, number))
    if (!gt(bound, search.best)) return
    if (rung === 0) this.walk(search, Math.max(start, search.from + 1), Math.min(end, search.to))
    else {
      const fan = RUNGS[rung]! / RUNGS[rung - 1]!
      for (let i = fan - 1; i >= 0; i--) this.descend(search, rung - 1, number * fan + i)
    }
  }
  private bestOf(search: Search, symbol: string, rung: number, number: number): ReturnType<TouchOf> {
    const history = this.symbols.get(symbol)
    if (!history) return search.quoteOf(symbol)
    const best = history.best[rung]!.get(number)
    if (best) return { bid: { price: best.bid }, ask: { price: best.ask } }
    return history.quotes[standingAt(history.quotes, number * RUNGS[rung]!)] ?? search.quoteOf(symbol)
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
  from: number
  to: number
  symbols: string[]
  quoteOf: TouchOf
  best: Dec
}

function raise(best: Best, quote: Quote): Best {
  if (gt(quote.bid.price, best.bid)) best.bid = quote.bid.price
  if (lt(quote.ask.price, best.ask)) best.ask = quote.ask.price
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
