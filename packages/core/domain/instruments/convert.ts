import type { Quote } from '../engine/view.ts'
import { type Dec, div, mul, str } from '../money/dec.ts'
import type { ConversionLeg } from './instrument.ts'

/** Where a conversion finds the newest accepted quote of a symbol. */
export type QuoteOf = (symbol: string) => Quote | null
/** The two prices that value something. */
export interface Touch {
  readonly bid: { readonly price: Dec }
  readonly ask: { readonly price: Dec }
}
export type TouchOf = (symbol: string) => Touch | null

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
export function valueIn(amount: Dec, path: readonly ConversionLeg[], touchOf: TouchOf): Dec | null {
  let value = amount
  const credit = amount.n >= 0n
  for (const leg of path) {
    if (leg.peg) continue
    const touch = touchOf(leg.symbol)
    if (!touch) return null
    value = leg.direct ? mul(value, sideOf(leg, credit, touch)) : div(value, sideOf(leg, credit, touch))
  }
  return value
}
const sideOf = (leg: ConversionLeg, credit: boolean, touch: Touch): Dec =>
  leg.direct === credit ? touch.bid.price : touch.ask.price

/** The same, with what converted it: for what is booked. */
export function convert(amount: Dec, path: readonly ConversionLeg[], quoteOf: QuoteOf): Conversion | null {
  const value = valueIn(amount, path, quoteOf)
  if (!value) return null
  const rates: string[] = []
  const mseqs: number[] = []
  for (const leg of path) {
    if (leg.peg) {
      rates.push('peg')
      continue
    }
    const quote = quoteOf(leg.symbol)!
    rates.push(`${leg.direct ? '*' : '/'}${str(sideOf(leg, amount.n >= 0n, quote))}`)
    mseqs.push(quote.mseq)
  }
  return { value, rate: rates.length ? rates.join(' ') : '1', mseqs }
}
