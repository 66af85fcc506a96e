import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { TransitionResource } from '@assay/core/contracts/wire/assessment'
import type { PresetSummary } from '@assay/core/contracts/wire/preset'
import type { TierResource } from '@assay/core/contracts/wire/purchase'
import { until } from '@assay/core/testing/until'
import { type Api, openApi } from './api.ts'
import { openContract } from './contract.ts'
import { operatorToken, type Person, signUp, startAssessment, type Tokens } from './people.ts'
import { type Process, scratchHome, startProcess } from './platform.ts'

type Page<T> = { items: T[]; next: string | null }

const TIER = 'two-step-100k-usd'
const contract = openContract()
const { home, remove } = scratchHome()
let platform: Process
let anonymous: Api
let operator: string
let ann: Person
let bob: Person

beforeAll(async () => {
  platform = await startProcess(home, { env: { FEEDS: 'sim?speed=20x' } })
  anonymous = openApi(platform.url, contract)
  operator = await operatorToken(anonymous)
  ann = await signUp(anonymous, 'ann', operator)
  bob = await signUp(anonymous, 'bob', operator)
}, 30_000)
afterAll(async () => {
  await platform.stop('SIGKILL')
  remove()
})

describe('what anybody may read', () => {
  test('is up, ready and measured', async () => {
    expect(await anonymous.get<object>('/health')).toMatchObject({ status: 'ok', degraded: [] })
    expect(await anonymous.get<object>('/api/health')).toMatchObject({ status: 'ok' })
    expect(await anonymous.get<object>('/ready')).toMatchObject({ ready: true, draining: false })
    const { body } = await anonymous.send<Uint8Array>('GET', '/metrics')
    expect(new TextDecoder().decode(body)).toContain('http_requests_total{')
    expect(await anonymous.get<object>('/api')).toMatchObject({ name: 'assay' })
  })
  test('documents itself as the checked-in document says', async () => {
    const served = await anonymous.get<Record<string, unknown>>('/openapi.json')
    const kept = JSON.parse(readFileSync(new URL('../../openapi/assay.json', import.meta.url), 'utf8'))
    expect(served).toEqual(kept)
    const { body } = await anonymous.send<Uint8Array>('GET', '/docs')
    expect(new TextDecoder().decode(body)).toContain('<title>Assay API</title>')
  })
  test('has a market whose time goes on', async () => {
    const time = () => anonymous.get<{ groups: { main: { mseq: number } } }>('/api/time')
    const before = (await time()).groups.main.mseq
    const { items } = await anonymous.get<Page<{ symbol: string }>>('/api/market/symbols')
    expect(items.map(({ symbol }) => symbol)).toContain('BTC/USD')
    expect(await anonymous.get<object>('/api/market/ticker/BTC-USD')).toMatchObject({ symbol: 'BTC/USD' })
    const candles = await anonymous.get<Page<{ count: number }>>('/api/market/candles/BTC%2FUSD?resolution=1s')
    expect(candles.items.length).toBeGreaterThan(0)
    const prints = await anonymous.get<Page<object>>('/api/market/trades/BTC-USD?limit=3')
    expect(prints.items).toHaveLength(3)
    await until('a newer event', async () => (await time()).groups.main.mseq > before)
  })
  test('shows instruments, tiers and the keys that sign', async () => {
    await anonymous.get('/api/instruments?limit=2')
    expect(await anonymous.get<object>('/api/instruments/EUR-USD')).toMatchObject({ symbol: 'EUR/USD', base: 'EUR' })
    const { items } = await anonymous.get<Page<{ id: string }>>('/api/tiers')
    expect(items.map((tier) => tier.id)).toContain(TIER)
    expect(await anonymous.get<object>(`/api/tiers/${TIER}`)).toMatchObject({ id: TIER })
    expect((await anonymous.get<{ keys: object[] }>('/.well-known/jwks.json')).keys.length).toBeGreaterThan(0)
  })
})

