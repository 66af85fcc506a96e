import { createHash } from 'node:crypto'
import { type AnyElysia, Elysia } from 'elysia'
import type { Registry } from 'prom-client'
import { z } from 'zod'
import { AssayError } from '../contracts/errors.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { MarketLog } from '../ports/marketlog/port.ts'
import { requireHouse } from './auth.ts'
import docsPage from './docs.html' with { type: 'text' }
import { withCtx } from './edge.ts'
import type { Health } from './health.ts'
import { openApiDocument } from './openapi.ts'
import { isLoopback } from './proxies.ts'
import { VERSION } from './version.ts'

export interface PlatformRoutesOptions {
  health: Health
  metrics: Registry
  clock: Clock
  marketlog: MarketLog
  groups: readonly string[]
  /** the whole app, once composed */
  app: () => AnyElysia
  /** the document, where it says more than this app */
  document?: () => Record<string, unknown> | undefined
}

const tags = ['platform']
const Report = z.object({
  status: z.enum(['ok', 'degraded', 'down']),
  version: z.string(),
  runtime: z.string(),
  uptime_s: z.number().int(),
  stores: z.record(z.string(), z.unknown()),
  breakers: z.record(z.string(), z.string()),
  degraded: z.array(z.string()),
})
const Ready = z.object({ ready: z.boolean(), draining: z.boolean(), probes: z.record(z.string(), z.string()) })
const About = z.object({ name: z.string(), version: z.string(), links: z.record(z.string(), z.string()) })
const Time = z.object({
  time: z.iso.datetime(),
  groups: z.record(z.string(), z.object({ mseq: z.number().int(), mts: z.iso.datetime() })),
})
const page = String(docsPage)
/** A 200 that no schema of ours describes. */
const answers = (type: string) => ({
  200: {
    description: 'OK',
    content: { [type]: { schema: { type: type === 'application/json' ? ('object' as const) : ('string' as const) } } },
  },
})

/** What every deployment answers, whichever services it holds. */
export function platformRoutes({
  health,
  metrics,
  clock,
  marketlog,
  groups,
  app,
  document: whole,
}: PlatformRoutesOptions) {
  let document: string | undefined
  const report = async ({ set }: { set: { status?: number | string } }) => {
    const told = await health.report()
    set.status = told.status === 'down' ? 503 : 200
    return told
  }
  return new Elysia({ name: 'kernel.platform' })
    .use(withCtx)
    .get('/health', report, {
      response: { 200: Report, 503: Report },
      detail: { operationId: 'getHealth', tags, summary: 'Health of all services' },
    })
    .get('/api/health', report, {
      response: { 200: Report, 503: Report },
      detail: { operationId: 'getApiHealth', tags, summary: 'Health of all services' },
    })
    .get(
      '/ready',
      async ({ set }) => {
        const told = await health.readiness()
        set.status = told.ready ? 200 : 503
        return told
      },
      {
        response: { 200: Ready, 503: Ready },
        detail: { operationId: 'getReady', tags, summary: '503 until every probe passed, and while draining' },
      },
    )
    .get(
      '/metrics',
      async ({ ctx }) => {
        if (!isLoopback(ctx.address)) requireHouse(ctx, 'ops:metrics')
        return new Response(await metrics.metrics(), { headers: { 'content-type': metrics.contentType } })
      },
      {
        detail: {
          operationId: 'getMetrics',
          tags,
          summary: 'Prometheus metrics; scope ops:metrics of the house, or loopback',
          responses: answers('text/plain'),
        },
      },
    )
    .get(
      '/openapi.json',
      ({ set }) => {
        set.headers['content-type'] = 'application/json'
        document ??= JSON.stringify(whole?.() ?? openApiDocument(app()))
        return document
      },
      {
        detail: { operationId: 'getOpenApi', tags, summary: 'This document', responses: answers('application/json') },
      },
    )
    .get('/docs', ({ set }) => docsResponse(set.headers), {
      detail: { operationId: 'getDocs', tags, summary: 'This document for people', responses: answers('text/html') },
    })
    .get(
      '/api',
      () => ({
        name: 'assay',
        version: VERSION,
        links: { docs: '/docs', openapi: '/openapi.json', health: '/health', time: '/api/time', live: '/ws' },
      }),
      { response: { 200: About }, detail: { operationId: 'getApi', tags, summary: 'Name, version, links' } },
    )
    .get(
      '/api/time',
      async () => ({ time: new Date(clock.now()).toISOString(), groups: await groupTimes(marketlog, groups) }),
      {
        response: { 200: Time },
        detail: { operationId: 'getTime', tags, summary: "Wall time, and each market group's last event" },
      },
    )
}

async function groupTimes(marketlog: MarketLog, groups: readonly string[]) {
  const times: Record<string, { mseq: number; mts: string }> = {}
  for (const group of groups) {
    const end = await marketlog.end(group)
    if (end && end.mseq > 0) times[group] = { mseq: end.mseq, mts: new Date(end.mts).toISOString() }
  }
  return times
}

/** One self-contained page: its only script is named by hash, it loads nothing from elsewhere. */
function docsResponse(headers: Record<string, string | number>): string {
  const script = /<script>([\s\S]*)<\/script>/.exec(page)?.[1]
  if (!script) throw new AssayError('internal', 'The page has no script.')
  const hash = createHash('sha256').update(script).digest('base64')
  headers['content-type'] = 'text/html; charset=utf-8'
  headers['content-security-policy'] =
    `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; connect-src 'self'; object-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'`
  return page
}
