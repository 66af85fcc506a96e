import { afterAll, beforeAll, expect, test } from 'bun:test'
import { AssayError } from '@assay/core/contracts/errors'
import type { Db } from '@assay/core/ports/db/port'
import { openSecretsFile } from '@assay/core/ports/secrets/file'
import { createAuthDatabase } from '../auth/database.ts'
import { openWorld, type World } from '../testing/world.ts'
import { findUser, findUserByEmail } from '../users/rows.ts'
import { createPersonalFields } from './personal-fields.ts'

const PASSWORD = 'correct horse battery'
let world: World
let raw: Db
let people = 0
beforeAll(async () => {
  world = await openWorld()
  raw = world.database.db.as('gateway')
})
afterAll(() => world.database.drop())

async function person(name = 'Ada Lovelace') {
  const email = `ada${people++}@assay.example`
  const { id } = await world.createUser({ email, password: PASSWORD, role: 'trader', name })
  return { id, email, name }
}
const rowOf = async (id: string) => (await raw.query('select * from users where id = $1', [id]))[0]!
const failure = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error) => String(error),
  )

test('the database holds neither e-mail nor name, finds a user by e-mail in any case of letters, and gives both back', async () => {
  const { id, email, name } = await person()
  const everything = JSON.stringify([
    await rowOf(id),
    await raw.query('select * from user_keys where user_id = $1', [id]),
  ])
  for (const plain of [email, name, 'lovelace', 'ada'])
    expect(everything.toLowerCase()).not.toContain(plain.toLowerCase())
  const { database } = world.identity
  expect(await findUserByEmail(database, email.toUpperCase())).toMatchObject({ id, email, name })
  expect(await findUser(database, id)).toMatchObject({ id, email, name })
  expect(await findUserByEmail(database, 'nobody@assay.example')).toBeNull()
})

test('two users of one name have nothing in common that could be compared', async () => {
  const [one, other] = [await rowOf((await person()).id), await rowOf((await person()).id)]
  expect(one.name).not.toBe(other.name)
  expect(one.email_index).not.toBe(other.email_index)
})

test("a value moved to another column, another user's row, or under another user's name is not opened", async () => {
  const [mine, other] = [await person(), await person('Charles Babbage')]
  const { database } = world.identity
  await raw.query('update users set name = email where id = $1', [mine.id])
  expect(await failure(findUser(database, mine.id))).not.toBe('done')
  const sealed = (await rowOf(other.id)).name as string
  await raw.query('update users set name = $2 where id = $1', [mine.id, sealed])
  expect(await failure(findUser(database, mine.id))).toContain('of another user')
  await raw.query('update users set name = $2 where id = $1', [mine.id, sealed.replace(other.id, mine.id)])
  expect(await failure(findUser(database, mine.id))).not.toBe('done')
})

test('a write that forgets to seal a personal field is refused by the database (V14.2.4)', async () => {
  const { id } = await person()
  for (const column of ['email', 'name', 'image', 'pending_email'])
    expect(await failure(raw.query(`update users set ${column} = 'plain' where id = $1`, [id]))).toContain(
      'users_sealed',
    )
})

test('without its key nothing of a user can be read any more', async () => {
  const { id, email } = await person()
  const { database } = world.identity
  await database.inTransaction(() => database.destroyKey(id))
  expect(await findUser(database, id)).toMatchObject({ id, email: '', name: '' })
  await world.restart()
  expect(await findUser(database, id)).toMatchObject({ email: '', name: '' })
  expect(JSON.stringify(await rowOf(id))).not.toContain(email)
})

test('while the secrets store is away, users that a process has read are still read, others are unavailable', async () => {
  const [known, other] = [await person(), await person()]
  const secrets = await openSecretsFile({ home: world.database.home, log: { warn() {} } })
  let isAway = false
  let now = 0
  const decrypt: typeof secrets.decrypt = (...asked) =>
    isAway ? Promise.reject(new AssayError('unavailable', 'away')) : secrets.decrypt(...asked)
  const parts = { secrets: { encrypt: secrets.encrypt, decrypt }, indexKey: 'of this test', now: () => now }
  const database = createAuthDatabase(raw, createPersonalFields(parts))
  expect(await findUser(database, known.id)).toMatchObject({ name: known.name })
  isAway = true
  now += 86_400_000
  expect(await findUser(database, known.id)).toMatchObject({ name: known.name })
  expect(await failure(findUser(database, other.id))).toContain('unavailable')
  isAway = false
  expect(await findUser(database, other.id)).toMatchObject({ name: other.name })
})

test('users from before are sealed at the next start, once, and log in as before', async () => {
  const { id, email } = await person()
  await raw.query('delete from user_keys where user_id = $1', [id])
  const owner = world.database.db
  await owner.script('alter table gateway.users drop constraint users_sealed')
  await owner.query(`update gateway.users set email = $2, name = 'Plain Name', email_index = null where id = $1`, [
    id,
    email,
  ])
  await world.restart()
  const sealed = await rowOf(id)
  expect(sealed).toMatchObject({ email: expect.stringMatching(/^s1\./), name: expect.stringMatching(/^s1\./) })
  expect((await world.ask('POST', '/api/auth/login', { body: { email, password: PASSWORD } })).status).toBe(200)
  await world.restart()
  expect(await rowOf(id)).toEqual(sealed)
})
