import { afterAll, beforeAll, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { newPerson, withFactor } from '../testing/person.ts'
import { openWorld, UNLIMITED, type World } from '../testing/world.ts'

const HOUR = 3_600_000

describeAdapters('API keys: addresses and rotation', databases, (openDatabase) => {
  let world: World
  beforeAll(async () => {
    world = await openWorld(UNLIMITED, await openDatabase())
  })
  afterAll(() => world.database.drop())
  const check = async (token: string, address?: string) =>
    (await world.ask('GET', '/api/auth/check', { token, address })).status

  test('a key that is bound to addresses is refused from any other, and the audit log hears of it once an hour for each network', async () => {
    const person = await newPerson(world)
    const bound = { name: 'bound', addresses: ['198.51.100.0/28', '2001:db8::/48'] }
    const { key, addresses, id } = (await person.ask('POST', '/api/api-keys', bound)).body
    expect(addresses).toEqual(bound.addresses)
    expect((await person.ask('GET', '/api/api-keys')).body.items[0].addresses).toEqual(bound.addresses)
    expect(await check(key, '198.51.100.16')).toBe(401)
    expect(await check(key, '198.51.100.15')).toBe(200)
    expect(await check(key, '2001:db8:0:7::1')).toBe(200)
    for (let i = 0; i < 5; i++) expect(await check(key, '198.51.100.16')).toBe(401)
    expect(await check(key, '2001:db9::1')).toBe(401)
    const refusals = async () => {
      await world.closePart('gateway refused addresses')
      const told = await world.events('audit.recorded')
      return told.filter(({ action }) => action === 'api_key.address_refused').map(({ detail }) => detail)
    }
    expect(await refusals()).toEqual([
      { key: id, network: '198.51.100.16' },
      { key: id, network: '2001:db9:0:0::/64' },
    ])
    world.time.now += HOUR
    expect(await check(key, '198.51.100.16')).toBe(401)
    expect(await refusals()).toHaveLength(3)
  })

  test('what is no address, and more than 50 of them, is refused by field', async () => {
    const person = await newPerson(world)
    const make = (addresses: string[]) => person.ask('POST', '/api/api-keys', { name: 'x', addresses })
    for (const wrong of ['10.0.0.0/33', 'localhost', '1.2.3', ''])
      expect((await make([wrong])).body).toMatchObject({ status: 422, field: 'addresses[0]' })
    expect((await make(Array.from({ length: 51 }, (_, i) => `10.0.0.${i}`))).body).toMatchObject({ status: 422 })
  })

  test('rotation: the new key holds the same, both work until the overlap ends, then the new one only', async () => {
    const person = await newPerson(world)
    const expires_at = new Date(world.time.now + 1_000 * HOUR).toISOString()
    const body = { name: 'bot', scopes: ['market:read'], limits: { orders_per_second: 5 }, addresses: ['10.0.0.0/8'] }
    const old = (await person.ask('POST', '/api/api-keys', { ...body, expires_at })).body
    world.time.now += 10 * HOUR
    await person.login()
    const answer = await person.ask('POST', `/api/api-keys/${old.id}/rotate`, { overlap_hours: 2 })
    expect(answer.status).toBe(201)
    expect(answer.body).toMatchObject(body)
    expect(answer.body.key).not.toBe(old.key)
    expect(Date.parse(answer.body.expires_at) - world.time.now).toBe(1_000 * HOUR)
    const both = async () => [await check(old.key, '10.1.1.1'), await check(answer.body.key, '10.1.1.1')]
    expect(await both()).toEqual([200, 200])
    expect((await person.ask('POST', `/api/api-keys/${old.id}/rotate`, {})).status).toBe(409)
    world.time.now += 2 * HOUR - 1
    expect(await both()).toEqual([200, 200])
    world.time.now += 1
    expect(await both()).toEqual([401, 200])
  })

  test('with no overlap the old key ends at once and everywhere', async () => {
    const person = await newPerson(world)
    const old = (await person.ask('POST', '/api/api-keys', { name: 'leaked' })).body
    expect(await check(old.key)).toBe(200)
    expect((await person.ask('POST', `/api/api-keys/${old.id}/rotate`, { overlap_hours: 0 })).status).toBe(201)
    expect(await check(old.key)).toBe(401)
    expect((await world.events('identity.revoked')).at(-1)).toMatchObject({ what: 'key', id: old.id })
  })

  test("nobody rotates another's key, and no key gets more than who rotates it holds", async () => {
    const [mine, other] = [await newPerson(world), await newPerson(world)]
    const strong = (await mine.ask('POST', '/api/api-keys', { name: 'strong' })).body
    const weak = (await mine.ask('POST', '/api/api-keys', { name: 'weak', scopes: ['keys:write'] })).body
    const rotate = (token: string) => world.ask('POST', `/api/api-keys/${strong.id}/rotate`, { token, body: {} })
    expect((await rotate(other.token)).status).toBe(404)
    expect((await rotate(weak.key)).status).toBe(403)
    expect((await world.ask('GET', '/api/api-keys', { token: mine.token })).body.items).toHaveLength(2)
    expect((await rotate(mine.token)).status).toBe(201)
  })

  test('an operator gets no key of an admin, neither a new one nor by rotation: it would act as one', async () => {
    const [operator, admin] = [
      await newPerson(world, { role: 'operator', tenant: 'keyed' }),
      await newPerson(world, { role: 'admin', tenant: 'keyed' }),
    ]
    const wanted = { name: 'taken', scopes: ['users:write'] }
    const old = (await admin.ask('POST', '/api/api-keys', wanted)).body
    const made = await operator.ask('POST', '/api/api-keys', { ...wanted, user_id: admin.id })
    expect([made.status, made.body.field]).toEqual([403, 'role'])
    expect((await operator.ask('POST', `/api/api-keys/${old.id}/rotate`, {})).status).toBe(403)
    expect((await admin.ask('GET', '/api/api-keys')).body.items).toHaveLength(1)
    const own = await admin.ask('POST', '/api/api-keys', { ...wanted, user_id: operator.id })
    expect(own.status).toBe(201)
  })

  test('a key of another operator is made by who showed the second factor a moment ago', async () => {
    const admin = await newPerson(world, { role: 'admin', tenant: 'keyed' })
    const operator = await newPerson(world, { role: 'operator', tenant: 'keyed' })
    const { code } = await withFactor(world, admin)
    const key = { name: 'of another', scopes: ['users:write'], user_id: operator.id }
    const made = (await admin.ask('POST', '/api/api-keys', key)).body
    expect(made.key).toStartWith('assay_')
    world.time.now += HOUR
    expect((await admin.login({ totp: code() })).status).toBe(200)
    world.time.now += HOUR / 3
    // the access token ended long before: a session that was refreshed
    const { refresh_token } = (await admin.login({ totp: code() })).body
    world.time.now += HOUR / 3
    const next = await world.ask('POST', '/api/auth/refresh', { body: { refresh_token }, address: admin.address })
    const ask = (path: string, body: object) => world.ask('POST', path, { token: next.body.token, body })
    expect((await ask('/api/api-keys', key)).body.code).toBe('step_up_required')
    expect((await ask(`/api/api-keys/${made.id}/rotate`, {})).body.code).toBe('step_up_required')
    expect((await ask('/api/api-keys', { name: 'own' })).status).toBe(201)
  })

  test('a key makes no key that is good for longer, or from elsewhere, than itself', async () => {
    const person = await newPerson(world)
    const expires_at = new Date(world.time.now + HOUR).toISOString()
    const scopes = ['keys:write', 'market:read']
    const body = { name: 'maker', scopes, expires_at, addresses: ['198.51.100.0/24', '192.0.2.7'] }
    const maker = (await person.ask('POST', '/api/api-keys', body)).body
    const free = (await person.ask('POST', '/api/api-keys', { name: 'free', scopes: ['market:read'] })).body
    const ask = (path: string, more: object) =>
      world.ask('POST', path, { token: maker.key, address: '198.51.100.1', body: more })
    const make = async (more: object) => (await ask('/api/api-keys', { name: 'made', ...more })).body
    expect(await make({})).toMatchObject({ expires_at, addresses: body.addresses })
    expect(await make({ addresses: ['192.0.2.7'] })).toMatchObject({ addresses: ['192.0.2.7'] })
    const later = new Date(world.time.now + 2 * HOUR).toISOString()
    for (const wider of [{ expires_at: null }, { expires_at: later }])
      expect(await make(wider)).toMatchObject({ status: 403, field: 'expires_at' })
    for (const addresses of [[], ['192.0.2.8'], ['192.0.2.7', '0.0.0.0/0']])
      expect(await make({ addresses })).toMatchObject({ status: 403, field: 'addresses' })
    expect((await ask(`/api/api-keys/${free.id}/rotate`, {})).status).toBe(403)
    expect((await ask(`/api/api-keys/${maker.id}/rotate`, {})).body.addresses).toEqual(body.addresses)
  })

  test('what a plan limits is lifted by the house, not by operators of the tenant it limits', async () => {
    const operator = await newPerson(world, { role: 'operator', tenant: 'keyed' })
    const house = await newPerson(world, { role: 'operator' })
    const lift = (by: typeof house, limits: object) =>
      by.ask('POST', '/api/api-keys', { name: 'fast', limits, user_id: operator.id })
    for (const limits of [{ requests_per_minute: 600_000 }, { orders_per_second: 101 }])
      expect([(await lift(operator, limits)).status, (await lift(house, limits)).status]).toEqual([403, 201])
    expect((await lift(operator, { orders_per_second: 100 })).status).toBe(201)
  })

  test('what the house does with the keys of a tenant is told in the audit log of that tenant', async () => {
    const house = await newPerson(world, { role: 'operator' })
    const trader = await newPerson(world, { tenant: 'keyed' })
    const { id } = (await house.ask('POST', '/api/api-keys', { name: 'x', user_id: trader.id })).body
    expect((await house.ask('DELETE', `/api/api-keys/${id}`)).status).toBe(200)
    const told = (await world.events('audit.recorded')).filter(({ actor }) => actor === house.id)
    expect(told.slice(-2).map(({ action, tenant }) => [action, tenant])).toEqual([
      ['api_key.issued', 'keyed'],
      ['api_key.revoked', 'keyed'],
    ])
  })
})
