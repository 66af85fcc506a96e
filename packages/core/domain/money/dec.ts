/**
 * Exact decimals on BigInt: value = n / 10^s. Sums and products are exact; a division says its places and
 * rounds half to even. No floats decide money anywhere in Assay.
 */
export interface Dec {
  readonly n: bigint
  readonly s: number
}

const POW: bigint[] = [1n]
/** 10^k for k >= 0. */
export function pow10(k: number): bigint {
  for (let i = POW.length; i <= k; i++) POW.push(POW[i - 1]! * 10n)
  return POW[k]!
}

export const ZERO: Dec = { n: 0n, s: 0 }
export const ONE: Dec = { n: 1n, s: 0 }
const INPUT = /^-?(0|[1-9]\d{0,39})(\.\d{1,36})?$/
// products of what came in are exact: a converted equity has the digits of quantity, price and two rates
const SHAPE = /^-?(0|[1-9]\d{0,199})(\.\d{1,200})?$/

/** isDec as the source of a regular expression, for documents. */
export const DEC_PATTERN = INPUT.source
/** True for a plain decimal string as it may come in: optional minus, no exponent, no leading zeros, at most 40 + 36 digits. */
export const isDec = (text: string): boolean => INPUT.test(text)

/** Digits, and integers below which, doubles are exact. */
const FEW = 15
const SMALL = 1e15
/** Powers of ten that are doubles. */
const EXACT_POWERS = Array.from({ length: 23 }, (_, s) => 10 ** s)
const ZERO_CODE = 48
const DOT_CODE = 46

/** The decimals of few digits and no sign that nearly all prices and amounts are; null: look closer. */
function decOfFew(text: string): Dec | null {
  const { length } = text
  if (length === 0 || length > FEW) return null
  let n = 0
  let dot = -1
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code === DOT_CODE && dot < 0) dot = i
    else if (code >= ZERO_CODE && code <= ZERO_CODE + 9) n = n * 10 + (code - ZERO_CODE)
    else return null
  }
  if (dot === 0 || dot === length - 1) return null
  if (length > 1 && text.charCodeAt(0) === ZERO_CODE && dot !== 1) return null
  return { n: BigInt(n), s: dot < 0 ? 0 : length - dot - 1 }
}

/** Parses a plain decimal string, our own exact results included (200 + 200 digits). Throws RangeError on anything else. */
export function dec(text: string): Dec {
  const few = decOfFew(text)
  if (few) return few
  if (!SHAPE.test(text)) throw new RangeError(`not a decimal: ${text.slice(0, 60)}`)
  const dot = text.indexOf('.')
  if (dot < 0) return { n: BigInt(text), s: 0 }
  return { n: BigInt(text.slice(0, dot) + text.slice(dot + 1)), s: text.length - dot - 1 }
}

export const ofInt = (value: number | bigint): Dec => ({ n: BigInt(value), s: 0 })

/** The shortest plain decimal string: no trailing zeros, no "-0". The one form that is stored and hashed. */
export function str(d: Dec): string {
  if (d.s === 0) return d.n.toString()
  const n = Number(d.n)
  if (Math.abs(n) < SMALL) return strOfSmall(n, d.s)
  const negative = d.n < 0n
  const digits = (negative ? -d.n : d.n).toString().padStart(d.s + 1, '0')
  let end = digits.length
  const dot = digits.length - d.s
  while (end > dot && digits.charCodeAt(end - 1) === 48) end--
  const body = end === dot ? digits.slice(0, dot) : `${digits.slice(0, dot)}.${digits.slice(dot, end)}`
  return negative && d.n !== 0n ? `-${body}` : body
}

function strOfSmall(n: number, s: number): string {
  let rest = n
  let places = s
  for (; places > 0 && rest % 10 === 0; places--) rest /= 10
  const digits = String(Math.abs(rest)).padStart(places + 1, '0')
  const body = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`
  return rest < 0 ? `-${body}` : body
}

/** With exactly `places` digits behind the point (rounded half-even if there are more): for people. */
export function fixed(d: Dec, places: number): string {
  const r = round(d, places)
  const n = rescale(r, places)
  const digits = (n < 0n ? -n : n).toString().padStart(places + 1, '0')
  const body = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`
  return n < 0n ? `-${body}` : body
}

/** n at scale s; s must not be below d.s unless the dropped digits are zeros. */
export const rescale = (d: Dec, s: number): bigint => (s >= d.s ? d.n * pow10(s - d.s) : d.n / pow10(d.s - s))

