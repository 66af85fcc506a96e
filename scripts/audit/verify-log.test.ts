import { afterAll, beforeAll, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { auditRecorded } from '@assay/core/contracts/topics/identity'
import { openBlobFolder } from '@assay/core/ports/blobs/folder'
import { systemClock } from '@assay/core/ports/clock/system'
import { openPglite } from '@assay/core/ports/db/pglite'
import type { Db } from '@assay/core/ports/db/port'
import { openSecretsFile } from '@assay/core/ports/secrets/file'
import { type TestDatabase, testPglite } from '@assay/core/testing/database'
import { AUDIT_KEYS_FILE, openAuditKeys } from '@assay/services/gateway/audit/keys'
import { writeCheckpoint } from '@assay/services/gateway/audit/write-checkpoint'
import { onAuditRecorded } from '@assay/services/gateway/consumers/audit-recorded'
import { ROOT } from '../root.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testPglite()
})
afterAll(() => database.drop())

/** `assay audit verify` on the stopped data folder */
async function verify(...more: string[]): Promise<{ exit: number; out: string; err: string }> {
  const env = { PATH: process.env.PATH ?? '', ASSAY_HOME: database.home, LOG_LEVEL: 'silent' }
  const child = Bun.spawn([process.execPath, 'scripts/cli.ts', 'audit', 'verify', ...more], {
    cwd: ROOT,
    env,
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { exit: await child.exited, out, err }
}
async function whileOpen(work: (db: Db) => Promise<void>): Promise<void> {
  const db = await openPglite({ home: database.home, log: { info: () => {}, error: console.error } })
  try {
    await work(db)
  } finally {
    await db.close()
  }
}

test('assay audit verify: 0 where the log holds, 1 and the place where it does not, 2 where it can not tell', async () => {
  const { db, home } = database
  const secrets = await openSecretsFile({ home, log: { warn() {} } })
  const keys = await openAuditKeys({ secrets, clock: systemClock, home })
  const consumer = onAuditRecorded(db.as('gateway'))
  for (let i = 0; i < 3; i++) {
    const data = { action: 'login', actor: 'u', tenant: 'acme', detail: { i } }
    const envelope = { id: Bun.randomUUIDv7(), topic: auditRecorded.name, key: 'u', ts: new Date().toISOString(), data }
    await consumer.handle({ envelope, partition: 0, offset: i, attempt: 1 } as never)
  }
  await writeCheckpoint({ db: db.as('gateway'), blobs: openBlobFolder(join(home, 'blobs')), keys, clock: systemClock })
  expect((await verify()).exit).toBe(2)
  await db.close()

  const good = await verify()
  expect([good.exit, good.err]).toEqual([0, ''])
  expect(good.out).toContain('3 rows, 1 checkpoints: all of it holds')
  expect(JSON.parse((await verify('--json', '--tenant', 'acme', '--from', '2')).out)).toMatchObject({
    findings: [],
    rows: 2,
    chains: [{ tenant: 'acme', seq: 3 }],
  })

  const unknown = await verify('--tenant', 'acne')
  expect([unknown.exit, unknown.err]).toEqual([2, expect.stringContaining('no chain of acne')])

  await whileOpen((db) =>
    db.script(`alter table gateway.audit disable trigger user;
      update gateway.audit set actor = 'x' where seq = 2; alter table gateway.audit enable trigger user`),
  )
  const bad = await verify()
  expect([bad.exit, bad.err]).toEqual([1, ''])
  expect(bad.out).toContain('BROKEN  acme/2 is not what was hashed: it was changed')

  rmSync(join(home, AUDIT_KEYS_FILE))
  const blind = await verify()
  expect([blind.exit, blind.out]).toEqual([2, ''])
  expect(blind.err).toContain('--keys FILE')
  expect((await verify('--from', '0')).err).toContain('usage: assay audit verify')
}, 60_000)
