import { CandleSeries } from '@assay/core/domain/candles/series'
import { MarketView } from '@assay/core/domain/engine/view'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { add, type Dec, dec, div, ofInt } from '@assay/core/domain/money/dec'
import { isQuote } from '@assay/core/domain/proof/segment'
import type { Basis, MarketSymbol } from '../symbols/market-symbol.ts'

const TRADES_KEPT = 10_000
const RING_MS = 60_000
const RING_MOST = 20_000
const TWO = ofInt(2)

export type Trade = Extract<MarketEvent, { kind: 'trade' }>
/** One event with the wall time at which it was read, for the ring of the last minute. */
interface Heard {
  event: MarketEvent
  at: number
}
export interface SymbolProducts {
  candles: Record<Basis, CandleSeries>
  /** oldest first */
  trades: Trade[]
  ring: Heard[]
  /** mseq of the newest event that the ring has lost */
  lost: number
}
export type Listener = (event: MarketEvent) => void

/** What is derived from the market log by reading it, in memory: newest quotes and states, trades, candles, the last minute's events. */
export class Market {
  readonly view = new MarketView()
  private readonly symbols = new Map<string, SymbolProducts>()
  private readonly listeners = new Map<string, Set<Listener>>()
  private readonly waiting = new Set<{ mseq: number; done: () => void }>()

  constructor(
    readonly listed: readonly MarketSymbol[],
    private readonly now: () => number,
  ) {
    for (const { instrument } of listed) {
      this.symbols.set(instrument.symbol, {
        candles: { trades: new CandleSeries(), bid: new CandleSeries(), mid: new CandleSeries() },
        trades: [],
        ring: [],
        lost: 0,
      })
    }
  }

  find(symbol: string): MarketSymbol | undefined {
    return this.listed.find(({ instrument }) => instrument.symbol === symbol)
  }
  of(symbol: string): SymbolProducts | undefined {
    return this.symbols.get(symbol)
  }

  /** What stood before `from`, the first event that is read. */
  carry(events: readonly MarketEvent[], from: number): void {
    this.view.carry(events)
    for (const products of this.symbols.values()) products.lost = from - 1
  }

  apply(event: MarketEvent): void {
    this.view.apply(event)
    this.take(event)
    for (const { mseq, done } of this.waiting) if (mseq <= event.mseq) done()
  }
  /** Resolves when everything up to `mseq` is in the products, or the signal aborts. */
  reached(mseq: number, signal: AbortSignal): Promise<void> {
    if (this.view.mseq >= mseq || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        this.waiting.delete(waiter)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const waiter = { mseq, done }
      this.waiting.add(waiter)
      signal.addEventListener('abort', done)
    })
  }
  private take(event: MarketEvent): void {
    if (event.kind === 'clock') return
    const everywhere = () => this.symbols.keys()
    const touched =
      'symbol' in event ? [event.symbol] : event.kind === 'gap' ? (event.symbols ?? everywhere()) : everywhere()
    for (const symbol of touched) this.tell(symbol, event)
  }
  private tell(symbol: string, event: MarketEvent): void {
    const products = this.symbols.get(symbol)
    if (!products) return
    if (event.kind === 'trade') {
      products.trades.push(event)
      if (products.trades.length > TRADES_KEPT * 1.25) products.trades = products.trades.slice(-TRADES_KEPT)
      products.candles.trades.add(event.ts, dec(event.price), dec(event.size))
    }
    if (isQuote(event)) addQuote(products, event.ts, event as { bid: string; ask: string })
    const at = this.now()
    products.ring.push({ event, at })
    trim(products, at)
    for (const listener of this.listeners.get(symbol) ?? []) listener(event)
  }

  listen(symbol: string, listener: Listener): () => void {
    const listeners = this.listeners.get(symbol) ?? new Set()
    this.listeners.set(symbol, listeners)
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
}

function addQuote({ candles }: SymbolProducts, ts: number, quote: { bid: string; ask: string }): void {
  const bid = dec(quote.bid)
  candles.bid.add(ts, bid, null)
  candles.mid.add(ts, midOf(bid, dec(quote.ask)), null)
}
export const midOf = (bid: Dec, ask: Dec): Dec => div(add(bid, ask), TWO, Math.max(bid.s, ask.s) + 1)

function trim(products: SymbolProducts, now: number): void {
  const { ring } = products
  let n = 0
  while (n < ring.length && (now - ring[n]!.at > RING_MS || ring.length - n > RING_MOST)) n++
  // in pieces: an array that loses one of its first elements at each event costs more than it holds
  if (n < 256 && n * 4 < ring.length) return
  if (n === 0) return
  products.lost = ring[n - 1]!.event.mseq
  ring.splice(0, n)
}
