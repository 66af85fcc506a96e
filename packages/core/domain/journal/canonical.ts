/**
 * Canonical JSON (RFC 8785) of JSON-native values: members sorted by UTF-16 code units, no white space. Numbers are
 * safe integers only, so the format has one spelling of each value in every language; everything else throws
 * TypeError: what is not representable must not be hashed.
 */
export function canonical(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quoted(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw new TypeError(`not a safe integer: ${value}`)
      return String(value)
    case 'object':
      break
    default:
      throw new TypeError(`${typeof value} has no canonical form`)
  }
  if (value === null) return 'null'
  if (Array.isArray(value)) {
    let out = '['
    for (let i = 0; i < value.length; i++) out += (i === 0 ? '' : ',') + canonical(value[i])
    return `${out}]`
  }
  const proto = Object.getPrototypeOf(value)
  if (proto !== Object.prototype && proto !== null)
    throw new TypeError(`${proto?.constructor?.name ?? 'object'} has no canonical form`)
  const object = value as Record<string, unknown>
  const keys = sorted(Object.keys(object))
  let out = '{'
  for (let i = 0; i < keys.length; i++) out += `${i === 0 ? '' : ','}${nameOf(keys[i]!)}${canonical(object[keys[i]!])}`
  return `${out}}`
}

/** Printable ASCII but for " and \: the same inside quotes and out. */
const PLAIN = /^[ !#-[\]-~]*$/
function quoted(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  if (!text.isWellFormed()) throw new TypeError('a lone surrogate has no canonical form')
  return JSON.stringify(text)
}

/** Names of members are few and come again in every record. */
const NAMES = 4096
const names = new Map<string, string>()
/** `"key":` */
function nameOf(key: string): string {
  const known = names.get(key)
  if (known !== undefined) return known
  const name = `${quoted(key)}:`
  if (names.size < NAMES) names.set(key, name)
  return name
}

const FEW = 32
/** In place, by UTF-16 code units. Insertion is several times faster than sort() on the few members that objects have. */
function sorted(keys: string[]): string[] {
  if (keys.length > FEW) return keys.sort()
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i]!
    let at = i
    for (; at > 0 && keys[at - 1]! > key; at--) keys[at] = keys[at - 1]!
    keys[at] = key
  }
  return keys
}

/** Parses text that must be canonical already: any other spelling of the same value throws SyntaxError. */
export function parseCanonical(text: string): unknown {
  const value: unknown = JSON.parse(text)
  let again: string
  try {
    again = canonical(value)
  } catch (error) {
    throw new SyntaxError('not canonical JSON', { cause: error })
  }
  if (again !== text) throw new SyntaxError('not canonical JSON')
  return value
}
