import { z } from 'zod'
import { AssayError } from '../errors.ts'

/** Page size of a list when none is asked for, and the most that is given. */
export const PAGE = 100
export const PAGE_MAX = 500

/** How every list is asked for; the cursor is the `next` of the page before, opaque to callers. */
export const PageQuery = z.object({
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE),
})
export type PageQuery = z.output<typeof PageQuery>

/** One page: `next` is null on the last one. */
export const pageOf = <S extends z.ZodType>(item: S) => z.object({ items: z.array(item), next: z.string().nullable() })
export interface Page<T> {
  items: T[]
  next: string | null
}

/** A page from one row more than the limit; `cursorOf` names the place after an item. */
export function toPage<R, T>(
  rows: readonly R[],
  limit: number,
  map: (row: R) => T,
  cursorOf: (row: R) => string,
): Page<T> {
  const shown = rows.slice(0, limit)
  return { items: shown.map(map), next: rows.length > limit ? cursorOf(shown.at(-1)!) : null }
}

/** A cursor that is a record number. Throws validation_failed for anything else. */
export function numberCursor(cursor: string | undefined): number | null {
  if (cursor === undefined) return null
  if (!/^\d{1,15}$/.test(cursor))
    throw new AssayError('validation_failed', 'The cursor is not one that a list gave.', { field: 'cursor' })
  return Number(cursor)
}
