/**
 * The highest equity of an untouched account, exact, found when somebody looks: quotes are kept for a while, with the
 * best bid and ask of every stretch of the log in a ladder of stretches. A span whose bound (every leg at its best) is
 * no new high is passed over as a whole; one that may hold a new high is halved, and a short one walked. Doubles only
 * say what is surely no new high; what may be one is computed in exact decimals.
 */
import type { Compiled } from '@assay/core/domain/engine/compile'
import type { Book } from '@assay/core/domain/engine/state'
import { equityOf } from '@assay/core/domain/engine/valuation'
import type { SymbolView } from '@assay/core/domain/engine/view'
import type { TouchOf } from '@assay/core/domain/instruments/convert'
import { type Dec, gt } from '@assay/core/domain/money/dec'
import { floatOf } from './float.ts'
import { History, type Standing } from './history.ts'

/** So few quotes are walked one by one. */
const FEW = 4
/** Of the sums of a bound, what doubles may be off by: some ten operations of 2^-53 each, and a wide margin. */
const ROUNDING = 1e-12

export class Highs {
  private readonly symbols = new Map<string, History>()
  /** equities computed: bounds and walked quotes */
  evaluations = 0

  /** The quote that an event just made. */
  add(view: SymbolView): void {
    let history = this.symbols.get(view.symbol)
    if (!history) {
      history = new History()
      this.symbols.set(view.symbol, history)
      if (view.before) history.add(view.before)
    }
    history.add(view.quote!)
  }
  /** Forgets what lies before `mseq`, save the quote that stands there. */
  forget(mseq: number): void {
    for (const history of this.symbols.values()) history.forget(mseq)
  }
  clear(): void {
    this.symbols.clear()
  }

  /**
   * The highest equity of a book that stood unchanged, over the quotes with from < mseq <= to; `least` where none is
   * above it. `touchOf`: the market at `to`, for symbols that had no quote since.
   */
  highest(book: Book, compiled: Compiled, span: { from: number; to: number }, touchOf: TouchOf, least: Dec): Dec {
    const search = new Search(book, compiled, (symbol) => this.symbols.get(symbol), touchOf, least)
    search.look(span.from + 1, span.to)
    this.evaluations += search.evaluations
    return search.best
  }
}

/** One symbol that values the book. */
interface Source {
  symbol: string
  history: History | undefined
  /** the market at the end of the span, where there is no history */
  last: Standing
  /** at the stretch or quote that is being looked at */
  bid: number
  ask: number
  /** places of the quotes that these come from; -1: from `last` */
  bidAt: number
  askAt: number
}
/** A position in doubles. */
interface FloatLeg {
  source: number
  size: number
  cost: number
  markup: number
  /** the highest price: a contract that is worth 1 at most */
  most: number
  rates: readonly { source: number; direct: boolean }[]
}

class Search {
  evaluations = 0
  private readonly sources: Source[] = []
  private readonly legs: FloatLeg[]
  private readonly balance: number
  private bestFloat: number

  constructor(
    private readonly book: Book,
    private readonly compiled: Compiled,
    private readonly historyOf: (symbol: string) => History | undefined,
    private readonly touchOf: TouchOf,
    public best: Dec,
  ) {
    this.bestFloat = floatOf(best)
    this.balance = floatOf(book.balance)
    this.legs = book.positions.map((position) => {
      const market = compiled.markets.get(position.symbol)!
      return {
        source: this.sourceOf(position.symbol),
        size: floatOf(position.quantity) * floatOf(market.contract),
        cost: floatOf(position.cost),
        markup: floatOf(market.markup),
        most: market.isOutcome ? 1 : Number.POSITIVE_INFINITY,
        rates: market
          .path!.filter((leg) => !leg.peg)
          .map((leg) => ({ source: this.sourceOf(leg.symbol), direct: leg.direct })),
      }
    })
  }
  private sourceOf(symbol: string): number {
    const known = this.sources.findIndex((source) => source.symbol === symbol)
    if (known >= 0) return known
    const { bid, ask } = this.touchOf(symbol)!
    const last = { bid: bid.price, ask: ask.price }
    const at = { bid: floatOf(last.bid), ask: floatOf(last.ask), bidAt: -1, askAt: -1 }
    return this.sources.push({ symbol, history: this.historyOf(symbol), last, ...at }) - 1
  }

