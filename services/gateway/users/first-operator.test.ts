import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openWorld, type World } from '../testing/world.ts'

const HOUR = 3_600_000
const EMAIL = 'operator@assay.example'
const CHOSEN = 'chosen horse battery'
let world: World
let password: string
beforeAll(async () => {
  world = await openWorld()
  password = toldBy(world)
}, 60_000)
afterAll(() => world.database.drop())

const toldBy = ({ running }: World) => {
  const [, email, told] = /^first operator: (\S+) {2}password: (\S+) /.exec(running.notices!()[0]!)!
  expect(email).toBe(EMAIL)
  return told!
}
let addresses = 0
const login = (body: object, of = world) =>
  of.ask('POST', '/api/auth/login', { body: { email: EMAIL, ...body }, address: `10.55.0.${addresses++}` })
const change = (token: string, next: string) =>
  world.ask('PATCH', '/api/users/me', { token, body: { current_password: password, password: next } })
const scopesOf = async (token: string) => (await world.ask('GET', '/api/auth/check', { token })).body.scopes

test('a password that was drawn for the first operator lets in to choose another one, and to nothing else, until then (V6.4.1)', async () => {
  const { status, body } = await login({ password })
  expect([status, body.password]).toEqual([200, 'change'])
  const { token, refresh_token } = body
  expect(await scopesOf(token)).toEqual(['account:read', 'account:write'])
  expect((await world.ask('GET', '/api/users', { token })).status).toBe(403)
  expect((await world.ask('POST', '/api/api-keys', { token, body: { name: 'k' } })).status).toBe(403)
  const next = await world.ask('POST', '/api/auth/refresh', { body: { refresh_token }, address: '10.54.0.1' })
  expect(await scopesOf(next.body.token)).toEqual(['account:read', 'account:write'])
  expect((await change(next.body.token, password)).status).toBe(422)
  expect((await change(next.body.token, CHOSEN)).status).toBe(200)
  const own = await login({ password: CHOSEN })
  expect(own.body.password).toBeUndefined()
  expect(await scopesOf(own.body.token)).toContain('users:write')
  expect((await login({ password })).status).toBe(401)
})

test('it is good for a day; a start after that draws another one, told once (V6.4.1)', async () => {
  const fresh = await openWorld()
  const first = toldBy(fresh)
  fresh.time.now += 24 * HOUR - 1
  const open = await login({ password: first }, fresh)
  expect(open.status).toBe(200)
  fresh.time.now += 2
  expect((await login({ password: first }, fresh)).body).toMatchObject({ status: 401, code: 'invalid_credentials' })
  await fresh.restart()
  const second = toldBy(fresh)
  expect(second).not.toBe(first)
  expect((await fresh.ask('GET', '/api/auth/check', { token: open.body.token })).status).toBe(401)
  expect((await login({ password: second }, fresh)).body.password).toBe('change')
  await fresh.restart()
  expect(fresh.running.notices!()).toEqual([])
  await fresh.database.drop()
})

test('one that has ended gives way to a password that is configured by then', async () => {
  const fresh = await openWorld()
  await fresh.database.db.query(`update gateway.accounts set drawn_at = now() - interval '2 days'`)
  const configured = await openWorld({ ASSAY_OPERATOR_PASSWORD: CHOSEN }, fresh.database)
  expect(configured.running.notices!()).toEqual([])
  const { status, body } = await login({ password: CHOSEN }, configured)
  expect([status, body.password]).toEqual([200, undefined])
  await fresh.database.drop()
})

test('a password that was configured is the one of who configured it', async () => {
  const configured = await openWorld({ ASSAY_OPERATOR_PASSWORD: CHOSEN })
  const { body } = await login({ password: CHOSEN }, configured)
  expect(body.password).toBeUndefined()
  const { scopes } = (await configured.ask('GET', '/api/auth/check', { token: body.token })).body
  expect(scopes).toContain('users:write')
  await configured.database.drop()
})
