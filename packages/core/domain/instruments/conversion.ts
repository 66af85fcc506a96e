import { CURRENCIES } from '../money/currency.ts'
import type { ConversionLeg } from './instrument.ts'

/** A symbol that may convert: credits multiply by its bid or divide by its ask. */
export interface Pair {
  symbol: string
  base: string
  quote: string
  peg?: boolean
}
/** Configured pegs: rate 1, no quote needed; postings converted through them say `peg`. */
export const PEGS: readonly Pair[] = [
  { symbol: 'USDT/USD', base: 'USDT', quote: 'USD', peg: true },
  { symbol: 'USDC/USD', base: 'USDC', quote: 'USD', peg: true },
]

/** Currencies tried between the two legs of a path, in this order; then the rest by name. */
const BRIDGES = ['USD', 'EUR', 'USDT', 'BTC', 'ETH']

function leg(from: string, to: string, pairs: readonly Pair[]): ConversionLeg | null {
  for (const pair of pairs) {
    const direct = pair.base === from && pair.quote === to
    if (direct || (pair.base === to && pair.quote === from)) {
      return pair.peg ? { symbol: pair.symbol, direct, peg: true } : { symbol: pair.symbol, direct }
    }
  }
  return null
}

/** The path from one currency to another over at most two pairs; null when there is none. A configured peg goes first. */
export function conversionPath(from: string, to: string, pairs: readonly Pair[]): ConversionLeg[] | null {
  if (from === to) return []
  const one = leg(from, to, pairs)
  if (one) return [one]
  const others = [...new Set(pairs.flatMap((pair) => [pair.base, pair.quote]))].sort()
  for (const bridge of [...BRIDGES, ...others]) {
    const first = leg(from, bridge, pairs)
    const second = first && leg(bridge, to, pairs)
    if (second) return [first, second]
  }
  return null
}

/** Paths from `quote` to every currency of the table that the pairs and pegs reach. */
export function conversionsOf(quote: string, pairs: readonly Pair[]): Record<string, ConversionLeg[]> {
  const known = [...PEGS, ...pairs]
  const out: Record<string, ConversionLeg[]> = {}
  for (const currency of Object.keys(CURRENCIES)) {
    const path = conversionPath(quote, currency, known)
    if (path) out[currency] = path
  }
  return out
}
