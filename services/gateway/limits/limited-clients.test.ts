import { afterAll, beforeAll, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases, type TestDatabase } from '@assay/core/testing/database'
import { newPerson, PASSWORD } from '../testing/person.ts'
import { openWorld, problem } from '../testing/world.ts'

describeAdapters('limits of clients', databases, (openDatabase) => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await openDatabase()
  }, 30_000)
  afterAll(() => database.drop())

  test('past 60 requests a minute a client waits, by key, user or address, and the answer and the metric say so', async () => {
    const limited = await openWorld({}, database)
    const { token } = await newPerson(limited)
    const { key } = (await limited.ask('POST', '/api/api-keys', { token, body: { name: 'bot' } })).body
    const statuses: number[] = []
    for (let i = 0; i < 60; i++) statuses.push((await limited.ask('GET', '/api/auth/check', { token })).status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(60)
    const refused = await limited.ask('GET', '/api/auth/check', { token })
    expect(problem(refused)).toMatchObject({ status: 429, code: 'rate_limited' })
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'retry-after': '1',
      ratelimit: '"default";r=0;t=60',
      'ratelimit-policy': '"default";q=60;w=60',
    })
    expect((await limited.ask('GET', '/api/auth/check', { token: key })).status).toBe(200)
    expect(await limited.metrics()).toContain('rate_limit_hits_total{class="default"} 1')
  })

  test('reads without a credential are 50 an hour by address, and the JWKS is not counted', async () => {
    const limited = await openWorld({}, database)
    const address = '198.51.100.1'
    const anonymous = () => limited.ask('GET', '/api/auth/check', { address })
    for (let i = 0; i < 50; i++) expect((await anonymous()).status).toBe(401)
    expect((await anonymous()).status).toBe(429)
    expect((await limited.ask('GET', '/api/auth/check', { address: '198.51.100.2' })).status).toBe(401)
    expect((await limited.ask('GET', '/.well-known/jwks.json', { address })).status).toBe(200)
  })

  test('switched off, requests are not limited and login attempts still are', async () => {
    const open = await openWorld({ RATE_LIMIT_ENABLED: 'false' }, database)
    const address = '198.51.100.1'
    for (let i = 0; i < 70; i++) expect((await open.ask('GET', '/api/auth/check', { address })).status).toBe(401)
    const body = { email: 'nobody@assay.example', password: PASSWORD }
    for (let i = 0; i < 5; i++) expect((await open.ask('POST', '/api/auth/login', { body, address })).status).toBe(401)
    expect((await open.ask('POST', '/api/auth/login', { body, address })).status).toBe(429)
  })
})
