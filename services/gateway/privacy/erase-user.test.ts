import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openSecretsFile } from '@assay/core/ports/secrets/file'
import { SecretsError } from '@assay/core/ports/secrets/port'
import { openWorld, type World } from '../testing/world.ts'

const PASSWORD = 'correct horse battery'
let world: World
let people = 0
beforeAll(async () => {
  const limits = { RATE_LIMIT_PER_MINUTE: '1000000', RATE_LIMIT_PER_HOUR: '1000000', RATE_LIMIT_PER_DAY: '1000000' }
  world = await openWorld(limits)
})
afterAll(() => world.database.drop())

async function person(role: 'trader' | 'operator' | 'admin', tenant: string) {
  const email = `person${++people}@assay.example`
  const { id } = await world.createUser({ email, password: PASSWORD, role, tenant })
  const { body } = await world.ask('POST', '/api/auth/login', {
    body: { email, password: PASSWORD },
    address: `10.1.${people}.1`,
  })
  return { id, email, token: body.token as string, address: `10.1.${people}.1` }
}
type Person = Awaited<ReturnType<typeof person>>
const erase = ({ token, address }: Person, { id }: Person) =>
  world.ask('POST', '/api/privacy/erase', { token, address, body: { password: PASSWORD, user_id: id } })
const rowsOf = async ({ id }: Person) => {
  const db = world.database.db.as('gateway')
  return JSON.stringify([
    await db.query('select * from users where id = $1', [id]),
    await db.query('select * from user_keys where user_id = $1', [id]),
    await db.query('select id, hash, name, revoked_at from api_keys where user_id = $1', [id]),
  ])
}

test("another tenant's user is not there, one's own tenant's operator or admin is for an admin alone; rows stay as they are", async () => {
  const [operator, admin] = [await person('operator', 'acme'), await person('admin', 'acme')]
  const [trader, foreign] = [await person('trader', 'acme'), await person('trader', 'globex')]
  for (const [who, whom, status] of [
    [operator, foreign, 404],
    [admin, foreign, 404],
    [operator, admin, 403],
    [trader, operator, 403],
    [trader, foreign, 403],
  ] as const) {
    const before = await rowsOf(whom)
    const { body, ...answer } = await erase(who, whom)
    expect(answer.status).toBe(status)
    expect(JSON.stringify(body)).not.toContain(whom.email)
    expect(await rowsOf(whom)).toBe(before)
  }
  expect((await erase(operator, trader)).status).toBe(200)
  expect((await erase(admin, operator)).status).toBe(200)
})

test('a house operator erases users of every tenant, and the next ones are still served', async () => {
  const [house, foreign, left] = [
    await person('operator', 'default'),
    await person('trader', 'globex'),
    await person('trader', 'globex'),
  ]
  expect((await erase(house, foreign)).body).toMatchObject({ success: true, user_id: foreign.id })
  expect((await world.ask('GET', '/api/auth/check', { token: foreign.token })).status).toBe(401)
  expect((await world.ask('GET', '/api/auth/check', { token: left.token })).body.user.email).toBe(left.email)
  const revoked = { what: 'user', id: null, user_id: foreign.id }
  expect((await world.events('identity.revoked')).at(-1)).toMatchObject(revoked)
  expect((await world.events('identity.erased')).at(-1)).toEqual({ user_id: foreign.id, tenant: 'globex' })
  expect((await world.events('audit.recorded')).at(-1)).toMatchObject({
    action: 'privacy.erased',
    actor: house.id,
    tenant: 'globex',
    detail: { user: foreign.id },
  })
})

test('the key of the second factor is deleted with it', async () => {
  const [house, trader] = [await person('operator', 'default'), await person('trader', 'acme')]
  const codeNow = async () => {
    const now = () => world.time.now
    return (await openSecretsFile({ home: world.database.home, log: { warn() {} }, now })).generateTotp('erase-test')
  }
  await world.identity.totp.createTotp('erase-test', { issuer: 'Assay', account: 'a' })
  expect(await codeNow()).toMatch(/^\d{6}$/)
  await world.database.db
    .as('gateway')
    .query(
      `insert into second_factors (user_id, key_name, created_at, enabled_at) values ($1, 'erase-test', now(), now())`,
      [trader.id],
    )
  expect((await erase(house, trader)).status).toBe(200)
  expect(await codeNow().catch((error) => error)).toBeInstanceOf(SecretsError)
})

test('two erasures of one user at once are one', async () => {
  const [house, trader] = [await person('operator', 'default'), await person('trader', 'acme')]
  const answers = await Promise.all([erase(house, trader), erase(house, trader), erase(house, trader)])
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 404, 404])
  const told = (await world.events('identity.erased')).filter(({ user_id }) => user_id === trader.id)
  expect(told).toHaveLength(1)
})

test('who was erased is nobody: not enabled again, no operator of the house, given no key', async () => {
  const [house, gone] = [await person('operator', 'default'), await person('operator', 'default')]
  expect((await erase(house, gone)).status).toBe(200)
  const ask = (method: string, path: string, body: object) =>
    world.ask(method, path, { token: house.token, address: house.address, body })
  for (const change of [{ disabled: false }, { role: 'trader' }, { unlock: true }])
    expect((await ask('PATCH', `/api/users/${gone.id}`, change)).status).toBe(404)
  expect((await ask('POST', '/api/api-keys', { name: 'k', user_id: gone.id })).status).toBe(404)
  const shown = await world.ask('GET', `/api/users/${gone.id}`, { token: house.token, address: house.address })
  expect(shown.body).toMatchObject({ status: 'disabled', email: '', name: '' })
})
