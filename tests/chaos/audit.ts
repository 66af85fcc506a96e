/**
 * The full check of a stopped platform, in a process of its own and on a copy of the database: opens PGlite itself and
 * shares no code with the engine. usage: bun audit.ts HOME ACKS; prints one JSON line.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { auditDatabase } from '../../scripts/audit/audit.ts'
import type { Audited } from '../../scripts/audit/finding.ts'
import { readAcks } from './acks.ts'
import { auditLog } from './audit-log.ts'
import { type Ask, auditPromises } from './audit-promises.ts'

export async function auditHome(home: string, acksFile: string | null): Promise<Audited> {
  const scratch = mkdtempSync(join(tmpdir(), 'assay-audit-'))
  cpSync(join(home, 'pg'), join(scratch, 'pg'), { recursive: true })
  const db = await PGlite.create(join(scratch, 'pg'))
  try {
    const ask: Ask = async (sql, params) => (await db.query<Record<string, unknown>>(sql, params)).rows
    const database = await auditDatabase(ask)
    const log = await auditLog(ask, join(home, 'market-log/main'))
    const acks = acksFile && existsSync(acksFile) ? readAcks(acksFile) : []
    const { keys } = JSON.parse(readFileSync(join(home, 'journal-keys.json'), 'utf8'))
    const promises = await auditPromises(ask, acks, keys)
    return {
      findings: [...database.findings, ...log.findings, ...promises],
      counted: { ...database.counted, 'market events': log.last, acknowledgements: acks.length },
    }
  } finally {
    await db.close()
    rmSync(scratch, { recursive: true, force: true })
  }
}

if (import.meta.main) {
  const [home, acks] = process.argv.slice(2) as [string, string | undefined]
  console.log(JSON.stringify(await auditHome(home, acks ?? null)))
}
