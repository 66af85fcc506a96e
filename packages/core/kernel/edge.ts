import { Elysia } from 'elysia'
import type { Logger } from 'pino'
import { AssayError } from '../contracts/errors.ts'
import { useOwnWords } from '../contracts/wire/words.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { TokenVerifier } from './auth.ts'
import { checkBody, takesForm } from './body.ts'
import { challenge } from './challenge.ts'
import { corsHeaders, isPreflight, preflight } from './cors.ts'
import { checkInput } from './input.ts'
import type { RequestLimit } from './limit.ts'
import { classOf } from './limit-class.ts'
import type { RequestMetrics } from './metrics.ts'
import { toAssayError, toProblem } from './problem.ts'
import { clientAddress, createProxyList } from './proxies.ts'
import type { PublicUrl } from './public-url.ts'
import {
  credentialOf,
  ctxOf,
  DEADLINE,
  isInternal,
  isInternalPath,
  markInternal,
  pathOf,
  type RequestState,
  rememberRequest,
  requestId,
  stateOf,
  traceId,
} from './request.ts'
import { createRouteTable, type RouteEntry } from './route-table.ts'

export interface EdgeOptions {
  log: Logger
  clock: Clock
  metrics: RequestMetrics
  tokens: TokenVerifier
  limit?: () => RequestLimit | undefined
  corsOrigins?: readonly string[]
  trustedProxies?: readonly string[]
  forceHttps?: boolean
  /** of the platform, for challenges */
  publicUrl?: Pick<PublicUrl, 'of'>
  maxBodyBytes?: number
  /** the service that sent a request over mutual TLS; absent: peers do not reach this app by its own listener */
  callerOf?: (request: Request) => Promise<string | null>
  /** all routes of the app, asked at the first path that none matches */
  routes: () => readonly RouteEntry[]
}

export const MAX_BODY_BYTES = 1024 * 1024
const QUIET = new Set(['/health', '/ready', '/metrics'])
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy':
    "default-src 'none'; base-uri 'none'; object-src 'none'; form-action 'none'; frame-ancestors 'none'",
  // routes whose answer may be kept say so themselves
  'cache-control': 'no-store',
}

/** Gives the routes of a service their `ctx`, typed; the edge made it before any route was chosen. */
export const withCtx = new Elysia({ name: 'kernel.ctx' }).derive({ as: 'scoped' }, ({ request }) => ({
  ctx: ctxOf(request),
}))

type Headers = Record<string, string | number>

