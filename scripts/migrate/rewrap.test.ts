import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSecretsFile, readSecretsFile } from '@assay/core/ports/secrets/file'
import type { Secrets } from '@assay/core/ports/secrets/port'
import { openVault } from '@assay/core/ports/secrets/vault'
import { describeAdapters } from '@assay/core/testing/adapters'
import { testDatabase } from '@assay/core/testing/database'
import { testPostgres } from '@assay/core/testing/postgres'
import { testVault } from '@assay/core/testing/vault'
import { createAuthDatabase } from '@assay/services/gateway/auth/database'
import { openEmail, sealEmail } from '@assay/services/gateway/invitations/rows'
import { createPersonalFields } from '@assay/services/gateway/privacy/personal-fields'
import { openWorld, type World } from '@assay/services/gateway/testing/world'
import { findUser } from '@assay/services/gateway/users/rows'
import { makeClaim } from './claim.ts'
import type { Ends } from './ends.ts'
import { problemsOf } from './fit.ts'
import { moveDatabase } from './move-database.ts'
import { secretProblems } from './move-secrets.ts'
import { rewrapWith } from './rewrap.ts'

const QUIET = { warn() {} }
let world: World
const elsewhere = mkdtempSync(join(tmpdir(), 'assay-rewrap-'))
beforeAll(async () => {
  world = await openWorld()
}, 30_000)
afterAll(async () => {
  await world.database.drop()
  rmSync(elsewhere, { recursive: true, force: true })
})

/** Where the move goes: another folder; the servers of a distributed platform. */
const targets = {
  async embedded() {
    return { target: await testDatabase(), to: await openSecretsFile({ home: elsewhere, log: QUIET }), close() {} }
  },
  async real() {
    const server = await testVault()
    const to = await openVault(server.options)
    const close = async () => {
      await to.close()
      await server.close()
    }
    return { target: await testPostgres(), to, close }
  },
}
describeAdapters('a move', targets, (openTarget) => {
  test("personal fields are read with the new store's keys, and no more with the old one's", async () => {
    const source = world.database
    const { target, to, close } = await openTarget()
    const user = await world.createUser({
      email: `ada${Math.random()}@assay.example`,
      password: 'correct horse',
      role: 'trader',
      name: 'Ada',
    })
    const id = crypto.randomUUID()
    const sealing = await openSecretsFile({ home: source.home, log: QUIET })
    const sealed = await sealEmail({ sealing }, id, 'guest@assay.example')
    await source.db.as('gateway').query(
      `insert into invitations (id, tenant, email_index, sealed_email, role, created_at, expires_at)
     values ($1, 'default', $3, $2, 'trader', now(), now())`,
      [id, sealed, id],
    )

    const from = await readSecretsFile({ home: source.home, log: QUIET })
    expect(await secretProblems(from, to, false)).toEqual([])
    await makeClaim(target.db, source.home, {})
    const said: string[] = []
    const say = (_: string, text: string) => void said.push(text)
    await moveDatabase({ source: source.db, target: target.db, without: [], rewrap: rewrapWith(from, to), say })
    expect(said.filter((text) => text.endsWith('wrapped anew'))).toHaveLength(2)

    const opened = (secrets: Pick<Secrets, 'encrypt' | 'decrypt'>) =>
      findUser(
        createAuthDatabase(
          target.db.as('gateway'),
          createPersonalFields({ secrets, indexKey: 'of this test', now: Date.now }),
        ),
        user.id,
      )
    expect(await opened(to)).toMatchObject({ email: user.email, name: 'Ada' })
    expect(
      await opened(sealing).then(
        () => 'read',
        () => 'refused',
      ),
    ).toBe('refused')
    const [moved] = await target.db
      .as('gateway')
      .query<{ sealed_email: string }>('select sealed_email from invitations where id = $1', [id])
    expect(await openEmail({ sealing: to }, { id, sealed_email: moved!.sealed_email } as never)).toBe(
      'guest@assay.example',
    )
    // as each store writes it, and so nothing of one can be taken for the other's
    const [key] = await target.db
      .as('gateway')
      .query<{ wrapped: string }>('select wrapped from user_keys where user_id = $1', [user.id])
    expect(key!.wrapped).toMatch(target.db.kind === 'pglite' ? /^v1\./ : /^vault:v1:/)
    await close()
    await target.drop()
  }, 60_000)
})

test('the key of a second factor that is on holds the move up, one that is off does not', async () => {
  const source = world.database
  const empty = await testDatabase()
  const file = await openSecretsFile({ home: source.home, log: QUIET })
  for (const name of ['factor-on', 'factor-off']) await file.createTotp(name, { issuer: 'Assay', account: 'a' })
  const problems = async () => {
    const secrets = { source: await readSecretsFile({ home: source.home, log: QUIET }), target: file }
    const database = { source: source.db, target: empty.db }
    const ends = { home: source.home, database, secrets, kafka: null, blobs: null, to: {}, staying: [] }
    return (await problemsOf(ends as unknown as Ends)).problems
  }
  expect(await problems()).toEqual([])
  const { id } = await world.createUser({ email: 'bob@assay.example', password: 'correct horse', role: 'trader' })
  await source.db
    .as('gateway')
    .query(`insert into second_factors (user_id, key_name, created_at) values ($1, 'factor-on', now())`, [id])
  expect(await problems()).toEqual([expect.stringContaining('the key factor-on never leaves')])
  await empty.drop()
}, 60_000)

test('a key of the file whose work lies nowhere that is known still holds the move up', async () => {
  const file = await openSecretsFile({ home: world.database.home, log: QUIET })
  await file.encrypt('other.key', new Uint8Array([1]), 'c')
  const from = await readSecretsFile({ home: world.database.home, log: QUIET })
  const to = await openSecretsFile({ home: elsewhere, log: QUIET })
  const problems = await secretProblems({ ...from, totp: [] }, to, true)
  expect(problems).toEqual([expect.stringContaining('the key other.key never leaves')])
})
