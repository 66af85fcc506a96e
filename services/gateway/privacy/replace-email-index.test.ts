import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSecretsFile } from '@assay/core/ports/secrets/file'
import type { Secrets } from '@assay/core/ports/secrets/port'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { openLetters } from '../testing/letters.ts'
import { newPerson, PASSWORD } from '../testing/person.ts'
import { openWorld, said, UNLIMITED, type World } from '../testing/world.ts'
import { replaceEmailIndex } from './replace-email-index.ts'
import { USER_KEYS } from './wrapped.ts'

describeAdapters('the key that e-mails are found by', databases, (openDatabase) => {
  let world: World
  beforeAll(async () => {
    world = await openWorld(UNLIMITED, await openDatabase())
  }, 30_000)
  afterAll(() => world.database.drop())

  test('is replaced, killed at any step and called again; users, invitations and letters under way are found as before (V11.2.2)', async () => {
    const house = await newPerson(world, { role: 'operator' })
    const ada = await newPerson(world)
    const erased = await newPerson(world)
    await world.identity.database.inTransaction(() => world.identity.database.destroyKey(erased.id))
    const invitation = { email: 'guest@assay.example', role: 'trader' }
    expect((await house.ask('POST', '/api/invitations', invitation)).status).toBe(201)
    expect((await world.ask('POST', '/api/auth/password/forgot', { body: { email: ada.email } })).status).toBe(200)
    const indexes = async () => {
      const rows = await world.database.db
        .as('gateway')
        .query<{ at: string }>(
          `select email_index as at from users where email_index is not null and id <> $1 union all select email_index from invitations`,
          [erased.id],
        )
      return rows.map(({ at }) => at)
    }
    const before = new Set(await indexes())
    const db = world.database.db
    const store = world.identity.sealing as Secrets

    let steps = 0
    for (let isDone = false; !isDone; steps++) {
      const outcome = await replaceEmailIndex(db, dyingAt(store, steps)).then(
        ({ users, invitations }) => `${users} ${invitations}`,
        String,
      )
      isDone = !outcome.includes('killed')
      if (isDone) expect(outcome).toBe(`${before.size - 1} 1`)
      // the first call only looks whether these are the secrets of this database
      else if (steps > 1) expect(await world.restart().then(() => 'started', String)).toContain('rotate email-index')
    }
    expect(steps).toBeGreaterThan(5)
    expect((await indexes()).filter((at) => before.has(at))).toEqual([])
    await world.restart()

    const login = { email: ada.email, password: PASSWORD }
    expect((await world.ask('POST', '/api/auth/login', { body: login, address: ada.address })).status).toBe(200)
    expect(said(await world.ask('POST', '/api/auth/register', { body: login }))).toBe('409 conflict email')
    expect((await house.ask('POST', '/api/invitations', invitation)).status).toBe(201)
    expect((await house.ask('GET', '/api/invitations')).body.items).toHaveLength(1)
    expect((await openLetters(world).to(ada.email)).text).toContain('password')
  }, 60_000)
})

test("is not begun with another platform's secrets: nothing is written there", async () => {
  const world = await openWorld(UNLIMITED)
  const other = mkdtempSync(join(tmpdir(), 'assay-other-'))
  const secrets = await openSecretsFile({ home: other, log: { warn() {} } })
  // it has sealed e-mails of its own users
  await secrets.encrypt(USER_KEYS.key, new Uint8Array([1]), 'c')
  const indexes = () => world.database.db.as('gateway').query('select id, email_index from users order by id')
  const before = await indexes()
  expect(before).not.toEqual([])
  expect(await replaceEmailIndex(world.database.db, secrets).then(() => 'done', String)).not.toBe('done')
  expect([await secrets.listSecrets('secret/data/'), await indexes()]).toEqual([[], before])
  await world.database.drop()
  rmSync(other, { recursive: true })
}, 30_000)

/** The secrets as a process has them that is killed before its n-th call; each decryption and write is one. */
function dyingAt(secrets: Secrets, n: number): Secrets {
  let left = n
  const dying =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      if (left-- <= 0) throw new Error('killed')
      return call(...args)
    }
  return {
    ...secrets,
    addSecret: dying(secrets.addSecret),
    setSecret: dying(secrets.setSecret),
    deleteSecret: dying(secrets.deleteSecret),
    decrypt: dying(secrets.decrypt),
  }
}