/** The only global hooks: request id, identity, limits, security headers, error mapping, one wide log line per request. */
export function edge(options: EdgeOptions) {
  const { log, clock, metrics, corsOrigins = [], maxBodyBytes = MAX_BODY_BYTES } = options
  const trusted = createProxyList(options.trustedProxies ?? [])
  const methodsOf = createRouteTable(options.routes)
  useOwnWords()

  function finish(request: Request, state: RequestState, route: string | undefined, status: number): void {
    const ms = clock.monotonic() - state.startedAt
    metrics.finished({ method: request.method, route: route ?? 'none', status, seconds: ms / 1000 })
    const fields = requestFields(request, state, { route, status, ms })
    if (state.error && status >= 500) log.error({ ...fields, err: state.error?.cause ?? state.error }, 'request')
    else if (QUIET.has(state.path) || isInternal(request)) log.debug(fields, 'request')
    else log.info(fields, 'request')
  }

  return new Elysia({ name: 'kernel.edge' })
    .onRequest(async (context) => {
      const { request, server, set } = context
      metrics.started()
      const peer = server?.requestIP(request)?.address ?? '127.0.0.1'
      const path = pathOf(request.url)
      if (await options.callerOf?.(request)) markInternal(request)
      const forwardedFor = request.headers.get('x-forwarded-for')
      const trace = traceId(request.headers.get('traceparent'))
      const ctx: RequestState['ctx'] = {
        requestId: requestId(request.headers),
        actor: null,
        address: isInternal(request) ? (forwardedFor ?? peer) : clientAddress(peer, forwardedFor, trusted),
        signal: request.signal,
        ...(trace && { trace }),
      }
      if (isInternal(request)) {
        const patienceMs = Number(request.headers.get(DEADLINE) ?? Number.NaN)
        if (patienceMs > 0) ctx.deadlineAt = clock.monotonic() + patienceMs
      }
      const state: RequestState = { ctx, path, startedAt: clock.monotonic() }
      rememberRequest(request, state)
      const cors = corsHeaders(request.headers.get('origin'), corsOrigins)
      Object.assign(set.headers, SECURITY_HEADERS, cors, { 'x-request-id': ctx.requestId })

      if (options.forceHttps && !isInternal(request)) {
        set.headers['strict-transport-security'] = 'max-age=31536000; includeSubDomains'
        if (!QUIET.has(path) && !isHttps(request, trusted(peer))) {
          finish(request, state, undefined, 308)
          return Response.redirect(request.url.replace(/^http:/, 'https:'), 308)
        }
      }
      if (isPreflight(request)) {
        finish(request, state, undefined, 204)
        return preflight(cors)
      }
      if (isInternalPath(path) && !isInternal(request)) throw new AssayError('not_found', 'No route has this path.')
      const credential = credentialOf(request.headers)
      if (credential) await identify(ctx, options.tokens, credential)
      if (!isInternal(request)) {
        const counting = options.limit?.()?.(ctx, classOf(request.method, path), set.headers as Headers)
        if (counting) await counting
      }
      if (request.method === 'GET' || request.method === 'HEAD') return
      const read = await checkBody(request, maxBodyBytes, takesForm(path))
      if (!read) return
      rememberRequest(read, state)
      context.request = read
    })
    .onTransform({ as: 'global' }, ({ params, query, body }) => checkInput({ params, query, body }))
    .onError({ as: 'global' }, ({ code, error, request, set }) => {
      const state = stateOf(request)
      let mapped = toAssayError(error, code)
      const methods = code === 'NOT_FOUND' && state ? methodsOf(state.path) : []
      if (methods.length > 0) {
        mapped = new AssayError('method_not_allowed', `This path has ${methods.join(', ')}.`)
        set.headers.allow = methods.join(', ')
      }
      if (state) state.error = mapped
      set.status = mapped.status
      set.headers['content-type'] = 'application/problem+json'
      if (mapped.options.retryAfterS !== undefined) set.headers['retry-after'] = String(mapped.options.retryAfterS)
      const sent = credentialOf(request.headers) !== undefined
      const asked = challenge(mapped, { sent, base: options.publicUrl?.of(request) ?? null })
      if (asked) set.headers['www-authenticate'] = asked
      return toProblem(mapped, state?.path ?? pathOf(request.url), state?.ctx.requestId ?? requestId(request.headers))
    })
    .onAfterResponse({ as: 'global' }, ({ request, route, responseValue, set }) => {
      const state = stateOf(request)
      if (!state) return
      const status = responseValue instanceof Response ? responseValue.status : Number(set.status ?? 200)
      finish(request, state, state.route ?? (route || undefined), state.error?.status ?? status)
    })
}

/** A refused credential stays on the context: open routes go on without an actor. Anything but a refusal is thrown. */
async function identify(ctx: RequestState['ctx'], tokens: TokenVerifier, credential: string): Promise<void> {
  try {
    ctx.actor = await tokens.verify(credential, ctx.address)
  } catch (error) {
    if (!(error instanceof AssayError) || error.status !== 401) throw error
    ctx.denied = error
  }
}

const isHttps = (request: Request, fromProxy: boolean): boolean =>
  request.url.startsWith('https:') || (fromProxy && request.headers.get('x-forwarded-proto') === 'https')

function requestFields(
  request: Request,
  { ctx, path, error }: RequestState,
  end: { route?: string; status: number; ms: number },
) {
  return {
    request_id: ctx.requestId,
    method: request.method,
    route: end.route,
    path,
    status: end.status,
    ms: Math.round(end.ms * 100) / 100,
    user: ctx.actor?.userId,
    tenant: ctx.actor?.tenant,
    key: ctx.actor?.keyId,
    assessment: /^\/api\/assessments\/([^/]+)/.exec(path)?.[1],
    address: ctx.address,
    trace: ctx.trace,
    code: error?.code,
  }
}
