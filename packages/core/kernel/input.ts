import { AssayError } from '../contracts/errors.ts'

/** How deep a body may nest; no schema comes near it. */
const MAX_DEPTH = 32
const NUL = '\u0000'

const refuse = (path: string, detail: string): never => {
  throw new AssayError('validation_failed', detail, path === '' ? {} : { field: path })
}
function check(value: unknown, path: string, depth: number): void {
  if (typeof value === 'string' && value.includes(NUL)) refuse(path, 'The character U+0000 is not allowed.')
  if (typeof value !== 'object' || value === null) return
  if (depth === MAX_DEPTH) refuse('', `At most ${MAX_DEPTH} levels may lie inside each other.`)
  for (const [name, member] of Object.entries(value)) {
    if (name.includes(NUL)) refuse(path, 'The character U+0000 is not allowed.')
    check(member, path === '' ? name : `${path}.${name}`, depth + 1)
  }
}

/** Refuses what no verb could keep: the character that no database text holds, and what is nested without end. */
export function checkInput(parts: { params?: unknown; query?: unknown; body?: unknown }): void {
  for (const part of [parts.params, parts.query, parts.body]) check(part, '', 0)
}
