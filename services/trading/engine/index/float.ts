import { type Dec, dec, toNumber } from '@assay/core/domain/money/dec'

/** Decimals of at most 15 significant digits and doubles keep each other's order: what longer prices do is not left to floats. */
const EXACT = 1e15
const DIGITS = 15
const POWERS = Array.from({ length: 23 }, (_, s) => 10 ** s)

/** The nearest double. Both parts of the quotient are exact up to 2^53 and 10^22, so it is rounded once. */
export function floatOf(d: Dec): number {
  const n = Number(d.n)
  return Math.abs(n) < EXACT && d.s < POWERS.length ? n / POWERS[d.s]! : toNumber(d)
}
export const isFloatExact = (d: Dec): boolean => Math.abs(Number(d.n)) < EXACT
/** The same of a plain decimal string. */
export const isFloatExactText = (price: string): boolean =>
  price.length <= DIGITS || price.replace(/^-?0*\.?0*|\./g, '').length <= DIGITS
/** The decimal of at most 15 digits that this double is the nearest one to. */
export function ofFloat(value: number): Dec {
  const text = String(value)
  return dec(text.includes('e') ? value.toFixed(POWERS.length - 1).replace(/\.?0+$/, '') : text)
}
