import type { Level, MarketEvent, Side, SymbolStatus } from '../../domain/market/event.ts'
import { num } from './number.ts'

export interface Quote {
  bid: bigint
  ask: bigint
  bidSize: bigint | null
  askSize: bigint | null
  mseq: number
}
export interface Ladder {
  bids: [bigint, bigint][]
  asks: [bigint, bigint][]
}
/** What the log has said of a symbol so far. */
export interface Newest {
  quote: Quote | null
  levels: Ladder
  /** price of the newest print */
  last: bigint | null
  state: SymbolStatus
  heardAt: number
  swap: { long: bigint; short: bigint; mseq: number } | null
  funding: { rate: bigint; mseq: number } | null
}

/** The newest of everything. Nothing is forgotten and nothing is worked out before it is asked for. */
export class OracleMarket {
  mts = 0
  private readonly symbols = new Map<string, Newest>()

  of(symbol: string): Newest {
    let newest = this.symbols.get(symbol)
    if (!newest) {
      newest = {
        quote: null,
        levels: { bids: [], asks: [] },
        last: null,
        state: 'unknown',
        heardAt: 0,
        swap: null,
        funding: null,
      }
      this.symbols.set(symbol, newest)
    }
    return newest
  }

  apply(event: MarketEvent): void {
    this.mts = event.mts
    if (event.kind === 'gap') {
      for (const symbol of event.symbols ?? this.symbols.keys()) {
        if (this.of(symbol).state === 'open') this.of(symbol).state = 'unknown'
      }
      return
    }
    if (!('symbol' in event)) return
    const newest = this.of(event.symbol)
    if (event.kind === 'symbol_state') {
      newest.heardAt = event.mts
      newest.state = event.state
    }
    if (event.kind === 'levels') {
      newest.levels = { bids: event.bids.map(parse), asks: event.asks.map(parse) }
      newest.heardAt = event.mts
    }
    if (event.kind === 'rate' && event.what === 'funding') {
      newest.funding = { rate: num(event.rate!), mseq: event.mseq }
    }
    if (event.kind === 'rate' && event.what === 'swap') {
      newest.swap = { long: num(event.long!), short: num(event.short!), mseq: event.mseq }
    }
    if (event.kind === 'trade') newest.last = num(event.price)
    if ((event.kind === 'quote' || event.kind === 'trade') && event.bid !== undefined && event.ask !== undefined) {
      newest.quote = {
        bid: num(event.bid),
        ask: num(event.ask),
        bidSize: event.bid_size === undefined ? null : num(event.bid_size),
        askSize: event.ask_size === undefined ? null : num(event.ask_size),
        mseq: event.mseq,
      }
      newest.heardAt = event.mts
      if (newest.state === 'unknown') newest.state = 'open'
    }
  }

  /** What a taker of this side meets, best first: the newest quote, then the newest levels that are worse than it. No size: the clip. */
  book(symbol: string, side: Side): [price: bigint, size: bigint | null][] {
    const { quote, levels } = this.of(symbol)
    if (!quote) return []
    if (side === 'buy') {
      return [[quote.ask, quote.askSize], ...levels.asks.filter(([price]) => price > quote.ask)]
    }
    return [[quote.bid, quote.bidSize], ...levels.bids.filter(([price]) => price < quote.bid)]
  }
}
const parse = ([price, size]: Level): [bigint, bigint] => [num(price), num(size)]
