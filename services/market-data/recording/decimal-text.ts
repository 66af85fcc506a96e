const PLAIN = /^(?:0|[1-9]\d{0,39})(?:\.\d{0,35}[1-9])?$/
const ANY = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/

/**
 * A number as recordings write it (`46319.0`, `1e-05`, `.5`, `+3`) as the plain decimal string that is stored and
 * hashed; null when it is none or has more than 40 + 36 digits.
 */
export function decimalText(text: string): string | null {
  if (PLAIN.test(text)) return text
  const match = ANY.exec(text.trim())
  if (!match) return null
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  if (whole === '' && fraction === '') return null
  const shift = Number(exponent)
  const digits = whole + fraction
  const point = whole.length + shift
  const left = point > 0 ? digits.slice(0, point).padEnd(point, '0') : ''
  const right = point > 0 ? digits.slice(point) : '0'.repeat(-point) + digits
  const integer = left.replace(/^0+/, '') || '0'
  const decimals = right.replace(/0+$/, '')
  if (integer.length > 40 || decimals.length > 36) return null
  const body = decimals === '' ? integer : `${integer}.${decimals}`
  return sign === '-' && body !== '0' ? `-${body}` : body
}

/** Digits behind the point of a plain decimal string. */
export function places(text: string): number {
  const dot = text.indexOf('.')
  return dot < 0 ? 0 : text.length - dot - 1
}
/** 10^-places as a plain decimal string. */
export const unitOf = (digits: number): string => (digits === 0 ? '1' : `0.${'0'.repeat(digits - 1)}1`)
