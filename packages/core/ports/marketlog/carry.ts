import type { MarketEvent } from '../../domain/market/event.ts'
import { isQuote } from '../../domain/proof/segment.ts'

interface Newest {
  quote?: MarketEvent
  levels?: MarketEvent
  state?: MarketEvent
  trade?: MarketEvent
  funding?: MarketEvent
  swap?: MarketEvent
  gap?: MarketEvent
}

/** What a reader must know of the events it did not read: the newest quote, levels, state, trade and rates of each symbol, and the gaps that still hide one. */
export class Carry {
  private readonly symbols = new Map<string, Newest>()

  constructor(events: Iterable<MarketEvent> = []) {
    for (const event of events) this.apply(event)
  }

  apply(event: MarketEvent): void {
    if (event.kind === 'gap') {
      for (const [symbol, newest] of this.symbols) {
        if (event.symbols === null || event.symbols.includes(symbol)) newest.gap = event
      }
    }
    if (!('symbol' in event)) return
    let newest = this.symbols.get(event.symbol)
    if (!newest) {
      newest = {}
      this.symbols.set(event.symbol, newest)
    }
    if (event.kind === 'trade') newest.trade = event
    if (isQuote(event)) {
      newest.quote = event
      newest.gap = undefined
    } else if (event.kind === 'levels') newest.levels = event
    else if (event.kind === 'symbol_state') newest.state = event
    else if (event.kind === 'rate') newest[event.what] = event
  }

  events(): MarketEvent[] {
    const all = new Set<MarketEvent>()
    for (const newest of this.symbols.values()) {
      for (const event of Object.values(newest)) if (event) all.add(event)
    }
    return [...all].sort((a, b) => a.mseq - b.mseq)
  }
}
