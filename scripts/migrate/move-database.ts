import type { Db, Sql } from '@assay/core/ports/db/port'
import { noteCopied } from './claim.ts'
import type { Rewrap, RewrapColumn } from './rewrap.ts'
import { counted, MigrateError, type Say } from './step.ts'
import { filledTables, type Measure, measure, SEEDED, type Table, tablesOf } from './tables.ts'

export interface MoveDatabase {
  source: Db
  target: Db
  /** tables whose content goes elsewhere */
  without: readonly string[]
  /** columns that the secrets server's keys seal from now on; absent: the secrets stay */
  rewrap?: Rewrap | undefined
  say: Say
}
const BATCH = 500
/** What decides how a value is written as text. */
const AS_TEXT = `set local timezone to 'UTC'; set local datestyle to iso; set local extra_float_digits to 1`
/** A copy takes as long as it takes. */
const NO_LIMIT = 'set local statement_timeout to 0; set local idle_in_transaction_session_timeout to 0'

/**
 * Every table and sequence, in one transaction of the target: what ends early leaves nothing. Each table is compared
 * on both sides before the commit, and every deferred constraint looks at it there.
 */
export async function moveDatabase({ source, target, without, rewrap, say }: MoveDatabase): Promise<void> {
  await target.tx(async (to) => {
    await to.script(`${NO_LIMIT}; ${AS_TEXT}`)
    await refuseFilled(to, without)
    for (const name of SEEDED) await to.query(`delete from ${name}`)
    await source.tx(async (from) => {
      await from.script(AS_TEXT)
      const tables = await sameTables(from, to)
      for (const [index, table] of tables.entries()) {
        if (without.includes(table.name)) continue
        const change = rewrap?.of(table)
        await copyTable({ from, to, table, index, change })
        // what was put aside until the commit is looked at now: the next ones see the table as it will be
        await to.script('set constraints all immediate; set constraints all deferred')
        const { rows, hash } = await compared(from, to, change ? withoutColumn(table, change.column) : table)
        const told = change ? `same but ${change.column}, wrapped anew` : 'same'
        say('database', `${table.name.padEnd(28)} ${counted(rows, 'row').padStart(14)}  ${hash.slice(0, 16)}  ${told}`)
      }
      await copySequences(from, to, say)
    })
    await noteCopied(to)
  })
}

async function refuseFilled(to: Sql, without: readonly string[]): Promise<void> {
  const filled = (await filledTables(to)).filter((name) => !without.includes(name))
  if (filled.length > 0) throw new MigrateError(`the target has got data meanwhile: ${filled.join(', ')}`)
}

async function sameTables(from: Sql, to: Sql): Promise<Table[]> {
  const [here, there] = [await tablesOf(from), await tablesOf(to)]
  const describe = (tables: readonly Table[]) => new Map(tables.map((table) => [table.name, JSON.stringify(table)]))
  const [own, other] = [describe(here), describe(there)]
  const differing = [...new Set([...own.keys(), ...other.keys()])].filter((name) => own.get(name) !== other.get(name))
  if (differing.length > 0) throw new MigrateError(`tables are made differently on both sides: ${differing.join(', ')}`)
  return here
}

interface CopyTable {
  from: Sql
  to: Sql
  table: Table
  index: number
  change: RewrapColumn | undefined
}
async function copyTable({ from, to, table: { name, columns, types }, index, change }: CopyTable): Promise<void> {
  const cursor = `moving_${index}`
  const fields = columns.map((_, i) => `c${i}`)
  const texts = columns.map((column, i) => `${column}::text as c${i}`).join(', ')
  const values = types.map((type, i) => `c${i}::${type}`).join(', ')
  const arrays = columns.map((_, i) => `$${i + 1}::text[]`).join(', ')
  const insert = `insert into ${name} (${columns.join(', ')}) overriding system value
    select ${values} from unnest(${arrays}) as r(${fields.join(', ')})`
  await from.query(`declare ${cursor} no scroll cursor for select ${texts} from ${name}`)
  for (;;) {
    const rows = await from.query<Record<string, string | null>>(`fetch ${BATCH} from ${cursor}`)
    if (rows.length === 0) break
    if (change) await change.rows(rows, (column) => fields[columns.indexOf(column)]!)
    await to.query(
      insert,
      fields.map((field) => rows.map((row) => row[field]!)),
    )
  }
  await from.query(`close ${cursor}`)
}

async function compared(from: Sql, to: Sql, table: Table): Promise<Measure> {
  const [here, there] = [await measure(from, table), await measure(to, table)]
  if (here.rows === there.rows && here.hash === there.hash) return here
  const told = ({ rows, hash }: Measure) => `${counted(rows, 'row')} ${hash.slice(0, 16)}`
  throw new MigrateError(
    `${table.name} is not the same on both sides: ${told(here)} in the folder, ${told(there)} in the target; nothing was kept there`,
  )
}

function withoutColumn(table: Table, column: string): Table {
  const at = table.columns.indexOf(column)
  return { ...table, columns: table.columns.toSpliced(at, 1), types: table.types.toSpliced(at, 1) }
}

async function copySequences(from: Sql, to: Sql, say: Say): Promise<void> {
  const rows = await from.query<{ name: string; last: string | null }>(
    `select quote_ident(schemaname) || '.' || quote_ident(sequencename) as name, last_value::text as last
     from pg_sequences order by 1`,
  )
  for (const { name, last } of rows) if (last !== null) await to.query('select setval($1::regclass, $2)', [name, last])
  say('database', `${counted(rows.length, 'sequence')} set`)
}