export function add(a: Dec, b: Dec): Dec {
  if (a.s === b.s) return { n: a.n + b.n, s: a.s }
  return a.s > b.s ? { n: a.n + b.n * pow10(a.s - b.s), s: a.s } : { n: a.n * pow10(b.s - a.s) + b.n, s: b.s }
}
export const neg = (a: Dec): Dec => ({ n: -a.n, s: a.s })
export function sub(a: Dec, b: Dec): Dec {
  if (a.s === b.s) return { n: a.n - b.n, s: a.s }
  return a.s > b.s ? { n: a.n - b.n * pow10(a.s - b.s), s: a.s } : { n: a.n * pow10(b.s - a.s) - b.n, s: b.s }
}
export const mul = (a: Dec, b: Dec): Dec => ({ n: a.n * b.n, s: a.s + b.s })
export const abs = (a: Dec): Dec => (a.n < 0n ? neg(a) : a)
export function cmp(a: Dec, b: Dec): -1 | 0 | 1 {
  if (a.s === b.s) return a.n < b.n ? -1 : a.n > b.n ? 1 : 0
  const l = a.s >= b.s ? a.n : a.n * pow10(b.s - a.s)
  const r = b.s >= a.s ? b.n : b.n * pow10(a.s - b.s)
  return l < r ? -1 : l > r ? 1 : 0
}
export const eq = (a: Dec, b: Dec): boolean => cmp(a, b) === 0
export const lt = (a: Dec, b: Dec): boolean => cmp(a, b) < 0
export const lte = (a: Dec, b: Dec): boolean => cmp(a, b) <= 0
export const gt = (a: Dec, b: Dec): boolean => cmp(a, b) > 0
export const gte = (a: Dec, b: Dec): boolean => cmp(a, b) >= 0
export const isZero = (a: Dec): boolean => a.n === 0n
export const sign = (a: Dec): -1 | 0 | 1 => (a.n < 0n ? -1 : a.n > 0n ? 1 : 0)
export const min = (a: Dec, b: Dec): Dec => (lte(a, b) ? a : b)
export const max = (a: Dec, b: Dec): Dec => (gte(a, b) ? a : b)
export const sum = (list: Iterable<Dec>): Dec => {
  let total = ZERO
  for (const d of list) total = add(total, d)
  return total
}

/** Integer division n / d rounded half to even; d may be negative. */
function divInt(n: bigint, d: bigint): bigint {
  if (d < 0n) {
    n = -n
    d = -d
  }
  let q = n / d
  const r = n - q * d
  const twice = 2n * (r < 0n ? -r : r)
  if (twice > d || (twice === d && (q & 1n) === 1n)) q += n < 0n ? -1n : 1n
  return q
}

/** a / b, half-even at `places` (18 unless told). Throws RangeError on a zero divisor. */
export function div(a: Dec, b: Dec, places = 18): Dec {
  if (b.n === 0n) throw new RangeError('division by zero')
  const up = places + b.s - a.s
  const n = up >= 0 ? divInt(a.n * pow10(up), b.n) : divInt(a.n, b.n * pow10(-up))
  return { n, s: places }
}

/** Half-even to `places`. */
export const round = (a: Dec, places: number): Dec =>
  a.s <= places ? a : { n: divInt(a.n, pow10(a.s - places)), s: places }

/** The largest multiple of `step` not above a (towards minus infinity). step > 0. */
export function floorTo(a: Dec, step: Dec): Dec {
  const s = Math.max(a.s, step.s)
  const n = rescale(a, s)
  const d = rescale(step, s)
  let q = n / d
  if (n < 0n && q * d !== n) q -= 1n
  return { n: q * d, s }
}
/** The smallest multiple of `step` not below a. step > 0. */
export const ceilTo = (a: Dec, step: Dec): Dec => neg(floorTo(neg(a), step))
export const isMultiple = (a: Dec, step: Dec): boolean => eq(floorTo(a, step), a)
/** For screens and floats that only screen; never for a decision. */
export function toNumber(a: Dec): number {
  const n = Number(a.n)
  // both parts of the quotient are exact: it is rounded once, as a parsed text is
  return Math.abs(n) < SMALL && a.s < EXACT_POWERS.length ? n / EXACT_POWERS[a.s]! : Number(str(a))
}
