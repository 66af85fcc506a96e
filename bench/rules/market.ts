import type { Instrument } from '@assay/core/domain/instruments/instrument'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { randomOf } from '@assay/core/testing/random-world'
import { instrument } from '@assay/core/testing/world'

/** 40 symbols in dollars, 5 in euro, and the 5 that convert: all quoted, 10,000 quotes a second together. */
const PLAIN = Array.from({ length: 40 }, (_, i) => `S${String(i).padStart(2, '0')}/USD`)
const ABROAD = ['EUR', 'GBP', 'CHF', 'AUD', 'CAD'].map((currency, i) => ({
  symbol: `F${i}/${currency}`,
  rate: `${currency}/USD`,
}))
export const SYMBOLS = [...PLAIN, ...ABROAD.map((a) => a.symbol), ...ABROAD.map((a) => a.rate)]
export const CONVERTING = ABROAD.map((a) => a.symbol)
export const DIRECT = [...PLAIN, ...ABROAD.map((a) => a.rate)]
export const INSTRUMENTS: Instrument[] = [
  ...[...PLAIN, ...ABROAD.map((a) => a.rate)].map((symbol) =>
    instrument(symbol, { quantity_step: '0.01', min_quantity: '0.01' }),
  ),
  ...ABROAD.map(({ symbol, rate }) =>
    instrument(symbol, {
      quantity_step: '0.01',
      min_quantity: '0.01',
      conversions: { USD: [{ symbol: rate, direct: true }] },
    }),
  ),
]
const SECONDS_A_DAY = 86_400
/** Three a minute: each touches what a gap of its size touches. */
const JUMP_SHARE = 1 / 200_000

export interface TickSource {
  /** the next quote, at this market time */
  next(mts: number): MarketEvent
  /** the next quote of one symbol moves by this share */
  gap(symbol: string, share: number, mts: number): MarketEvent
  readonly mseq: number
}
/** Jump diffusion: daily volatility 0.5 to 5 % by symbol, spreads of 1 to 15 ticks that move. */
export function tickSource(seed: number, volatility = 1, perSecond = 10_000, drift = 0): TickSource {
  const random = randomOf(seed)
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const prices = SYMBOLS.map((symbol) =>
    symbol.length === 7 && !symbol.startsWith('S') ? 100 + random() * 50 : 50 + random() * 450,
  )
  const sigmas = SYMBOLS.map(
    () => (volatility * (0.005 + random() * 0.045)) / Math.sqrt(SECONDS_A_DAY * (perSecond / SYMBOLS.length)),
  )
  const spreads = SYMBOLS.map(() => 1 + Math.floor(random() * 15))
  let mseq = 0
  const quote = (i: number, mts: number): MarketEvent => {
    mseq++
    if (random() < 0.05) spreads[i] = Math.min(15, Math.max(1, spreads[i]! + (random() < 0.5 ? -1 : 1)))
    const bid = Math.max(100, Math.round(prices[i]! * 100))
    return {
      kind: 'quote',
      symbol: SYMBOLS[i]!,
      venue: 'bench',
      ts: mts,
      pos: mseq,
      bid: (bid / 100).toFixed(2),
      ask: ((bid + spreads[i]!) / 100).toFixed(2),
      mseq,
      mts,
    }
  }
  return {
    next(mts) {
      const i = mseq < SYMBOLS.length ? mseq : Math.floor(random() * SYMBOLS.length)
      const jump = random() < JUMP_SHARE ? normal() * 0.004 * volatility : 0
      prices[i] = prices[i]! * Math.exp(sigmas[i]! * (normal() + drift) + jump)
      return quote(i, mts)
    },
    gap(symbol, share, mts) {
      const i = SYMBOLS.indexOf(symbol)
      prices[i] = prices[i]! * (1 + share)
      return quote(i, mts)
    },
    get mseq() {
      return mseq
    },
  }
}
