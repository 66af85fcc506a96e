import type { Level, MarketEvent, SymbolStatus } from '../market/event.ts'
import { cmp, type Dec, dec } from '../money/dec.ts'

/** One price level. `since`: the mseq from which it has stood with this price and size without a break. */
export interface BookLevel {
  price: Dec
  /** null: the quote carried no size, the instrument's clip counts */
  size: Dec | null
  since: number
}
export interface Quote {
  bid: BookLevel
  ask: BookLevel
  mseq: number
  ts: number
  venue: string
  synthetic: string | null
}
export interface SymbolView {
  symbol: string
  status: SymbolStatus
  quote: Quote | null
  /** the quote before the newest event, where that event made a quote: what "before the event" means to a rule */
  before: Quote | null
  /** the newest trade's price; null: none seen */
  last: Dec | null
  /** deeper levels of the newest levels event, best first */
  bids: BookLevel[]
  asks: BookLevel[]
  levelsMseq: number
  levelsTs: number
  levelsVenue: string
  /** newest rates told by the market; null: none was, the instrument's schedule counts */
  fundingRate: { rate: Dec; mseq: number } | null
  swapRates: { long: Dec; short: Dec; mseq: number } | null
  /** price at which it was settled */
  settlement: { price: Dec; mseq: number } | null
  /** market time of the newest quote, levels or status of this symbol */
  lastMts: number
}

const sameSize = (a: Dec | null, b: Dec | null): boolean => (a === null || b === null ? a === b : cmp(a, b) === 0)

function sinceOf(
  price: Dec,
  size: Dec | null,
  mseq: number,
  touch: BookLevel | undefined,
  deeper: BookLevel[],
): number {
  if (touch && cmp(touch.price, price) === 0) return sameSize(touch.size, size) ? touch.since : mseq
  const level = deeper.find((l) => cmp(l.price, price) === 0)
  return level && sameSize(level.size, size) ? level.since : mseq
}

/**
 * The market as of one mseq: the newest accepted quote, levels and status of each symbol. One reader owns it and
 * applies events in order; `step` only reads it.
 */
export class MarketView {
  mseq = 0
  mts = 0
  /** head of the last segment that ended before the next event */
  logHead: string | null = null
  private readonly symbols = new Map<string, SymbolView>()

  symbol(name: string): SymbolView | undefined {
    return this.symbols.get(name)
  }
  all(): IterableIterator<SymbolView> {
    return this.symbols.values()
  }

  /** A copy that later events leave as it is. */
  freeze(): MarketView {
    const frozen = new MarketView()
    frozen.mseq = this.mseq
    frozen.mts = this.mts
    frozen.logHead = this.logHead
    // quotes are replaced as a whole; levels change in place
    for (const [name, s] of this.symbols)
      frozen.symbols.set(name, { ...s, bids: s.bids.map((l) => ({ ...l })), asks: s.asks.map((l) => ({ ...l })) })
    return frozen
  }

  /** A symbol's newest events from before the place where a reader starts: levels stand "since ever". */
  carry(events: readonly MarketEvent[]): void {
    for (const event of events) {
      this.apply(event)
      if (!('symbol' in event)) continue
      const s = this.symbols.get(event.symbol)!
      for (const level of [s.quote?.bid, s.quote?.ask, ...s.bids, ...s.asks]) if (level) level.since = 0
    }
  }

  apply(event: MarketEvent): void {
    this.mseq = event.mseq
    this.mts = event.mts
    if (event.kind === 'gap') {
      for (const s of this.symbols.values()) {
        if ((event.symbols === null || event.symbols.includes(s.symbol)) && s.status === 'open') s.status = 'unknown'
      }
      return
    }
    if (!('symbol' in event)) return
    let s = this.symbols.get(event.symbol)
    if (!s) {
      s = {
        symbol: event.symbol,
        status: 'unknown',
        quote: null,
        before: null,
        last: null,
        bids: [],
        asks: [],
        levelsMseq: 0,
        levelsTs: 0,
        levelsVenue: '',
        fundingRate: null,
        swapRates: null,
        settlement: null,
        lastMts: event.mts,
      }
      this.symbols.set(event.symbol, s)
    }
    // a print without a quote says nothing of the price that trades now
    if (event.kind !== 'rate' && (event.kind !== 'trade' || event.bid !== undefined)) s.lastMts = event.mts
    if (event.kind === 'trade') s.last = dec(event.price)
    if (event.kind === 'symbol_state') this.applyState(s, event)
    else if (event.kind === 'rate') this.applyRate(s, event)
    else if (event.kind === 'levels') this.applyLevels(s, event)
    else if (event.kind === 'quote' || (event.kind === 'trade' && event.bid !== undefined)) this.applyQuote(s, event)
  }

