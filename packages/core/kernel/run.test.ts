import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { AssayError } from '../contracts/errors.ts'
import { FolderLockedError } from '../ports/db/lock.ts'
import { requireActor } from './auth.ts'
import { withCtx } from './edge.ts'
import { composeForDocument, type Started, startPlatform } from './run.ts'
import type { Service } from './service.ts'

const homes: string[] = []
function newHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'assay-run-'))
  homes.push(home)
  return home
}
afterAll(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true })
})

const order: string[] = []
const empty = z.object({})
/** Verifies credentials, allows two requests, then refuses. */
function gatewayLike(): Service {
  let seen = 0
  return {
    name: 'gateway',
    config: empty,
    create: (_deps, lifecycle) => {
      lifecycle.defer('gateway', () => void order.push('gateway closed'))
      return {
        app: new Elysia({ name: 'gateway' })
          .use(withCtx)
          .get('/mine', ({ ctx }) => ({ user: requireActor(ctx).userId }), {
            response: { 200: z.object({ user: z.string() }) },
            detail: { operationId: 'mine', tags: ['test'], summary: 'Who asks' },
          }),
        tokens: {
          verify: async (credential) => {
            if (credential !== 'good') throw new AssayError('unauthorized', 'Not valid.')
            return { userId: 'ada', role: 'trader', tenant: 'default', scopes: [], plan: 'free' }
          },
        },
        gate: {
          enter(_ctx, { routeClass }) {
            if (routeClass !== 'none' && ++seen > 2)
              throw new AssayError('rate_limited', 'Too many.', { retryAfterS: 1 })
          },
          left() {},
        },
        notices: () => ['first operator: ada'],
        start: async () => void order.push('gateway started'),
      }
    },
  }
}
/** Asks the other service in the same process. */
const desk: Service<z.ZodObject<{ DESK_NAME: z.ZodDefault<z.ZodString> }>> = {
  name: 'desk',
  config: z.object({ DESK_NAME: z.string().default('front') }),
  create: (deps, lifecycle) => {
    lifecycle.defer('desk', () => void order.push('desk closed'))
    return {
      app: new Elysia({ name: 'desk' }).get('/openapi-free', async () => {
        const statuses: number[] = []
        for (let i = 0; i < 5; i++) {
          const asked = new Request('http://gateway/mine', { headers: { authorization: 'Bearer good' } })
          statuses.push((await deps.call('gateway', asked)).status)
        }
        return { statuses, desk: deps.config.DESK_NAME, channels: deps.channels().length }
      }),
      probes: [{ name: 'desk', timeoutMs: 100, check: async () => undefined }],
      health: () => ({ stores: { desk: { open: true } } }),
      start: async () => void order.push('desk started'),
    }
  },
}
const env = (home: string) => ({ ASSAY_HOME: home, LOG_LEVEL: 'silent', LOG_FORMAT: 'json', DESK_NAME: 'back' })

describe('a platform', () => {
  let started: Started
  const home = newHome()
  const get = (path: string, headers = {}) => fetch(started.url + path, { headers })
  beforeAll(async () => {
    started = await startPlatform({ services: [gatewayLike(), desk], env: env(home), port: 0 })
  })

  test('is ready once everything has started, in the order of the list', async () => {
    expect(order).toEqual(['gateway started', 'desk started'])
    const ready = await get('/ready')
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { ready: true, draining: false, probes: { db: 'ok', desk: 'ok' } },
    ])
    expect(await (await get('/health')).json()).toMatchObject({
      status: 'ok',
      stores: { desk: { open: true } },
      degraded: [],
    })
    expect(started.notices).toEqual(['first operator: ada'])
  })
  test('lets services ask each other without counting it as a client', async () => {
    expect(await (await get('/openapi-free')).json()).toEqual({
      statuses: [200, 200, 200, 200, 200],
      desk: 'back',
      channels: 0,
    })
  })
  test('limits clients', async () => {
    expect((await get('/mine', { authorization: 'Bearer good' })).status).toBe(200)
    expect((await get('/mine', { authorization: 'Bearer good' })).status).toBe(429)
  })
  test('serves metrics to loopback', async () => {
    const metrics = await get('/metrics')
    expect(metrics.headers.get('content-type')).toStartWith('text/plain')
    expect(await metrics.text()).toContain(
      'http_request_duration_seconds_bucket{le="0.001",method="GET",route="/ready"}',
    )
  })
  test('documents every route in OpenAPI 3.1, with the problem that each may answer', async () => {
    const document = (await (await get('/openapi.json')).json()) as {
      openapi: string
      paths: Record<string, Record<string, { responses: object }>>
      components: { schemas: object }
    }
    expect(document.openapi).toStartWith('3.1')
    expect(document.paths['/mine']!.get!.responses).toMatchObject({
      200: {},
      default: { content: { 'application/problem+json': {} } },
    })
    expect(Object.keys(document.components.schemas)).toContain('Problem')
    expect(document.paths['/health']).toBeDefined()
  })
  test('shows its documents in one page whose only script the policy names (V14.2.3)', async () => {
    const docs = await get('/docs')
    const page = await docs.text()
    const script = /<script>([\s\S]*)<\/script>/.exec(page)![1]!
    const hash = createHash('sha256').update(script).digest('base64')
    expect(docs.headers.get('content-security-policy')).toContain(`script-src 'sha256-${hash}'`)
    expect(page).not.toMatch(/(src|href)="https?:/)
    expect(() => new Function(script)).not.toThrow()
  })
  test('keeps a second process off its data folder', async () => {
    const refused = await startPlatform({ services: [desk], env: env(home), port: 0 }).catch((error) => error)
    expect(refused).toBeInstanceOf(FolderLockedError)
  })
  test('closes in reverse order, after the requests in flight', async () => {
    order.length = 0
    await started.close()
    expect(order).toEqual(['desk closed', 'gateway closed'])
    expect(await get('/health').catch(() => 'refused')).toBe('refused')
  })
})

test('a service that fails to start leaves nothing open: the folder can be used at once (V1.4.3)', async () => {
  const home = newHome()
  const broken: Service = { name: 'broken', config: empty, create: () => Promise.reject(new Error('no venue')) }
  const failed = await startPlatform({ services: [broken], env: env(home), port: 0 }).catch((error) => error)
  expect(String(failed)).toContain('no venue')
  expect((await composeForDocument([desk], env(home))).document).toMatchObject({ openapi: '3.1.2' })
}, 20_000)
