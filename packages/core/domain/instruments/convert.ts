import type { Quote } from '../engine/view.ts'
import { type Dec, div, mul, sign, str } from '../money/dec.ts'
import type { ConversionLeg } from './instrument.ts'

/** Where a conversion finds the newest accepted quote of a symbol. */
export type QuoteOf = (symbol: string) => Quote | null

export interface Conversion {
  value: Dec
  /** the rates used, in order: `*1.1` credit or debit times, `/150.02` divided by; "1" when none */
  rate: string
  /** mseq of each quote used */
  mseqs: number[]
}

/**
 * An amount along a path into the account's currency, by its own sign, at the side that is worse for the trader:
 * X/ACC: a credit times bid, a debit times ask; ACC/X: a credit through ask, a debit through bid (trading.md, Currency).
 * Divisions are half-even at 18 places; nothing is rounded to money here. Null when a quote is missing.
 */
export function convert(amount: Dec, path: readonly ConversionLeg[], quoteOf: QuoteOf): Conversion | null {
  let value = amount
  const rates: string[] = []
  const mseqs: number[] = []
  const credit = sign(amount) >= 0
  for (const leg of path) {
    if (leg.peg) {
      rates.push('peg')
      continue
    }
    const quote = quoteOf(leg.symbol)
    if (!quote) return null
    const side = leg.direct === credit ? quote.bid.price : quote.ask.price
    value = leg.direct ? mul(value, side) : div(value, side)
    rates.push(`${leg.direct ? '*' : '/'}${str(side)}`)
    mseqs.push(quote.mseq)
  }
  return { value, rate: rates.length ? rates.join(' ') : '1', mseqs }
}