  private applyState(s: SymbolView, event: Extract<MarketEvent, { kind: 'symbol_state' }>): void {
    s.status = event.state
    if (event.state === 'settled' && event.price !== undefined)
      s.settlement = { price: dec(event.price), mseq: event.mseq }
  }
  private applyRate(s: SymbolView, event: Extract<MarketEvent, { kind: 'rate' }>): void {
    const { mseq } = event
    if (event.what === 'funding' && event.rate !== undefined) s.fundingRate = { rate: dec(event.rate), mseq }
    if (event.what === 'swap' && event.long !== undefined && event.short !== undefined)
      s.swapRates = { long: dec(event.long), short: dec(event.short), mseq }
  }

  private applyQuote(s: SymbolView, event: Extract<MarketEvent, { kind: 'quote' | 'trade' }>): void {
    const bid = dec(event.bid!)
    const ask = dec(event.ask!)
    const bidSize = event.bid_size === undefined ? null : dec(event.bid_size)
    const askSize = event.ask_size === undefined ? null : dec(event.ask_size)
    const bidSince = sinceOf(bid, bidSize, event.mseq, s.quote?.bid, s.bids)
    const askSince = sinceOf(ask, askSize, event.mseq, s.quote?.ask, s.asks)
    this.hideAndShow(s, event.mseq, bid, ask)
    s.before = s.quote
    s.quote = {
      bid: { price: bid, size: bidSize, since: bidSince },
      ask: { price: ask, size: askSize, since: askSince },
      mseq: event.mseq,
      ts: event.ts,
      venue: event.venue,
      synthetic: event.synthetic ?? null,
    }
    // a mark clears what a lost feed or a gap made unknown; a halt or a closed session needs its own event
    if (s.status === 'unknown') s.status = 'open'
  }

  /** Deeper levels that the new touch covers are gone until it leaves them; one that the old touch stood for stands again. */
  private hideAndShow(s: SymbolView, mseq: number, bid: Dec, ask: Dec): void {
    const update = (levels: BookLevel[], old: BookLevel | undefined, hidden: (price: Dec) => boolean): void => {
      for (const level of levels) {
        if (hidden(level.price)) level.since = mseq
        else if (old && cmp(old.price, level.price) === 0)
          level.since = sameSize(old.size, level.size) ? old.since : mseq
      }
    }
    update(s.bids, s.quote?.bid, (price) => cmp(price, bid) >= 0)
    update(s.asks, s.quote?.ask, (price) => cmp(price, ask) <= 0)
  }

  private applyLevels(s: SymbolView, event: Extract<MarketEvent, { kind: 'levels' }>): void {
    const convert = (levels: readonly Level[], touch: BookLevel | undefined, old: BookLevel[]): BookLevel[] =>
      levels.map(([p, z]) => {
        const price = dec(p)
        const size = dec(z)
        return { price, size, since: sinceOf(price, size, event.mseq, touch, old) }
      })
    s.bids = convert(event.bids, s.quote?.bid, s.bids)
    s.asks = convert(event.asks, s.quote?.ask, s.asks)
    s.levelsMseq = event.mseq
    s.levelsTs = event.ts
    s.levelsVenue = event.venue
  }

  /** The quote as it stood before the newest event. */
  quoteBefore(name: string): Quote | null {
    const s = this.symbols.get(name)
    if (!s) return null
    return s.quote && s.quote.mseq === this.mseq && s.before ? s.before : s.quote
  }
}
