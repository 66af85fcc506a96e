import type { Instrument } from '@assay/core/domain/instruments/instrument'
import type { Level } from '@assay/core/domain/market/event'
import type { FeedTick } from '../quality/feed-tick.ts'
import { places } from '../recording/decimal-text.ts'
import { createRandom, type Random } from './random.ts'

const DAY_MS = 86_400_000
const VENUE = 'sim'
const DEPTH = 8

/** How a currency moves against the dollar: daily volatility, share of it that its group moves together, jumps a day. */
interface Mover {
  usd: number
  volatility: number
  group: 'crypto' | 'fx' | 'none'
  shared: number
  jumps: number
}
const MOVERS: Record<string, Mover> = {
  BTC: { usd: 64_000, volatility: 0.03, group: 'crypto', shared: 0.85, jumps: 8 },
  ETH: { usd: 3_200, volatility: 0.038, group: 'crypto', shared: 0.8, jumps: 8 },
  SOL: { usd: 150, volatility: 0.05, group: 'crypto', shared: 0.7, jumps: 10 },
  XRP: { usd: 0.52, volatility: 0.045, group: 'crypto', shared: 0.6, jumps: 10 },
  EUR: { usd: 1.085, volatility: 0.005, group: 'fx', shared: 0.75, jumps: 3 },
  GBP: { usd: 1.27, volatility: 0.0055, group: 'fx', shared: 0.7, jumps: 3 },
  AUD: { usd: 0.655, volatility: 0.006, group: 'fx', shared: 0.6, jumps: 3 },
  CAD: { usd: 1 / 1.365, volatility: 0.0045, group: 'fx', shared: 0.55, jumps: 2 },
  CHF: { usd: 1 / 0.88, volatility: 0.005, group: 'fx', shared: 0.6, jumps: 2 },
  JPY: { usd: 1 / 151, volatility: 0.006, group: 'fx', shared: 0.5, jumps: 3 },
  USD: { usd: 1, volatility: 0, group: 'none', shared: 0, jumps: 0 },
}
const NEW_CURRENCY: Mover = { usd: 10, volatility: 0.04, group: 'crypto', shared: 0.5, jumps: 8 }

export interface WorldOptions {
  seed: string
  instruments: readonly Instrument[]
  /** mid prices to go on from, by symbol, where a log knows them */
  from?: ReadonlyMap<string, number>
  /** all volatilities times this */
  volatility?: number
}

/** A made-up market: currencies follow correlated jump diffusions, so crosses agree with their legs. Floats make prices here; what leaves is decimal text on the instrument's grid. */
export class World {
  private readonly random: Random
  private readonly logs = new Map<string, number>()
  private readonly positions = new Map<string, number>()
  private readonly scale: number

  constructor(private readonly options: WorldOptions) {
    this.random = createRandom(options.seed)
    this.scale = options.volatility ?? 1
    for (const { base, quote } of options.instruments)
      for (const currency of [base, quote]) this.logs.set(currency, Math.log(moverOf(currency).usd))
    this.goOn()
  }

  /** Dollar pairs say what their currency was worth last. */
  private goOn(): void {
    for (const { symbol, base, quote } of this.options.instruments) {
      const mid = this.options.from?.get(symbol)
      if (mid === undefined) continue
      if (quote === 'USD') this.logs.set(base, Math.log(mid))
      else if (base === 'USD') this.logs.set(quote, -Math.log(mid))
    }
  }

  /** Lets `ms` of market time pass and says what each symbol's market looks like then. */
  step(ts: number, ms: number): FeedTick[] {
    this.move(ms)
    return this.options.instruments.flatMap((instrument) => this.ticks(instrument, ts, ms))
  }

  private move(ms: number): void {
    const root = Math.sqrt(ms / DAY_MS)
    const together = { crypto: this.random.normal(), fx: this.random.normal(), none: 0 }
    for (const [currency, log] of this.logs) {
      const { volatility, group, shared, jumps } = moverOf(currency)
      if (volatility === 0) continue
      const own = Math.sqrt(1 - shared * shared) * this.random.normal()
      let change = volatility * root * (shared * together[group] + own)
      if (this.random.uniform() < (jumps * ms) / DAY_MS) change += volatility * 0.15 * this.random.normal()
      this.logs.set(currency, log + change * this.scale)
    }
  }

  private mid({ base, quote }: Instrument): number {
    return Math.exp(this.logs.get(base)! - this.logs.get(quote)!)
  }
  private size(instrument: Instrument): string {
    const step = Number(instrument.quantity_step)
    const wanted = Number(instrument.clip) * Math.exp(0.6 * this.random.normal())
    return grid(Math.max(step, Math.round(wanted / step) * step), instrument.quantity_step)
  }

  private ticks(instrument: Instrument, ts: number, ms: number): FeedTick[] {
    const { symbol, price_tick } = instrument
    const tick = Number(price_tick)
    const mid = this.mid(instrument)
    const half = Math.max(
      tick / 2,
      mid * (instrument.kind === 'fx' ? 0.00003 : 0.00008) * (0.7 + 0.6 * this.random.uniform()),
    )
    const bid = Math.max(tick, Math.floor((mid - half) / tick) * tick)
    const ask = Math.max(bid + tick, Math.ceil((mid + half) / tick) * tick)
    const text = (price: number) => grid(price, price_tick)
    const at = () => {
      const pos = (this.positions.get(symbol) ?? 0) + 1
      this.positions.set(symbol, pos)
      return { symbol, venue: VENUE, ts, pos }
    }
    const bidSize = this.size(instrument)
    const askSize = this.size(instrument)
    const out: FeedTick[] = [
      { kind: 'quote', ...at(), bid: text(bid), ask: text(ask), bid_size: bidSize, ask_size: askSize },
    ]
    // every other second, a step at a time
    if (this.random.uniform() < ms / 2000) {
      const levels = (from: number, direction: 1 | -1, top: string): Level[] =>
        Array.from(
          { length: DEPTH },
          (_, i): Level => [text(from + direction * i * 2 * half), i === 0 ? top : this.size(instrument)],
        ).filter(([price], i, all) => Number(price) > 0 && price !== all[i - 1]?.[0])
      out.push({ kind: 'levels', ...at(), bids: levels(bid, -1, bidSize), asks: levels(ask, 1, askSize) })
    }
    if (this.random.uniform() < (0.4 * ms) / 1000) {
      const buy = this.random.uniform() < 0.5
      out.push({
        kind: 'trade',
        ...at(),
        price: text(buy ? ask : bid),
        size: this.size(instrument),
        side: buy ? 'buy' : 'sell',
      })
    }
    return out
  }
}

const moverOf = (currency: string): Mover => MOVERS[currency] ?? NEW_CURRENCY

/** A multiple of the step as a plain decimal without trailing zeros. */
function grid(value: number, step: string): string {
  const text = (Math.round(value / Number(step)) * Number(step)).toFixed(places(step))
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
