/**
 * Every number of the oracle is an integer at one scale, 10^72: wide enough that all products of the specification
 * are exact. A product that is not is an error of the oracle, so it throws.
 */
export const ONE = 10n ** 72n
const AT_18 = 10n ** 18n
const TEN_THOUSAND = 10_000n

export function num(text: string): bigint {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? []
  if (whole === undefined) throw new Error(`not a decimal: ${text}`)
  const value = BigInt(whole + fraction) * 10n ** BigInt(72 - fraction.length)
  return sign ? -value : value
}
export function text(value: bigint): string {
  const digits = abs(value).toString().padStart(73, '0')
  const fraction = digits.slice(-72).replace(/0+$/, '')
  return (value < 0n ? '-' : '') + digits.slice(0, -72) + (fraction ? `.${fraction}` : '')
}
export const abs = (a: bigint): bigint => (a < 0n ? -a : a)
export const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)
export const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)

export function mul(a: bigint, b: bigint): bigint {
  const product = a * b
  const value = product / ONE
  if (value * ONE !== product) throw new Error(`not exact: ${text(a)} x ${text(b)}`)
  return value
}
/** Half-even at 18 places. */
export const div = (a: bigint, b: bigint): bigint => halfEven(a * AT_18, b) * (ONE / AT_18)
/** Half-even at so many places: what a ledger books. */
export function round(a: bigint, places: number): bigint {
  const unit = 10n ** BigInt(72 - places)
  return halfEven(a, unit) * unit
}
/** `a` x bps / 10,000, exact. */
export const bpsOf = (a: bigint, bps: bigint): bigint => mul(a, bps) / TEN_THOUSAND
export const percentOf = (a: bigint, pct: bigint): bigint => mul(a, pct) / 100n
/** Of what is not negative. */
export const floorTo = (a: bigint, step: bigint): bigint => (a / step) * step
export const ceilTo = (a: bigint, step: bigint): bigint => floorTo(a + step - 1n, step)

function halfEven(a: bigint, b: bigint): bigint {
  if (b < 0n) return halfEven(-a, -b)
  if (a < 0n) return -halfEven(-a, b)
  const whole = a / b
  const twice = 2n * (a % b)
  return twice > b || (twice === b && whole % 2n === 1n) ? whole + 1n : whole
}
