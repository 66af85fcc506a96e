import type { Sql } from '@assay/core/ports/db/port'
import { CLAIM_TABLE } from './claim.ts'

export interface Table {
  /** schema.name */
  name: string
  /** those that hold data of their own: what is generated is made again */
  columns: string[]
  types: string[]
}

const OURS = `n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'`
/** Each side keeps its own. */
const LEDGERS = ['public._prisma_migrations', CLAIM_TABLE]
/** What the migrations themselves put into an empty database. */
export const SEEDED = ['bus.lane', 'trading.slot', 'gateway.tenants']

/** Every table, after those that it refers to. */
export async function tablesOf(sql: Sql): Promise<Table[]> {
  const tables = await sql.query<Table & { [column: string]: unknown }>(
    `select n.nspname || '.' || c.relname as name,
       array_agg(quote_ident(a.attname) order by a.attnum) as columns,
       array_agg(format_type(a.atttypid, a.atttypmod) order by a.attnum) as types
     from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
     where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and ${OURS}
       and n.nspname || '.' || c.relname <> all($1::text[])
     group by 1 order by 1`,
    [LEDGERS],
  )
  return inOrder(tables, await references(sql))
}

async function references(sql: Sql): Promise<Map<string, string[]>> {
  const rows = await sql.query<{ from: string; to: string }>(
    `select n.nspname || '.' || c.relname as "from", m.nspname || '.' || d.relname as "to"
     from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
       join pg_class d on d.oid = k.confrelid join pg_namespace m on m.oid = d.relnamespace
     where k.contype = 'f' and c.oid <> d.oid`,
  )
  return Map.groupBy(rows, ({ from }) => from)
    .entries()
    .reduce(
      (all, [from, list]) =>
        all.set(
          from,
          list.map(({ to }) => to),
        ),
      new Map<string, string[]>(),
    )
}

function inOrder(tables: readonly Table[], references: ReadonlyMap<string, readonly string[]>): Table[] {
  const ordered = new Map<string, Table>()
  const visiting = new Set<string>()
  const visit = (table: Table): void => {
    if (ordered.has(table.name) || visiting.has(table.name)) return
    visiting.add(table.name)
    for (const name of references.get(table.name) ?? []) {
      const referred = tables.find((one) => one.name === name)
      if (referred) visit(referred)
    }
    ordered.set(table.name, table)
  }
  for (const table of tables) visit(table)
  return [...ordered.values()]
}

export interface Measure {
  rows: number
  /** exclusive or of the SHA-256 of every row as text: the same for the same rows, in whatever order they lie */
  hash: string
}

export async function measure(sql: Sql, { name, columns }: Table): Promise<Measure> {
  const [found] = await sql.query<{ rows: string; bits: string | null }>(
    `select count(*) as rows,
       bit_xor(('x' || encode(sha256(convert_to(row(${columns.join(', ')})::text, 'UTF8')), 'hex'))::bit(256))::text as bits
     from ${name}`,
  )
  const bits = BigInt(`0b${found!.bits ?? '0'}`)
  return { rows: Number(found!.rows), hash: bits.toString(16).padStart(64, '0') }
}

export async function rowsOf(sql: Sql, { name }: Pick<Table, 'name'>): Promise<number> {
  const [row] = await sql.query<{ n: string }>(`select count(*) as n from ${name}`)
  return Number(row!.n)
}

/** The names of tables that hold more than a new database does. */
export async function filledTables(sql: Sql): Promise<string[]> {
  const filled: string[] = []
  for (const table of await tablesOf(sql)) {
    if (SEEDED.includes(table.name)) continue
    const [row] = await sql.query(`select from ${table.name} limit 1`)
    if (row) filled.push(table.name)
  }
  return filled
}