  /** Events `first` to `last`: passed over where every leg at its best is no new high, else halved; few are walked. */
  look(first: number, last: number): void {
    let quotes = 0
    for (const source of this.sources) quotes += atBest(source, first, last)
    if (quotes === 0) return
    this.evaluations++
    if (this.isSurelyBelow()) return
    const bound = equityOf(this.book, this.compiled, this.touch)
    if (!gt(bound, this.best)) return
    // one leg without a conversion: its best price was there
    if (this.legs.length === 1 && this.legs[0]!.rates.length === 0) this.raise(bound)
    else if (quotes <= FEW) this.walk(first, last)
    else {
      const middle = (first + last) >> 1
      this.look(middle + 1, last)
      this.look(first, middle)
    }
  }
  private raise(best: Dec): void {
    this.best = best
    this.bestFloat = floatOf(best)
  }
  /** Is equity at these prices surely no new high? A proof in doubles; false says nothing. */
  private isSurelyBelow(): boolean {
    let total = this.balance
    let sum = Math.abs(this.balance) + Math.abs(this.bestFloat)
    for (const { source, size, cost, markup, most, rates } of this.legs) {
      const { bid, ask } = this.sources[source]!
      const price = size > 0 ? bid - markup : ask + markup
      const worth = size * (most === 1 ? Math.max(0, Math.min(1, price)) : price)
      const terms = Math.abs(size) * (Math.abs(price) + Math.abs(markup)) + Math.abs(cost)
      let result = worth - cost
      // near zero its sign is not sure, and with it the side that converts it
      if (rates.length > 0 && Math.abs(result) <= terms * ROUNDING) return false
      let rate = 1
      const credit = result >= 0
      for (const { source: at, direct } of rates) {
        const side = direct === credit ? this.sources[at]!.bid : this.sources[at]!.ask
        rate = direct ? rate * side : rate / side
      }
      result *= rate
      total += result
      sum += terms * rate
    }
    return total + sum * ROUNDING < this.bestFloat
  }
  private readonly touch: TouchOf = (symbol) => {
    const { history, last, bidAt, askAt } = this.sources.find((source) => source.symbol === symbol)!
    return {
      bid: { price: bidAt < 0 ? last.bid : history!.bidAt(bidAt) },
      ask: { price: askAt < 0 ? last.ask : history!.askAt(askAt) },
    }
  }

  /** Every quote of the account's symbols from `first` to `last`, in order. */
  private walk(first: number, last: number): void {
    const places = this.sources.map((source) => {
      const at = source.history?.standingAt(first - 1) ?? -1
      stand(source, at)
      return at
    })
    for (;;) {
      let next = -1
      let mseq = Number.POSITIVE_INFINITY
      for (let i = 0; i < places.length; i++) {
        const following = this.sources[i]!.history?.mseqAt(places[i]! + 1) ?? Number.POSITIVE_INFINITY
        if (following <= last && following < mseq) [next, mseq] = [i, following]
      }
      if (next < 0) return
      const source = this.sources[next]!
      stand(source, ++places[next]!)
      this.evaluations++
      if (this.isSurelyBelow()) continue
      const equity = equityOf(this.book, this.compiled, this.touch)
      if (gt(equity, this.best)) this.raise(equity)
    }
  }
}

/** Sets a source to its best bid and ask from `first` to `last`, what stood at the start included; the number of quotes in it. */
function atBest(source: Source, first: number, last: number): number {
  const { history } = source
  if (!history) return 0
  const [a, b] = [history.standingAt(first - 1), history.standingAt(last)]
  if (a === b) stand(source, a)
  else history.best(source, first, last)
  return b - a
}
/** Sets a source to one quote; before its first one: to the market at the end of the span. */
function stand(source: Source, place: number): void {
  const { history, last } = source
  const at = history && place >= history.first ? place : -1
  source.bidAt = at
  source.askAt = at
  source.bid = at < 0 ? floatOf(last.bid) : history!.bids(at)
  source.ask = at < 0 ? floatOf(last.ask) : history!.asks(at)
}
