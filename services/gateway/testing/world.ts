import { expect } from 'bun:test'
import { join } from 'node:path'
import { edge } from '@assay/core/kernel/edge'
import { createRequestMetrics } from '@assay/core/kernel/metrics'
import { createPublicUrl } from '@assay/core/kernel/public-url'
import type { Deps, Running } from '@assay/core/kernel/service'
import { openBlobFolder } from '@assay/core/ports/blobs/folder'
import { createMemoryLimits } from '@assay/core/ports/limits/memory'
import { openSecretsFile } from '@assay/core/ports/secrets/file'
import { type TestDatabase, testDatabase } from '@assay/core/testing/database'
import { type AnyElysia, Elysia } from 'elysia'
import pino from 'pino'
import { Registry } from 'prom-client'
import type { User } from '../auth/schemas.ts'
import { type Config, config } from '../config.ts'
import type { GatewayDeps } from '../deps.ts'
import { openIdentity } from '../identity.ts'
import { gateway } from '../service.ts'
import { createUser, type NewUser } from '../users/create-user.ts'

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  body: any
}
export interface Asked {
  body?: unknown
  token?: string
  address?: string
  userAgent?: string
}

export interface World {
  /** moves by hand; sleeping takes no time */
  time: { now: number }
  running: Running
  /** what the verbs work with */
  identity: GatewayDeps
  /** its tenant is made where it is missing */
  createUser(user: NewUser): Promise<User>
  ask(method: string, path: string, asked?: Asked): Promise<Answer>
  /** any request, as it is */
  handle(request: Request): Promise<Response>
  metrics(): Promise<string>
  /** events of a topic so far, oldest first */
  events(topic: string): Promise<Record<string, unknown>[]>
  database: TestDatabase
  /** does what the service would do under this name when it closes */
  closePart(name: string): Promise<void>
  /** closes the service and opens it again on the same database and secrets */
  restart(): Promise<void>
}

/** For tests that are not about limits: limits of logins stay. */
export const UNLIMITED = {
  RATE_LIMIT_PER_MINUTE: '1000000',
  RATE_LIMIT_PER_HOUR: '1000000',
  RATE_LIMIT_PER_DAY: '1000000',
}
/** An answer in three words: status, code, field. */
export const said = ({ status, body }: Answer): string => `${status} ${body?.code ?? ''} ${body?.field ?? ''}`.trim()
/** What a problem says; fails where the answer is none. */
export function problem({ status, headers, body }: Answer): {
  status: number
  code: string
  field: string | undefined
} {
  expect(headers.get('content-type')).toBe('application/problem+json')
  expect(body).toMatchObject({ type: `urn:assay:error:${body.code}`, status, request_id: expect.any(String) })
  return { status, code: body.code, field: body.field }
}

/** The gateway behind the real edge on a database of its own. The test's process is the trusted proxy: it chooses addresses. */
export async function openWorld(env: Record<string, string> = {}, shared?: TestDatabase): Promise<World> {
  const database = shared ?? (await testDatabase())
  const time = { now: Date.now() }
  const clock = { now: () => time.now, monotonic: () => time.now, sleep: () => Promise.resolve() }
  const secrets = await openSecretsFile({ home: database.home, log: { warn() {} }, now: () => time.now })
  const log = pino({ level: 'silent' })

  const closers = new Map<string, () => Promise<void> | void>()

  async function open(): Promise<{ running: Running; app: AnyElysia; metrics: Registry }> {
    const metrics = new Registry()
    const deps = {
      config: config.parse(env),
      production: false,
      log,
      metrics,
      clock,
      db: database.db,
      secrets,
      blobs: openBlobFolder(join(database.home, 'blobs')),
      home: database.home,
      limiter: createMemoryLimits(clock),
      peers: { url: null },
    }
    const lifecycle = {
      defer: (name: string, close: () => Promise<void> | void) => void closers.set(name, close),
      background() {},
      signal: new AbortController().signal,
      close: async () => {},
    }
    const running = await gateway.create(deps as unknown as Deps<Config>, lifecycle)
    await running.start?.()
    const app: AnyElysia = new Elysia()
      .use(
        edge({
          log,
          clock,
          metrics: createRequestMetrics(metrics),
          tokens: running.tokens!,
          gate: () => running.gate,
          trustedProxies: ['127.0.0.1/32'],
          publicUrl: createPublicUrl(env.PUBLIC_URL, false),
          routes: () => app.routes,
        }),
      )
      .use(running.app)
    return { running, app, metrics }
  }

  let { running, app, metrics } = await open()
  const identity = await openIdentity({
    db: database.db,
    secrets,
    clock,
    limits: createMemoryLimits(clock),
    idleMs: 0,
    requireFactor: false,
    onLimitHit() {},
    onCacheAsked() {},
  })
  return {
    time,
    database,
    identity,
    get running() {
      return running
    },
    async createUser(input) {
      if (input.tenant)
        await database.db
          .as('gateway')
          .query('insert into tenants (id, name) values ($1, $1) on conflict (id) do nothing', [input.tenant])
      return createUser({ input, deps: identity })
    },
    async ask(method, path, { body, token, address = '203.0.113.1', userAgent = 'test' } = {}) {
      const headers = new Headers({ 'x-forwarded-for': address, 'user-agent': userAgent })
      if (token) headers.set('authorization', `Bearer ${token}`)
      if (body !== undefined) headers.set('content-type', 'application/json')
      const request = new Request(`http://localhost${path}`, { method, headers, body: JSON.stringify(body) })
      const response = await app.handle(request)
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : null }
    },
    handle: (request) => app.handle(request),
    metrics: () => metrics.metrics(),
    async events(topic) {
      const rows = await database.db
        .as('bus')
        .query<{ data: Record<string, unknown> }>('select data from bus.outbox where topic = $1 order by id', [topic])
      return rows.map(({ data }) => data)
    },
    closePart: async (name) => closers.get(name)?.(),
    async restart() {
      ;({ running, app, metrics } = await open())
    },
  }
}
