import { join } from 'node:path'
import { AssayError } from '@assay/core/contracts/errors'
import { ROLE_SCOPES } from '@assay/core/contracts/scopes'
import type { MarketEvent } from '@assay/core/domain/market/event'
import type { ChannelSource } from '@assay/core/kernel/channel'
import type { Actor } from '@assay/core/kernel/context'
import { edge } from '@assay/core/kernel/edge'
import { createRequestMetrics } from '@assay/core/kernel/metrics'
import { openBlobFolder } from '@assay/core/ports/blobs/folder'
import { systemClock } from '@assay/core/ports/clock/system'
import { createTestPayments } from '@assay/core/ports/payments/test-provider'
import { openSecretsFile } from '@assay/core/ports/secrets/file'
import { type TestDatabase, testDatabase } from '@assay/core/testing/database'
import { type AnyElysia, Elysia } from 'elysia'
import pino from 'pino'
import { Registry } from 'prom-client'
import { Owners } from '../access.ts'
import { SegmentEnds } from '../accounts/segment-ends.ts'
import { tradingApp } from '../app.ts'
import { assessmentChannel } from '../channel/assessment-channel.ts'
import type { TradingDeps } from '../deps.ts'
import { dbLeases } from '../engine/leases.ts'
import { sqlStore } from '../engine/sql-store.ts'
import { type TestEngine, testEngine } from '../engine/testing.ts'
import { instrumentBook } from '../instruments/instrument-book.ts'
import { openJournalKeys } from '../proof/keys.ts'
import { TIER_CATALOGUE } from '../tiers/catalogue.ts'
import { seedTiers } from '../tiers/seed-tiers.ts'
import { tierCache } from '../tiers/tier-cache.ts'

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  body: any
}
/** `role:user` is a token, `role:user:tenant` of another tenant. */
export interface Caller {
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  patch(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  put(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  delete(path: string): Promise<Answer>
}
export interface World {
  database: TestDatabase
  engine: TestEngine
  deps: TradingDeps
  channel: ChannelSource
  as(token: string): Caller
  /** a quote at an ISO time; resolves when all it caused is durable */
  quote(at: string, bid: string, ask: string, symbol?: string): Promise<void>
  /** any tick */
  tick(at: string, tick: Record<string, unknown>): Promise<void>
  /** a paid, started assessment of the tier */
  started(token: string, tier?: string): Promise<string>
  close(): Promise<void>
}

const tokens = {
  async verify(credential: string): Promise<Actor> {
    const [role, userId, tenant = 'default'] = credential.split(':') as [Actor['role'], string, string?]
    const scopes = ROLE_SCOPES[role]
    if (!scopes) throw new AssayError('unauthorized', 'The token is not valid.')
    return { userId, role, tenant, scopes, plan: 'standard' }
  },
}

/** All REST of trading behind the real edge, with the real engine on a database and a market log of its own. */
export async function openWorld(more: Partial<TradingDeps> = {}): Promise<World> {
  const database = await testDatabase()
  const db = database.db.as('trading')
  const secrets = await openSecretsFile({ home: database.home, log: { warn() {} } })
  const keys = await openJournalKeys({ secrets, clock: systemClock, home: null })
  await seedTiers(db, 'default', TIER_CATALOGUE)
  const engine = await testEngine({
    store: sqlStore(db),
    leases: dbLeases(db, systemClock, { id: 'test', url: null }),
    keys,
  })
  const deps: TradingDeps = {
    db,
    engine: engine.engine,
    payments: createTestPayments(),
    clock: systemClock,
    marketlog: engine.log,
    owners: new Owners(db),
    segmentEnds: new SegmentEnds(engine.log),
    tiers: tierCache((_, load) => load()),
    presets: [],
    instruments: instrumentBook({ db, now: () => systemClock.monotonic(), fed: async () => [] }),
    ...more,
  }
  const app: AnyElysia = new Elysia()
  const metrics = createRequestMetrics(new Registry())
  app.use(edge({ log: pino({ level: 'silent' }), clock: systemClock, metrics, tokens, routes: () => app.routes }))
  app.use(tradingApp({ trading: deps, keys, blobs: openBlobFolder(join(database.home, 'blobs')) }))

  async function ask(
    method: string,
    path: string,
    token: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) {
    const sent = {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    }
    const request = new Request(`http://localhost${path}`, {
      method,
      headers: sent,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const response = await app.handle(request)
    const type = response.headers.get('content-type') ?? ''
    const bytes = await response.bytes()
    const text = new TextDecoder().decode(bytes)
    const parsed = /json/.test(type) ? JSON.parse(text) : type === 'application/zip' ? bytes : text
    return { status: response.status, headers: response.headers, body: parsed }
  }
  const as = (token: string): Caller => ({
    get: (path, headers) => ask('GET', path, token, undefined, headers),
    post: (path, body, headers) => ask('POST', path, token, body, headers),
    patch: (path, body, headers) => ask('PATCH', path, token, body, headers),
    put: (path, body, headers) => ask('PUT', path, token, body, headers),
    delete: (path) => ask('DELETE', path, token),
  })

  let mseq = 0
  let mts = 0
  async function tick(at: string, fields: Record<string, unknown>): Promise<void> {
    const ts = Date.parse(at)
    mseq++
    mts = Math.max(mts, ts)
    await engine.append({ venue: 'test', ts, pos: mseq, ...fields, mseq, mts } as unknown as MarketEvent)
  }
  return {
    database,
    engine,
    deps,
    channel: assessmentChannel(deps),
    as,
    tick,
    quote: (at, bid, ask, symbol = 'BTC/USD') => tick(at, { kind: 'quote', symbol, bid, ask }),
    async started(token, tier = 'demo-usd') {
      const purchase = await as(token).post('/api/purchases', { tier_id: tier })
      const assessment = await as(token).post('/api/assessments', { purchase_id: purchase.body.id })
      const started = await as(token).post(`/api/assessments/${assessment.body.id}/start`)
      if (started.status !== 200) throw new Error(`not started: ${JSON.stringify([purchase, assessment, started])}`)
      return assessment.body.id
    },
    async close() {
      await engine.close()
      await secrets.close()
      await database.drop()
    },
  }
}
