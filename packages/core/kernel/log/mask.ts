import { createHash } from 'node:crypto'

const SECRETS = [
  'authorization',
  'cookie',
  'password',
  'pin',
  'secret',
  'token',
  'access_token',
  'refresh_token',
  'api_key',
  'apiKey',
  'ticket',
  'ENCRYPTION_KEY',
]
/** What a field is shown as, by its name: secrets are cut out, e-mail addresses hashed. */
export const MASKS: Readonly<Record<string, (value: unknown) => string>> = {
  ...Object.fromEntries(SECRETS.map((name) => [name, () => '[redacted]'])),
  email: (value) =>
    typeof value === 'string'
      ? `sha256:${createHash('sha256').update(value.trim().toLowerCase()).digest('hex').slice(0, 16)}`
      : '[redacted]',
}
const LEVELS = 2

/**
 * The same value with the fields inside it masked, and inside those; what needs no change is not copied. A walk of its
 * own, because a redactor with wildcard paths costs more than all else of a request's line.
 */
export function maskInside<T>(value: T, levels = LEVELS): T {
  // an error is masked when the log has written it out
  if (levels === 0 || typeof value !== 'object' || value === null || value instanceof Error) return value
  return replaced(value, (name, field) => {
    const mask = Object.hasOwn(MASKS, name) ? MASKS[name] : undefined
    return mask ? mask(field) : maskInside(field, levels - 1)
  })
}
/** All fields of a line but its own names, which the log masks by MASKS. */
export const maskBelow = <T extends object>(line: T): T => replaced(line, (_, field) => maskInside(field))

function replaced<T extends object>(value: T, by: (name: string, field: unknown) => unknown): T {
  let copy: T | undefined
  for (const name of Object.keys(value) as (keyof T & string)[]) {
    const shown = by(name, value[name])
    if (shown === value[name]) continue
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as T
    copy[name] = shown as T[typeof name]
  }
  return copy ?? value
}
