import { AssayError } from '../contracts/errors.ts'
import type { Row, Sql } from '../ports/db/port.ts'

/** Rows of a service's table that are about a user: how they are found, what is exported, what erasing does. */
export interface PersonalTable {
  /** with its schema */
  table: string
  /** condition on the user, $1 */
  of: string
  /** what is exported: never a hash or a secret */
  columns: readonly string[]
  /** unique order of the rows, with types: pages go by it */
  key: Readonly<Record<string, string>>
  /** what erasing does with the rows; `set` writes over what is personal */
  erase: 'delete' | 'keep' | { set: string }
  /** why it is kept or how it goes */
  why: string
}

/** Rows of one page of an export. */
export const EXPORT_PAGE = 200

export interface PersonalPage {
  rows: Row[]
  /** of the page after this one; null: it was the last */
  next: string | null
}

/** One page of what a table holds about a user. */
export async function readPersonal(
  sql: Pick<Sql, 'query'>,
  { table, of, columns, key }: PersonalTable,
  { userId, after }: { userId: string; after: string | null },
): Promise<PersonalPage> {
  const names = Object.keys(key)
  const place = after === null ? null : placeOf(after, names.length)
  const beyond = place
    ? `and (${names.join(', ')}) > (${names.map((name, i) => `$${i + 2}::${key[name]}`).join(', ')})`
    : ''
  const rows = await sql.query<Row & { place_: string[] }>(
    `select ${columns.join(', ')}, array[${names.map((name) => `${name}::text`).join(', ')}] as place_
       from ${table} where (${of}) ${beyond} order by ${names.join(', ')} limit ${EXPORT_PAGE + 1}`,
    [userId, ...(place ?? [])],
  )
  const shown = rows.slice(0, EXPORT_PAGE)
  return {
    rows: shown.map(({ place_: _, ...row }) => row),
    // not as it is: a query string that looks like JSON is parsed before its route sees it
    next: rows.length > EXPORT_PAGE ? Buffer.from(JSON.stringify(shown.at(-1)!.place_)).toString('base64url') : null,
  }
}

function placeOf(after: string, length: number): string[] {
  const place = parsed(Buffer.from(after, 'base64url').toString())
  if (Array.isArray(place) && place.length === length && place.every((part) => typeof part === 'string')) return place
  throw new AssayError('validation_failed', 'cursor: is not one that a page gave', { field: 'cursor' })
}
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** What erasing a user does to these tables, in one transaction. */
export async function erasePersonal(
  sql: Pick<Sql, 'query'>,
  tables: readonly PersonalTable[],
  userId: string,
): Promise<void> {
  for (const { table, of, erase } of tables) {
    if (erase === 'keep') continue
    const change = erase === 'delete' ? `delete from ${table}` : `update ${table} set ${erase.set}`
    await sql.query(`${change} where ${of}`, [userId])
  }
}
