import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Db, Sql } from '@assay/core/ports/db/port'
import { writeWholeFile } from '@assay/core/ports/files/write-whole'

/** In the target while a move goes on: it belongs to one folder until its end. */
export const CLAIM_TABLE = 'public._assay_move'

export interface Claim {
  id: string
  home: string
  /** where each part goes */
  to: Record<string, string>
  /** every table is there, committed */
  copied: boolean
}
const fileIn = (home: string): string => join(home, 'moving.json')

/** Null: nobody moves into this database. */
export async function readClaim(target: Sql): Promise<Claim | null> {
  const [there] = await target.query('select 1 where to_regclass($1) is not null', [CLAIM_TABLE])
  if (!there) return null
  const [row] = await target.query(`select id, home, targets, copied from ${CLAIM_TABLE}`)
  if (!row) return null
  const { id, home, targets, copied } = row
  return { id, home, to: targets, copied } as Claim
}

/** Whether it was this folder's move that began. */
export function isOwn(home: string, claim: Claim): boolean {
  try {
    return JSON.parse(readFileSync(fileIn(home), 'utf8')).id === claim.id
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** The folder knows its move before the target does. */
export async function makeClaim(target: Db, home: string, to: Record<string, string>): Promise<Claim> {
  const id = crypto.randomUUID()
  await writeWholeFile(fileIn(home), `${JSON.stringify({ id, to }, null, 2)}\n`)
  await target.tx(async (sql) => {
    await sql.script(`create table if not exists ${CLAIM_TABLE} (
      one boolean primary key default true check (one), id text not null, home text not null, targets json not null,
      begun_at timestamptz not null default now(), copied boolean not null default false)`)
    await sql.query(`insert into ${CLAIM_TABLE} (id, home, targets) values ($1, $2, $3::json)`, [
      id,
      home,
      JSON.stringify(to),
    ])
  })
  return { id, home, to, copied: false }
}

export async function noteCopied(sql: Sql): Promise<void> {
  await sql.query(`update ${CLAIM_TABLE} set copied = true`)
}

/** The move has come to its end: nothing of it stays but the folder's mark. */
export async function dropClaim(target: Db, home: string): Promise<void> {
  await target.script(`drop table if exists ${CLAIM_TABLE}`)
  rmSync(fileIn(home), { force: true })
}
