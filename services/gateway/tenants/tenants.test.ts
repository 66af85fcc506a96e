import { afterAll, beforeAll, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { newPerson, type Person } from '../testing/person.ts'
import { openWorld, said, UNLIMITED, type World } from '../testing/world.ts'

describeAdapters('tenants', databases, (openDatabase) => {
  let world: World
  let house: Person
  let operator: Person
  let trader: Person
  beforeAll(async () => {
    world = await openWorld(UNLIMITED, await openDatabase())
    house = await newPerson(world, { role: 'operator' })
    operator = await newPerson(world, { role: 'operator', tenant: 'firm' })
    trader = await newPerson(world, { tenant: 'firm' })
  }, 30_000)
  afterAll(() => world.database.drop())

  test('the house makes one, nobody else does, and an id is taken once', async () => {
    const body = { id: 'acme', name: 'Acme', plan: 'pro', mfa_required: true, deny_addresses: ['192.0.2.0/24'] }
    expect(said(await operator.ask('POST', '/api/tenants', body))).toBe('403 forbidden')
    expect(said(await trader.ask('POST', '/api/tenants', body))).toBe('403 forbidden')
    const made = await house.ask('POST', '/api/tenants', body)
    expect([made.status, made.body]).toEqual([201, { ...body, allow_addresses: [], created_at: expect.any(String) }])
    expect(said(await house.ask('POST', '/api/tenants', body))).toBe('409 conflict id')
    expect(await world.events('audit.recorded')).toContainEqual(
      expect.objectContaining({ action: 'tenant.created', actor: house.id, tenant: 'acme' }),
    )
  })
  test.each([
    ['id', { id: 'Upper', name: 'x' }],
    ['id', { id: '-dash', name: 'x' }],
    ['id', { id: 'x'.repeat(64), name: 'x' }],
    ['name', { id: 'x', name: ' ' }],
    ['plan', { id: 'x', name: 'x', plan: 'gold' }],
    ['allow_addresses[0]', { id: 'x', name: 'x', allow_addresses: ['10.0.0.0/33'] }],
    ['deny_addresses[1]', { id: 'x', name: 'x', deny_addresses: ['::1', 'localhost'] }],
  ])('%s that is not valid is refused by its field', async (field, body) => {
    expect(said(await house.ask('POST', '/api/tenants', body))).toBe(`422 validation_failed ${field}`)
  })
  test('operators see their own, the house all, page by page', async () => {
    const { body } = await operator.ask('GET', '/api/tenants')
    expect(body).toEqual({ items: [expect.objectContaining({ id: 'firm', plan: 'standard' })], next: null })
    const seen: string[] = []
    for (let cursor = ''; ; ) {
      const page = await house.ask('GET', `/api/tenants?limit=1${cursor && `&cursor=${cursor}`}`)
      seen.push(...page.body.items.map(({ id }: { id: string }) => id))
      if (page.body.next === null) break
      cursor = page.body.next
    }
    expect(seen).toEqual(['acme', 'default', 'firm'])
    expect(said(await trader.ask('GET', '/api/tenants'))).toBe('403 forbidden')
  })
  test('operators change their own, but not its plan; what is not said stays', async () => {
    const change = (by: Person, body: object, id = 'firm') => by.ask('PATCH', `/api/tenants/${id}`, body)
    expect(said(await change(operator, { plan: 'enterprise' }))).toBe('403 forbidden plan')
    expect((await change(operator, { name: 'The Firm', mfa_required: false })).body).toMatchObject({
      name: 'The Firm',
      plan: 'standard',
    })
    expect((await change(house, { plan: 'pro' })).body).toMatchObject({ name: 'The Firm', plan: 'pro' })
    expect(said(await change(operator, {}))).toStartWith('422 validation_failed')
    expect(said(await change(trader, { name: 'Mine' }))).toBe('403 forbidden')
  })
  test('another tenant is as absent as one that does not exist, and stays as it is (V8.4.1)', async () => {
    const ask = async (id: string) => {
      const { status, body } = await operator.ask('PATCH', `/api/tenants/${id}`, { name: 'Taken over' })
      const { request_id: _, instance: __, ...rest } = body
      return { status, rest }
    }
    const answer = await ask('acme')
    expect(answer).toEqual(await ask('nowhere'))
    expect(answer.status).toBe(404)
    const names = await world.database.db.query('select name from gateway.tenants where id = $1', ['acme'])
    expect(names).toEqual([{ name: 'Acme' }])
  })
  test("the plan of the tenant is the claim of its users' next token and what their keys have", async () => {
    const login = await trader.login()
    const claims = JSON.parse(Buffer.from(login.body.token.split('.')[1], 'base64url').toString())
    expect(claims.plan).toBe('pro')
    expect((await trader.ask('GET', '/api/users/me')).body.plan).toBe('pro')
  })
  test('a changed plan holds within 2 s for the tokens and keys that its users hold', async () => {
    const someone = await newPerson(world, { tenant: 'firm' })
    const makeKey = async () => said(await someone.ask('POST', '/api/api-keys', { name: 'bot' }))
    const { key } = (await someone.ask('POST', '/api/api-keys', { name: 'bot' })).body
    const useKey = async () => said(await world.ask('GET', '/api/auth/check', { token: key }))
    expect([await makeKey(), await useKey()]).toEqual(['201', '200'])
    expect((await house.ask('PATCH', '/api/tenants/firm', { plan: 'free' })).status).toBe(200)
    world.time.now += 2_001
    expect([await makeKey(), await useKey()]).toEqual(['403 plan_required', '403 plan_required'])
    expect((await house.ask('PATCH', '/api/tenants/firm', { plan: 'pro' })).status).toBe(200)
    world.time.now += 2_001
    expect([await makeKey(), await useKey()]).toEqual(['201', '200'])
  })
  test('nobody locks himself out by the address lists of the own tenant', async () => {
    const change = (body: object) => operator.ask('PATCH', '/api/tenants/firm', body)
    expect(said(await change({ allow_addresses: ['192.0.2.0/24'] }))).toBe('422 validation_failed allow_addresses')
    expect(said(await change({ deny_addresses: ['10.0.0.0/8'] }))).toBe('422 validation_failed deny_addresses')
    const kept = await change({ allow_addresses: ['192.0.2.0/24', '10.77.0.0/16'], deny_addresses: ['192.0.2.7'] })
    expect(kept.body).toMatchObject({
      allow_addresses: ['192.0.2.0/24', '10.77.0.0/16'],
      deny_addresses: ['192.0.2.7'],
    })
    expect((await change({ allow_addresses: [], deny_addresses: [] })).status).toBe(200)
  })
})
