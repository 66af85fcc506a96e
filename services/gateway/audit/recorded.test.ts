import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Consumer } from '@assay/core/kernel/service'
import { trackAddressRefusals } from '../api-keys/address-refusals.ts'
import { openWorld, UNLIMITED, type World } from '../testing/world.ts'
import { countRefusals } from './refusals.ts'

const PASSWORD = 'correct horse battery'
const DAY = 86_400_000
let world: World
let people = 0
beforeAll(async () => {
  world = await openWorld(UNLIMITED)
})
afterAll(() => world.database.drop())

/** what the relay and the bus do between them */
async function deliver(): Promise<void> {
  const consumer = world.running.consumers!.find(({ group }) => group === 'gateway.audit') as Consumer
  const rows = await world.database.db.query(
    `select id, key, ts, data, producer, topic from bus.outbox where topic = 'audit.recorded' order by position`,
  )
  for (const row of rows) {
    const envelope = { ...row, ts: (row.ts as Date).toISOString(), version: 1, trace: null, seq: 1 }
    await consumer.handle({ envelope, partition: 0, offset: 0, attempt: 1 } as never)
  }
}
async function token(role: 'trader' | 'operator', tenant?: string) {
  const email = `person${people++}@assay.example`
  const { id } = await world.createUser({ email, password: PASSWORD, role, ...(tenant && { tenant }) })
  const login = { body: { email, password: PASSWORD }, address: `10.0.${people}.1` }
  const { body } = await world.ask('POST', '/api/auth/login', login)
  return { id, token: body.token as string, email }
}
const list = async (token: string, query = '') => (await world.ask('GET', `/api/audit${query}`, { token })).body

describe('GET /api/audit', () => {
  test('gives an operator the rows of the own tenant, newest first, a house operator those of all', async () => {
    const [house, own, trader] = [
      await token('operator'),
      await token('operator', 'acme'),
      await token('trader', 'acme'),
    ]
    await deliver()
    const acme = await list(own.token)
    expect(acme.items.length).toBeGreaterThanOrEqual(4)
    expect(new Set(acme.items.map(({ tenant }: { tenant: string }) => tenant))).toEqual(new Set(['acme']))
    expect(acme.items.map(({ seq }: { seq: number }) => seq)).toEqual(
      acme.items.map((_: unknown, i: number) => acme.items.length - i),
    )
    expect((await list(own.token, '?tenant=default')).items).toEqual([])
    expect((await list(own.token, '?tenant=nothing')).items).toEqual([])
    expect((await list(house.token, '?tenant=acme')).items).toEqual(acme.items)
    const all = new Set((await list(house.token, '?limit=500')).items.map(({ tenant }: { tenant: string }) => tenant))
    expect(all).toEqual(new Set(['acme', 'default']))
    expect((await world.ask('GET', '/api/audit', { token: trader.token })).status).toBe(403)
    expect((await world.ask('GET', '/api/audit')).status).toBe(401)
  })

  test('filters by actor, action and time, page by page, without losing or repeating a row', async () => {
    const { token: operator } = await token('operator')
    const person = await token('trader')
    await deliver()
    const mine = await list(operator, `?actor=${person.id}`)
    expect(mine.items.map(({ action }: { action: string }) => action)).toEqual(['login', 'user.created'])
    expect((await list(operator, `?actor=${person.id}&action=login`)).items).toHaveLength(1)
    const { at } = mine.items[0]
    expect((await list(operator, `?actor=${person.id}&to=${at}`)).items).not.toContainEqual(mine.items[0])
    expect((await list(operator, `?actor=${person.id}&from=${at}`)).items).toContainEqual(mine.items[0])
    const everything = (await list(operator, '?limit=500')).items
    const paged: unknown[] = []
    let next: string | null = ''
    while (next !== null) {
      const page: { items: unknown[]; next: string | null } = await list(
        operator,
        `?limit=3${next && `&cursor=${next}`}`,
      )
      paged.push(...page.items)
      next = page.next
    }
    expect(paged).toEqual(everything)
    for (const [query, field] of [
      ['cursor=x', 'cursor'],
      [`cursor=999999999999999.${crypto.randomUUID()}`, 'cursor'],
      ['from=yesterday', 'from'],
      ['from=0000-01-01T00:00:00Z', 'from'],
      ['to=9999-12-31T23:59:59-23:59', 'to'],
      ['actor=a%00b', 'actor'],
      ['limit=501', 'limit'],
    ])
      expect((await world.ask('GET', `/api/audit?${query}`, { token: operator })).body).toMatchObject({
        status: 422,
        field,
      })
  })

  test('no row holds an e-mail or a secret', async () => {
    const { token: operator } = await token('operator')
    const { email } = await token('trader')
    await world.ask('POST', '/api/auth/login', { body: { email, password: 'wrong password' }, address: '10.9.9.9' })
    await world.ask('POST', '/api/auth/login', { body: { email: 'no@body.example', password: 'wrong password' } })
    await deliver()
    const text = JSON.stringify((await list(operator, '?limit=500')).items)
    expect(text).toContain('login.failed')
    for (const secret of ['@', PASSWORD, 'wrong password', 'assayr_']) expect(text).not.toContain(secret)
  })
})

