import { AssayError } from '../contracts/errors.ts'

/** How deep a body may nest; no schema comes near it. */
const MAX_DEPTH = 32
const NUL = '\u0000'
/** Found at the value itself. */
const HERE = ''

/**
 * Where the first value or name with the character is, `legs[0].price`. The place is put together only when there is one: a
 * body of a MiB may hold half a million values.
 */
function placeOfNul(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') return value.includes(NUL) ? HERE : undefined
  if (typeof value !== 'object' || value === null) return undefined
  if (depth === MAX_DEPTH)
    throw new AssayError('validation_failed', `At most ${MAX_DEPTH} levels may lie inside each other.`)
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      const place = placeOfNul(value[at], depth + 1)
      if (place !== undefined) return joined(`[${at}]`, place)
    }
    return undefined
  }
  for (const name of Object.keys(value)) {
    if (name.includes(NUL)) return HERE
    const place = placeOfNul((value as Record<string, unknown>)[name], depth + 1)
    if (place !== undefined) return joined(name, place)
  }
  return undefined
}
const joined = (name: string, place: string): string =>
  place === HERE || place.startsWith('[') ? `${name}${place}` : `${name}.${place}`

/** Refuses what no verb could keep: the character that no database text holds, and what is nested without end. */
export function checkInput(parts: { params?: unknown; query?: unknown; body?: unknown }): void {
  for (const part of [parts.params, parts.query, parts.body]) {
    const place = placeOfNul(part, 0)
    if (place === undefined) continue
    throw new AssayError(
      'validation_failed',
      'The character U+0000 is not allowed.',
      place === HERE ? {} : { field: place },
    )
  }
}
