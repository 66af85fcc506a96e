import { afterAll, beforeAll, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { newPerson } from '../testing/person.ts'
import { type Answer, openWorld, problem, UNLIMITED, type World } from '../testing/world.ts'

const MINUTE = 60_000

describeAdapters('API keys', databases, (openDatabase) => {
  let world: World
  beforeAll(async () => {
    world = await openWorld(UNLIMITED, await openDatabase())
  }, 30_000)
  afterAll(() => world.database.drop())
  const check = (token?: string) => world.ask('GET', '/api/auth/check', { token })

  const make = (token: string, body: object) => world.ask('POST', '/api/api-keys', { token, body })
  const tokenOf = async () => (await newPerson(world)).token

  test('a key is shown once, works at once, holds what a bot needs, and is listed by its ends only', async () => {
    const token = await tokenOf()
    const made = await make(token, { name: 'my bot' })
    expect(made.status).toBe(201)
    const { key, ...listed } = made.body
    expect(key).toMatch(/^assay_[0-9A-Za-z]{36}$/)
    expect(listed).toMatchObject({
      name: 'my bot',
      prefix: key.slice(0, 10),
      last4: key.slice(-4),
      limits: {},
      last_used_at: null,
    })
    expect(listed.scopes.toSorted()).toEqual(['market:read', 'orders:write', 'trading:read'])
    expect((await check(key)).body).toMatchObject({ credential: 'api_key', scopes: listed.scopes })
    expect((await world.ask('GET', '/api/api-keys', { token })).body).toEqual({ items: [listed], next: null })
    const rows = await world.database.db.as('gateway').query('select * from api_keys where id = $1', [listed.id])
    expect(JSON.stringify(rows)).not.toContain(key)
  })

  test('a deleted key is refused from then on and no longer listed', async () => {
    const token = await tokenOf()
    const { key, id } = (await make(token, { name: 'short-lived' })).body
    expect((await check(key)).status).toBe(200)
    expect((await world.ask('DELETE', `/api/api-keys/${id}`, { token })).body).toEqual({ success: true })
    expect((await check(key)).status).toBe(401)
    expect((await world.events('identity.revoked')).at(-1)).toMatchObject({ what: 'key', id })
    expect((await world.ask('GET', '/api/api-keys', { token })).body.items).toEqual([])
    expect(problem(await world.ask('DELETE', `/api/api-keys/${id}`, { token }))).toMatchObject({ status: 404 })
    await world.restart()
    expect((await check(key)).status).toBe(401)
  })

  test("nobody sees or deletes another's key, but an operator deletes any", async () => {
    const [mine, other] = [await tokenOf(), await tokenOf()]
    const { key, id } = (await make(mine, { name: 'mine' })).body
    expect((await world.ask('GET', '/api/api-keys', { token: other })).body.items).toEqual([])
    expect((await world.ask('DELETE', `/api/api-keys/${id}`, { token: other })).status).toBe(404)
    expect((await check(key)).status).toBe(200)
    expect(
      (
        await world.ask('DELETE', `/api/api-keys/${id}`, {
          token: (await newPerson(world, { role: 'operator' })).token,
        })
      ).status,
    ).toBe(200)
    expect((await check(key)).status).toBe(401)
  })

  test('a key cannot hold more than its issuer, and without keys:write it makes no keys', async () => {
    const token = await tokenOf()
    expect(problem(await make(token, { name: 'x', scopes: ['ops:write'] }))).toEqual({
      status: 403,
      code: 'forbidden',
      field: 'scopes',
    })
    expect(problem(await make(token, { name: 'x', scopes: ['everything'] }))).toMatchObject({ status: 422 })
    const reader = (await make(token, { name: 'reader', scopes: ['market:read'] })).body.key
    expect(problem(await make(reader, { name: 'x' }))).toMatchObject({ status: 403 })
    const maker = (await make(token, { name: 'maker', scopes: ['keys:write', 'market:read'] })).body.key
    expect((await make(maker, { name: 'x', scopes: ['market:read'] })).status).toBe(201)
    expect((await make(maker, { name: 'x', scopes: ['orders:write'] })).status).toBe(403)
    expect(problem(await world.ask('POST', '/api/auth/logout', { token: maker }))).toMatchObject({ status: 403 })
  })

  test('a key ends at its expiry, a year by default', async () => {
    const token = await tokenOf()
    const year = (await make(token, { name: 'year' })).body
    expect(Date.parse(year.expires_at) - world.time.now).toBe(365 * 24 * 60 * MINUTE)
    expect((await make(token, { name: 'for ever', expires_at: null })).body.expires_at).toBeNull()
    const soon = new Date(world.time.now + MINUTE).toISOString()
    const { key } = (await make(token, { name: 'minute', expires_at: soon })).body
    expect((await check(key)).status).toBe(200)
    world.time.now += MINUTE
    expect((await check(key)).status).toBe(401)
    expect(problem(await make(token, { name: 'past', expires_at: soon }))).toMatchObject({
      status: 422,
      field: 'expires_at',
    })
  })

  test('traders may lower the limits of a key, operators raise them, also for others', async () => {
    const person = await newPerson(world)
    const { token } = (await person.login()).body
    expect((await make(token, { name: 'slow', limits: { orders_per_second: 5 } })).body.limits).toEqual({
      orders_per_second: 5,
    })
    expect((await make(token, { name: 'fast', limits: { orders_per_second: 101 } })).status).toBe(403)
    expect((await make(token, { name: 'fast', limits: { requests_per_minute: 1 } })).status).toBe(403)
    const limits = { orders_per_second: 10_000, requests_per_minute: 600_000 }
    const fast = await make((await newPerson(world, { role: 'operator' })).token, {
      name: 'fast',
      limits,
      user_id: person.id,
    })
    expect(fast.body.limits).toEqual(limits)
    expect((await check(fast.body.key)).body.user.id).toBe(person.id)
    expect((await make(token, { name: 'theirs', user_id: (await newPerson(world)).id })).status).toBe(403)
  })

  test('a list longer than a page is read page by page', async () => {
    const token = await tokenOf()
    for (let i = 0; i < 5; i++) await make(token, { name: `key ${i}` })
    const names: string[] = []
    let cursor: string | null = ''
    do {
      const { body }: Answer = await world.ask('GET', `/api/api-keys?limit=2${cursor ? `&cursor=${cursor}` : ''}`, {
        token,
      })
      names.push(...body.items.map(({ name }: { name: string }) => name))
      cursor = body.next
    } while (cursor)
    expect(names).toEqual(['key 4', 'key 3', 'key 2', 'key 1', 'key 0'])
  })

  test('a text of the right shape that is no key, or of no shape, is refused', async () => {
    for (const text of ['assay_', `assay_${'0'.repeat(36)}`, 'assayr_x', 'x'])
      expect((await check(text)).status).toBe(401)
  })
})