describe('what is recorded', () => {
  test('a key by its first use on a day and from each network, not by every request', async () => {
    const { token: trader } = await token('trader')
    const { key, id } = (await world.ask('POST', '/api/api-keys', { token: trader, body: { name: 'bot' } })).body
    const use = (address: string) => world.ask('GET', '/api/auth/check', { token: key, address })
    for (const address of ['10.1.1.1', '10.1.1.1', '10.1.1.2', '10.1.1.1']) await use(address)
    await world.closePart('gateway key use')
    world.time.now += DAY
    await use('10.1.1.1')
    await world.closePart('gateway key use')
    await deliver()
    const { items } = await list((await token('operator')).token, '?action=api_key.used')
    const ofKey = items.filter(({ detail }: { detail: { key: string } }) => detail.key === id)
    expect(ofKey.map(({ detail }: { detail: { network: string } }) => detail.network)).toEqual(
      expect.arrayContaining(['10.1.1.1', '10.1.1.2']),
    )
    expect(ofKey).toHaveLength(3)
  })

  test('logins that wait because of those before them are told too, counted, and other limits are not (V16.3.1)', async () => {
    const address = '10.2.2.2'
    const guess = () =>
      world.ask('POST', '/api/auth/login', { body: { email: 'no@body.example', password: 'wrong password' }, address })
    const answers: number[] = []
    for (let i = 0; i < 9; i++) answers.push((await guess()).status)
    expect(answers.slice(-4)).toEqual([429, 429, 429, 429])
    const { database } = world.identity
    const refusals = countRefusals({ database, onRefused() {} })
    refusals.saw({ actor: null, address }, 429, 'orders')
    await refusals.flush()
    await world.closePart('gateway audit')
    const told = (await world.events('audit.recorded')).filter(({ action }) => action === 'authorization.refused')
    const here = told.filter(({ detail }) => (detail as { network: string }).network === address)
    expect(here.map(({ detail }) => detail)).toEqual([{ network: address, status: 429, count: 4 }])
  })

  test('a flood of refusals is a bounded number of rows that say how many they were', async () => {
    const refused: number[] = []
    const { database } = world.identity
    const refusals = countRefusals({ database, onRefused: (status) => void refused.push(status) })
    const denied = { code: 'unauthorized' } as never
    for (let i = 0; i < 5_000; i++) refusals.saw({ actor: null, denied, address: `10.${i >> 8}.${i & 255}.1` }, 401)
    for (let i = 0; i < 50; i++) refusals.saw({ actor: null, address: '10.0.0.1' }, 401)
    for (let i = 0; i < 50; i++) refusals.saw({ actor: null, denied, address: '10.0.0.1' }, 404)
    const before = (await world.events('audit.recorded')).length
    await refusals.flush()
    const told = (await world.events('audit.recorded')).slice(before) as { detail: { count: number } }[]
    expect(told.length).toBeLessThanOrEqual(101)
    expect(told.reduce((sum, { detail }) => sum + detail.count, 0)).toBe(5_000)
    expect(refused).toHaveLength(5_000)
    await refusals.flush()
    expect(await world.events('audit.recorded')).toHaveLength(before + told.length)
  })

  test('refusals that the database does not take are told with the next ones', async () => {
    let away = true
    const inTransaction: typeof world.identity.database.inTransaction = (work) =>
      away ? Promise.reject(new Error('no database')) : world.identity.database.inTransaction(work)
    const refusals = countRefusals({ database: { inTransaction }, onRefused() {} })
    const keys = trackAddressRefusals({ database: { inTransaction }, clock: { monotonic: () => 0 } })
    const actor = { userId: 'ada', tenant: 'acme', keyId: 'k1', role: 'bot', plan: 'free', scopes: [] } as const
    refusals.saw({ actor, address: '10.0.0.1' }, 403)
    keys.saw(actor, '10.0.0.1')
    for (const { flush } of [refusals, keys]) expect(await flush().catch((error) => error.message)).toBe('no database')
    refusals.saw({ actor, address: '10.0.0.1' }, 403)
    away = false
    const before = (await world.events('audit.recorded')).length
    await refusals.flush()
    await keys.flush()
    expect((await world.events('audit.recorded')).slice(before)).toMatchObject([
      { action: 'authorization.refused', actor: 'ada', detail: { network: '10.0.0.1', status: 403, count: 2 } },
      { action: 'api_key.address_refused', actor: 'ada', detail: { key: 'k1' } },
    ])
  })
})