describe('identity', () => {
  test('a refresh token is good once: reuse from elsewhere ends the session with its access token', async () => {
    const { email, password } = bob
    const first = await anonymous.post<Tokens>('/api/auth/login', { email, password })
    expect(first.expires_in).toBe(900)
    const second = await anonymous.post<Tokens>('/api/auth/refresh', { refresh_token: first.refresh_token })
    expect(second.refresh_token).not.toBe(first.refresh_token)
    expect(await anonymous.as(second.token).get<object>('/api/auth/check')).toMatchObject({ credential: 'session' })

    const thief = { headers: { 'user-agent': 'somebody else' }, body: { refresh_token: first.refresh_token } }
    expect((await anonymous.refused('POST', '/api/auth/refresh', thief)).status).toBe(401)
    const next = { body: { refresh_token: second.refresh_token } }
    expect((await anonymous.refused('POST', '/api/auth/refresh', next)).status).toBe(401)
    expect((await anonymous.as(second.token).refused('GET', '/api/auth/check')).status).toBe(401)
    expect(await bob.api.get<object>('/api/auth/check')).toMatchObject({ authenticated: true })
  })
  test('logout ends a session at once', async () => {
    const { email, password } = bob
    const { token } = await anonymous.post<Tokens>('/api/auth/login', { email, password })
    await anonymous.as(token).post('/api/auth/logout')
    expect((await anonymous.as(token).refused('GET', '/api/auth/check')).code).toBe('unauthorized')
  })
  test('an e-mail is taken once; a weak password is refused by field', async () => {
    const again = { body: { email: ann.email, password: 'another password' } }
    expect((await anonymous.refused('POST', '/api/auth/register', again)).status).toBe(409)
    const weak = { body: { email: 'new@traders.example', password: 'short' } }
    expect(await anonymous.refused('POST', '/api/auth/register', weak)).toMatchObject({
      status: 422,
      field: 'password',
    })
  })
  test('an API key does what its scopes say until it is revoked', async () => {
    const asked = { name: 'reader', scopes: ['trading:read'] }
    const { id: keyId, key } = await ann.api.post<{ id: string; key: string }>('/api/api-keys', asked)
    const reader = anonymous.as(key)
    await reader.get('/api/assessments')
    const buying = { body: { tier_id: TIER } }
    expect(await reader.refused('POST', '/api/purchases', buying)).toMatchObject({ status: 403, code: 'forbidden' })
    const { items } = await ann.api.get<Page<{ id: string }>>('/api/api-keys')
    expect(items.map((item) => item.id)).toContain(keyId)
    expect((await bob.api.refused('DELETE', `/api/api-keys/${keyId}`)).status).toBe(404)
    await ann.api.delete(`/api/api-keys/${keyId}`)
    expect((await reader.refused('GET', '/api/assessments')).status).toBe(401)
  })
  test('guessing a password is stopped', async () => {
    const guess = { body: { email: 'victim@traders.example', password: 'wrong password' } }
    const statuses: number[] = []
    for (let n = 0; n < 6; n++) statuses.push((await anonymous.refused('POST', '/api/auth/login', guess)).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
  })
})

describe('operators', () => {
  const own = {
    name: 'Own tier',
    currency: 'USD',
    initial_balance: '50000',
    max_pauses: 1,
    max_pause_days: 3,
    phases: [{ kind: 'evaluation', rules: [{ rule: 'max_loss', limit: { pct: '10' } }] }],
  }
  test('sell a tier of their own, which its trader can pause; a change and its end do not touch what runs', async () => {
    const desk = anonymous.as(operator)
    const made = await desk.post<TierResource>('/api/tiers', own)
    const running = await startAssessment(bob, made.id)
    const of = (rest: string) => `/api/assessments/${running}${rest}`
    const changed = await desk.send<TierResource>('PATCH', `/api/tiers/${made.id}`, {
      body: { max_pauses: 0, max_pause_days: 0 },
    })
    expect(changed).toMatchObject({ status: 200, body: { version: 2 } })
    expect(await desk.delete<object>(`/api/tiers/${made.id}`)).toEqual({ success: true })
    expect((await bob.api.refused('POST', '/api/purchases', { body: { tier_id: made.id } })).status).toBe(404)

    expect((await bob.api.post<TransitionResource>(of('/pause'))).status).toBe('paused')
    expect(
      (
        await bob.bot.refused('POST', of('/orders'), {
          body: { symbol: 'BTC/USD', side: 'buy', type: 'market', quantity: '0.01' },
        })
      ).code,
    ).toBe('assessment_paused')
    expect((await bob.api.post<TransitionResource>(of('/resume'))).status).toBe('started')
    expect((await bob.api.refused('POST', of('/pause'))).code).toBe('pause_not_allowed')
    expect((await ann.api.refused('POST', of('/pause'))).status).toBe(404)
    for (const who of [bob.api, bob.bot]) {
      expect((await who.refused('POST', '/api/tiers', { body: own })).status).toBe(403)
      expect((await who.refused('DELETE', `/api/tiers/${TIER}`)).status).toBe(403)
    }
  })
  test('replace the key that signs access tokens: both are published, nobody is logged out', async () => {
    expect((await bob.api.refused('POST', '/api/auth/signing-keys')).status).toBe(403)
    const replaced = await anonymous.as(operator).post<{ kid: string }>('/api/auth/signing-keys')
    const { keys } = await anonymous.get<{ keys: { kid: string }[] }>('/.well-known/jwks.json')
    expect(keys.map(({ kid }) => kid)).toContain(replaced.kid)
    expect(keys.length).toBeGreaterThan(1)
    expect(await bob.api.get<object>('/api/auth/check')).toMatchObject({ user: {} })
  })
  test('keep calendars as versioned documents, and presets name every parameter that nothing supports', async () => {
    const desk = anonymous.as(operator)
    const body = { kind: 'holidays', dates: [{ date: '2030-12-25' }] }
    const put = await desk.send<{ hash: string }>('PUT', '/api/calendars/closed', { body })
    expect([put.status, put.headers.get('etag')]).toEqual([200, `"${put.body.hash}"`])
    const stale = { body, headers: { 'if-match': '"other"' } }
    expect((await desk.refused('PUT', '/api/calendars/closed', stale)).code).toBe('precondition_failed')
    const { items } = await anonymous.get<Page<{ document: object }>>('/api/calendars?kind=holidays')
    expect(items).toMatchObject([{ document: { name: 'closed', version: 1 } }])
    const presets = await anonymous.get<Page<PresetSummary>>('/api/presets')
    const [unsourced] = presets.items.filter(({ unverified }) => unverified.length > 0)
    const { id: preset, version, hash } = unsourced!
    expect(await anonymous.get<object>(`/api/presets/${preset}`)).toMatchObject({ hash })
    const sold = { body: { ...own, name: 'From preset', preset: { id: preset, version, hash } } }
    expect((await desk.refused('POST', '/api/tiers', sold)).code).toBe('preset_not_accepted')
  })
})
