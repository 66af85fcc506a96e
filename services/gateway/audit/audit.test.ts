import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { auditRecorded } from '@assay/core/contracts/topics/identity'
import { auditHash, NO_HASH } from '@assay/core/domain/audit/chain'
import { signWith, trustedKeys } from '@assay/core/domain/journal/keys'
import type { Keyring } from '@assay/core/kernel/keyring'
import { openBlobFolder } from '@assay/core/ports/blobs/folder'
import type { Blobs } from '@assay/core/ports/blobs/port'
import type { Delivered } from '@assay/core/ports/bus/port'
import type { Db } from '@assay/core/ports/db/port'
import { openSecretsFile } from '@assay/core/ports/secrets/file'
import { describeAdapters } from '@assay/core/testing/adapters'
import { ManualClock } from '@assay/core/testing/clock'
import { databases, type TestDatabase } from '@assay/core/testing/database'
import { onAuditRecorded } from '../consumers/audit-recorded.ts'
import { openAuditKeys } from './keys.ts'
import { verifyAudit } from './verify-audit.ts'
import { CHECKPOINTS, writeCheckpoint } from './write-checkpoint.ts'

const FAR = 1_000_000_000_000

describeAdapters('audit log', databases, (openDatabase) => {
  let database: TestDatabase
  let db: Db
  let blobs: Blobs
  let keys: Keyring
  let consume: (message: Delivered) => Promise<void>
  const clock = new ManualClock()
  let chains = 0
  beforeAll(async () => {
    database = await openDatabase()
    db = database.db.as('gateway')
    blobs = openBlobFolder(join(database.home, 'blobs'))
    const secrets = await openSecretsFile({ home: database.home, log: { warn() {} } })
    keys = await openAuditKeys({ secrets, clock, home: database.home })
    consume = onAuditRecorded(db).handle
  })
  afterAll(() => database.drop())

  const message = (tenant: string, detail: object = {}, id = Bun.randomUUIDv7()): Delivered => ({
    envelope: {
      id,
      topic: auditRecorded.name,
      key: 'u',
      ts: new Date(FAR).toISOString(),
      producer: 'gateway',
      version: 1,
      trace: null,
      seq: 1,
      data: { action: 'login', actor: 'u', tenant, detail },
    },
    partition: 0,
    offset: 0,
    attempt: 1,
  })
  /** a chain of its own with n rows, witnessed after each `checkpoints` */
  async function chain(n: number, checkpoints: readonly number[] = [n]): Promise<string> {
    const tenant = `t${chains++}`
    for (let i = 1; i <= n; i++) {
      await consume(message(tenant, { i }))
      if (checkpoints.includes(i)) await checkpoint()
    }
    return tenant
  }
  async function checkpoint(): Promise<void> {
    await clock.advance(1_000)
    while (await writeCheckpoint({ db, blobs, keys, clock }));
  }
  const verify = (tenant?: string, from?: number) =>
    verifyAudit({ sql: database.db, blobs, keys: trustedKeys(keys.document().keys), tenant, from })
  const said = async (tenant: string) => (await verify(tenant)).findings.map(({ place, said }) => `${place} ${said}`)
  /** whoever owns the database gets past the triggers */
  const tamper = (sql: string) =>
    database.db.script(
      `alter table gateway.audit disable trigger user; ${sql}; alter table gateway.audit enable trigger user`,
    )
  const rows = (tenant: string) =>
    db.query<{ seq: string; hash: string; prev: string; id: string; detail: string }>(
      'select * from audit where tenant = $1 order by seq',
      [tenant],
    )
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error) => String(error),
    )

  describe('the chain', () => {
    test('every row names the hash of the one before it and the first none, for each tenant apart', async () => {
      const [one, other] = [await chain(3), await chain(2)]
      for (const tenant of [one, other]) {
        let prev = NO_HASH
        for (const row of await rows(tenant)) {
          expect(row.prev).toBe(prev)
          prev = row.hash
        }
      }
      const [first] = await rows(one)
      const at = new Date(FAR).toISOString()
      const record = { tenant: one, seq: 1, id: first!.id, at, action: 'login', actor: 'u', detail: { i: 1 } }
      expect(first!.hash).toBe(auditHash(NO_HASH, record))
      expect(await verify(one)).toMatchObject({ findings: [], rows: 3, chains: [{ tenant: one, seq: 3 }] })
    })

    test('an event that is delivered again is one row, also when the inbox has forgotten it', async () => {
      const tenant = await chain(1)
      const twice = message(tenant, { twice: true })
      await consume(twice)
      await consume(twice)
      await database.db.query('delete from bus.inbox')
      await consume(twice)
      await consume(message(tenant))
      expect((await rows(tenant)).map(({ seq }) => Number(seq))).toEqual([1, 2, 3])
      expect(await said(tenant)).toEqual([])
    })

    test('events that are appended at once, by several processes, make one chain without a gap', async () => {
      const tenant = await chain(0)
      const handlers = [consume, onAuditRecorded((await database.another()).as('gateway')).handle]
      await Promise.all(Array.from({ length: 40 }, (_, i) => handlers[i % 2]!(message(tenant, { i }))))
      await checkpoint()
      expect(await verify(tenant)).toMatchObject({ findings: [], rows: 40 })
    })

    test('what a text may hold is hashed as it is', async () => {
      const tenant = await chain(0)
      await consume(message(tenant, { odd: 'a\u0000b"\\é\u2028😀', 1: [null, true, -5], nested: { z: 1, a: 2 } }))
      expect(await said(tenant)).toEqual([])
    })

    test("the gateway's own role can neither change nor delete a row or a checkpoint, and the owner is stopped too", async () => {
      const tenant = await chain(1)
      for (const table of ['audit', 'audit_checkpoint'])
        for (const sql of [`update ${table} set hash = 'x'`, `delete from ${table}`, `truncate ${table}`]) {
          expect(await failure(db.query(sql))).toContain('permission denied')
          expect(await failure(database.db.query(sql.replace(table, `gateway.${table}`)))).toContain('append-only')
        }
      expect(await rows(tenant)).toHaveLength(1)
    })
  })

  describe('verification finds', () => {
    test('a changed row', async () => {
      for (const change of [`actor = 'x'`, `detail = '{}'`, `at = at + interval '1 ms'`, `action = 'logout'`]) {
        const tenant = await chain(3)
        await tamper(`update gateway.audit set ${change} where tenant = '${tenant}' and seq = 2`)
        expect(await said(tenant)).toEqual([`${tenant}/2 is not what was hashed: it was changed`])
      }
    })

    test('a changed row whose hash was made again', async () => {
      const tenant = await chain(3)
      const second = (await rows(tenant))[1]!
      const at = new Date(FAR).toISOString()
      const record = { tenant, seq: 2, id: second.id, at, action: 'login', actor: 'x', detail: { i: 2 } }
      const hash = auditHash(second.prev, record)
      await tamper(`update gateway.audit set actor = 'x', hash = '${hash}' where tenant = '${tenant}' and seq = 2`)
      expect(await said(tenant)).toEqual([
        `${tenant}/3 does not follow the row before it: order or content was changed`,
      ])
    })

    test('a deleted row, in the middle and at the beginning', async () => {
      for (const seq of [1, 2]) {
        const tenant = await chain(4)
        await tamper(`delete from gateway.audit where tenant = '${tenant}' and seq = ${seq}`)
        expect(await said(tenant)).toEqual([`${tenant}/${seq + 1} the 1 rows before it are gone`])
      }
    })

    test('rows cut off the end, also when the head was moved back with them', async () => {
      const tenant = await chain(4)
      await tamper(`delete from gateway.audit where tenant = '${tenant}' and seq > 2`)
      expect(await said(tenant)).toContainEqual(expect.stringContaining('does not end where its head says'))
      const last = (await rows(tenant)).at(-1)!
      await db.query('update audit_head set seq = 2, hash = $2 where tenant = $1', [tenant, last.hash])
      expect(await said(tenant)).toEqual([
        expect.stringMatching(new RegExp(`^${tenant}/4 is gone: checkpoint \\d+ holds it$`)),
      ])
    })

    test('a whole chain that is gone', async () => {
      const tenant = await chain(2)
      await tamper(`delete from gateway.audit where tenant = '${tenant}'`)
      await db.query('delete from audit_head where tenant = $1', [tenant])
      expect(await said(tenant)).toContainEqual(expect.stringContaining(`${tenant}/2 is gone`))
      expect((await verify()).findings.map(({ place }) => place)).toContain(`${tenant}/2`)
    })

    test('rows whose places were changed', async () => {
      const tenant = await chain(4)
      await tamper(`update gateway.audit set seq = 99 where tenant = '${tenant}' and seq = 2;
        update gateway.audit set seq = 2 where tenant = '${tenant}' and seq = 3;
        update gateway.audit set seq = 3 where tenant = '${tenant}' and seq = 99`)
      const found = await said(tenant)
      expect(found).toContain(`${tenant}/2 does not follow the row before it: order or content was changed`)
      expect(found).toContain(`${tenant}/2 is not what was hashed: it was changed`)
    })

    test('a chain that was written anew with right hashes, by the checkpoint before it, also when a later one holds the new rows', async () => {
      const tenant = await chain(4, [3, 4])
      let prev = NO_HASH
      const anew: string[] = []
      for (const { id, seq } of await rows(tenant)) {
        const at = new Date(FAR).toISOString()
        const record = { tenant, seq: Number(seq), id, at, action: 'login', actor: 'x', detail: {} }
        const hash = auditHash(prev, record)
        anew.push(`update gateway.audit set actor = 'x', detail = '{}', prev = '${prev}', hash = '${hash}'
          where tenant = '${tenant}' and seq = ${seq}`)
        prev = hash
      }
      await tamper(anew.join(';'))
      await db.query('update audit_head set hash = $2 where tenant = $1', [tenant, prev])
      const rewritten = [
        expect.stringMatching(new RegExp(`^${tenant}/3 is not what checkpoint \\d+ holds: the chain was rewritten$`)),
        expect.stringMatching(new RegExp(`^${tenant}/4 is not what checkpoint \\d+ holds: the chain was rewritten$`)),
      ]
      expect(await said(tenant)).toEqual(rewritten)
      // a gateway that knows nothing of it signs what it finds
      await db.query('update audit_head set checked_seq = 3 where tenant = $1', [tenant])
      await checkpoint()
      expect(await said(tenant)).toEqual(rewritten)
    })

    test('a journal that is no longer what was told of it', async () => {
      const tenant = await chain(0)
      const account = `a-${tenant}`
      await database.db.query(
        `insert into trading.journal (account, aseq, kind, mseq, mts, cseq, record, hash, wall)
         values ($1, 3, 'command', 1, 1, 1, '{}', 'h3', now())`,
        [account],
      )
      const journals = [{ account, aseq: 3, hash: 'h3' }]
      const told = message(tenant, { journals })
      Object.assign(told.envelope.data as object, { action: 'journals.extended', actor: 'trading' })
      await consume(told)
      expect(await said(tenant)).toEqual([])
      await database.db.script(`alter table trading.journal disable trigger user;
        update trading.journal set hash = 'other' where account = '${account}';
        alter table trading.journal enable trigger user`)
      expect(await said(tenant)).toEqual([
        `${tenant}/1 told record 3 of the journal ${account}, which is another one or gone`,
      ])
    })

    test('with --from only what lies behind is recomputed, and the link to the row before is still held to', async () => {
      const tenant = await chain(5)
      await tamper(`update gateway.audit set actor = 'x' where tenant = '${tenant}' and seq = 2`)
      expect(await verify(tenant, 3)).toMatchObject({ findings: [], rows: 3 })
      expect((await verify(tenant, 2)).findings).toHaveLength(1)
    })
  })

  describe('checkpoints', () => {
    const newest = async () => (await blobs.list(CHECKPOINTS)).at(-1)!
    const put = (name: string, text: string) => blobs.put(name, Buffer.from(text))

    test('nothing is written while no chain grows', async () => {
      await chain(1)
      const before = await blobs.list(CHECKPOINTS)
      await checkpoint()
      expect(await blobs.list(CHECKPOINTS)).toEqual(before)
    })

    test('one that was changed, signed by another key, lost or put under another name is found', async () => {
      const tenant = await chain(2)
      const name = await newest()
      const text = new TextDecoder().decode((await blobs.get(name))!)
      const told = async () => (await verify(tenant)).findings.filter((finding) => finding.place === name)
      await put(name, text.replace('"seq":2', '"seq":1'))
      expect(await told()).toEqual([
        { place: name, said: 'is not the checkpoint that was recorded' },
        { place: name, said: 'has a wrong signature' },
      ])
      const { checkpoint: content } = JSON.parse(text)
      const forged = signWith(new Uint8Array(32).fill(7), JSON.stringify(content))
      await put(name, JSON.stringify({ checkpoint: content, kid: 'ffffffffffffffff', signature: forged }))
      expect(await told()).toContainEqual({ place: name, said: 'is signed by the unknown key ffffffffffffffff' })
      await blobs.delete(name)
      expect(await told()).toEqual([{ place: name, said: 'is gone: it was recorded' }])
      await put(name, text)
      expect(await told()).toEqual([])
    })

    test('a database that was set back behind a checkpoint which is not recorded in it is found', async () => {
      const tenant = await chain(3)
      const name = await newest()
      await database.db.script(`alter table gateway.audit_checkpoint disable trigger user;
        delete from gateway.audit_checkpoint where name = '${name}';
        alter table gateway.audit_checkpoint enable trigger user`)
      await tamper(`delete from gateway.audit where tenant = '${tenant}' and seq = 3`)
      const last = (await rows(tenant)).at(-1)!
      await db.query('update audit_head set seq = 2, hash = $2 where tenant = $1', [tenant, last.hash])
      expect(await said(tenant)).toEqual([expect.stringContaining(`${tenant}/3 is gone`)])
    })

    test('after a rotation old and new checkpoints are verified by the first key alone', async () => {
      const first = keys.document().keys
      await clock.advance(1_000)
      await keys.rotate()
      const tenant = await chain(2, [1, 2])
      const trusted = trustedKeys(first, keys.document().keys)
      const verified = await verifyAudit({ sql: database.db, blobs, keys: trusted, tenant })
      expect(verified.findings.filter(({ said }) => said.includes('signed by'))).toEqual([])
      expect(verified.checkpoints).toBeGreaterThan(2)
    })
  })
})
