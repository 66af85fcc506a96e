import { type Dec, ofInt, ZERO } from '../money/dec.ts'
import type { Standing } from './kind.ts'

/** So many of so many. */
export function countOf(value: number, of: number, met: boolean | null): Standing {
  return {
    metric: null,
    value: ofInt(value),
    limit: ofInt(of),
    remaining: ofInt(Math.max(0, of - value)),
    used: { part: ofInt(value), whole: ofInt(of) },
    met,
    unit: 'number',
  }
}
/** What is there now against the most that may be. */
export function mostOf(value: Dec, limit: Dec, remaining: Dec, unit: Standing['unit']): Standing {
  return { metric: null, value, limit, remaining, used: { part: value, whole: limit }, met: null, unit }
}
/** A list that an order must be on. */
export function listOf(held: readonly string[], allowed: readonly string[]): Standing {
  return {
    metric: null,
    value: held.join(' '),
    limit: allowed.join(' '),
    remaining: '',
    used: { part: ZERO, whole: ofInt(1) },
    met: null,
    unit: 'number',
  }
}
