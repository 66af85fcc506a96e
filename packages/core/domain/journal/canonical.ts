/**
 * Canonical JSON (RFC 8785) of JSON-native values: members sorted by UTF-16 code units, no white space. Numbers are
 * safe integers only, so the format has one spelling of each value in every language; everything else throws
 * TypeError: what is not representable must not be hashed.
 */
export function canonical(value: unknown): string {
  const ordered = inOrder(value)
  if (ordered === ODD) return written(value)
  // the runtime's own writer is several times faster than any in the language
  const text = JSON.stringify(ordered)
  return text.includes(ESCAPED_SURROGATE) ? written(value) : text
}
/** A lone surrogate, or a text that has these characters itself. */
const ESCAPED_SURROGATE = '\\ud'

/** An object whose members a runtime orders by itself: numbers as names. */
const ODD = Symbol('odd')
/** The value with all members in order: itself where they are. */
function inOrder(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return checked(value)
    case 'object':
      if (value === null) return null
      return Array.isArray(value) ? itemsInOrder(value) : membersInOrder(value as Record<string, unknown>)
    default:
      throw new TypeError(`${typeof value} has no canonical form`)
  }
}
function checked(value: number): number {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw new TypeError(`not a safe integer: ${value}`)
  return value
}
function itemsInOrder(items: unknown[]): unknown {
  let out = items
  for (let i = 0; i < items.length; i++) {
    const item = inOrder(items[i])
    if (item === items[i]) continue
    if (item === ODD) return ODD
    if (out === items) out = items.slice()
    out[i] = item
  }
  return out
}
function membersInOrder(object: Record<string, unknown>): unknown {
  checkPlain(object)
  const keys = Object.keys(object)
  const { order, isSorted, isOdd } = shapeOf(keys)
  if (isOdd) return ODD
  let out = isSorted ? object : {}
  for (let i = 0; i < order.length; i++) {
    const key = order[i]!
    const member = inOrder(object[key])
    if (member === ODD) return ODD
    if (isSorted) {
      if (member === object[key]) continue
      if (out === object) out = { ...object }
    }
    out[key] = member
  }
  return out
}
function checkPlain(object: object): void {
  const proto = Object.getPrototypeOf(object)
  if (proto !== Object.prototype && proto !== null)
    throw new TypeError(`${proto?.constructor?.name ?? 'object'} has no canonical form`)
}

/** Names of an object's members as they stand, and in order. */
interface Shape {
  keys: string[]
  order: string[]
  isSorted: boolean
  isOdd: boolean
}
/** Shapes are few and come again in every record. Kept by their last name. */
const SHAPES = 4096
const ALIKE = 16
const shapes = new Map<string, Shape[]>()
let known = 0
function shapeOf(keys: string[]): Shape {
  const last = keys.at(-1) ?? ''
  const alike = shapes.get(last)
  const shape = alike?.find((one) => isSame(one.keys, keys))
  if (shape) return shape
  const order = sorted(keys.slice())
  const isOdd = keys.some((key) => /^\d/.test(key) || key === '__proto__' || key === 'toJSON')
  const made = { keys, order, isSorted: isSame(order, keys), isOdd }
  if (known < SHAPES && (alike?.length ?? 0) < ALIKE) {
    known++
    if (alike) alike.push(made)
    else shapes.set(last, [made])
  }
  return made
}
function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** The same, member by member. */
function written(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quoted(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      return String(checked(value))
    case 'object':
      break
    default:
      throw new TypeError(`${typeof value} has no canonical form`)
  }
  if (value === null) return 'null'
  if (Array.isArray(value)) {
    let out = '['
    for (let i = 0; i < value.length; i++) out += (i === 0 ? '' : ',') + written(value[i])
    return `${out}]`
  }
  checkPlain(value)
  const object = value as Record<string, unknown>
  const keys = sorted(Object.keys(object))
  let out = '{'
  for (let i = 0; i < keys.length; i++) out += `${i === 0 ? '' : ','}${nameOf(keys[i]!)}${written(object[keys[i]!])}`
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
