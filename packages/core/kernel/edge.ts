import type { Server } from 'bun'
import { Elysia } from 'elysia'
import type { Logger } from 'pino'
import { AssayError } from '../contracts/errors.ts'
import { useOwnWords } from '../contracts/wire/words.ts'
import type { Clock } from '../ports/clock/port.ts'
import { type AddressLists, createAddressCheck } from './address-lists.ts'
import type { TokenVerifier } from './auth.ts'
import { checkBody, takesForm } from './body.ts'
import { challenge } from './challenge.ts'
import { compressed } from './compress.ts'
import { corsHeaders, isPreflight, preflight } from './cors.ts'
import { checkInput } from './input.ts'
import type { RequestGate } from './limit.ts'
import { classOf } from './limit-class.ts'
import type { RequestMetrics } from './metrics.ts'
import { toAssayError, toProblem } from './problem.ts'
import { clientAddress, createProxyList } from './proxies.ts'
import type { PublicUrl } from './public-url.ts'
import {
  actOf,
  credentialOf,
  ctxOf,
  DEADLINE,
  isInternal,
  isInternalPath,
  pathOf,
  RequestCtx,
  type RequestState,
  rememberRequest,
  requestId,
  stateOf,
  traceId,
} from './request.ts'
import { QUIET, writeRequestLine } from './request-line.ts'
import { createRouteTable, type RouteEntry } from './route-table.ts'
import { isApiKey } from './verify-token.ts'

export interface EdgeOptions {
  log: Logger
  clock: Clock
  metrics: RequestMetrics
  tokens: TokenVerifier
  gate?: () => RequestGate | undefined
  corsOrigins?: readonly string[]
  trustedProxies?: readonly string[]
  /** addresses or ranges: who is denied, and who alone is let in; probes are answered all the same */
  addresses?: AddressLists
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
/** Who asks for these stands beside the machine; they say nothing about anybody. */
const PROBES = new Set(['/health', '/ready'])
const NEAR = '127.0.0.1'
const UNKNOWN = 'unknown'
const CONTENT_POLICY =
  "default-src 'none'; base-uri 'none'; object-src 'none'; form-action 'none'; frame-ancestors 'none'"
const HSTS = 'max-age=31536000; includeSubDomains'
/** Of every answer; frame-ancestors stands for X-Frame-Options (ASVS 3.4.6). One literal: this runs on every request. */
const headersOf = (id: string): Headers => ({
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': CONTENT_POLICY,
  // routes whose answer may be kept say so themselves
  'cache-control': 'no-store',
  'x-request-id': id,
})

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
  const isDenied = createAddressCheck(options.addresses)
  const listed = options.addresses && options.addresses.allow.length + options.addresses.deny.length > 0
  const gate = () => options.gate?.()
  useOwnWords()

  let listener: Pick<Server<unknown>, 'requestIP'> | null | undefined
  /** Where nobody listens, all are near. A connection that is gone has no address any more. */
  const peerOf = (request: Request) => (listener ? (listener.requestIP(request)?.address ?? UNKNOWN) : NEAR)
  const addressOf = (request: Request) =>
    clientAddress(peerOf(request), request.headers.get('x-forwarded-for'), trusted)
  const peerOrForwarded = (request: Request) =>
    request.headers.get('x-forwarded-for') ?? listener?.requestIP(request)?.address ?? NEAR

  function finish(request: Request, state: RequestState, route: string | undefined, status: number): void {
    const ms = clock.monotonic() - state.startedAt
    metrics.finished({ method: request.method, route: route ?? 'none', status, seconds: ms / 1000 })
    if (!state.internal) {
      gate()?.left(state.ctx, state.limited, { status, ms, code: state.error?.code, entered: state.entered })
    }
    writeRequestLine(log, request, state, { route, status, ms })
  }

  /** Once per request, when it has its answer and the connection is still open. */
  function leave(request: Request, answer: unknown): unknown {
    const state = stateOf(request)
    if (!state) return answer
    // nothing: it became a WebSocket
    const status = answer instanceof Response ? answer.status : 101
    finish(request, state, state.route ?? state.matched, status)
    // services share a process or a fast network
    if (state.internal || state.streams || !(answer instanceof Response) || request.method === 'HEAD') return answer
    const accepted = request.headers.get('accept-encoding')
    return accepted === null ? answer : compressed(answer, { accepted, path: state.path, onDone: metrics.compressed })
  }
  /** Elysia answers its errors; what fails beyond them still ends. */
  function fail(request: Request, error: unknown): never {
    const state = stateOf(request)
    if (state) finish(request, state, state.route ?? state.matched, 500)
    throw error
  }

  return new Elysia({ name: 'kernel.edge' })
    .wrap(((next: (request: Request) => unknown) => (request: Request) => {
      const answering = next(request)
      if (!(answering instanceof Promise)) return leave(request, answering)
      return answering.then(
        (answer) => leave(request, answer),
        (error) => fail(request, error),
      )
    }) as unknown as Parameters<Elysia['wrap']>[0])
    .onRequest(async (context) => {
      const { request, server, set } = context
      const { headers, method } = request
      metrics.started()
      const path = pathOf(request.url)
      const internal =
        isInternal(request) || (options.callerOf !== undefined && (await options.callerOf(request)) !== null)
      // a renewed certificate begins another listener
      listener = server
      const ctx = new RequestCtx(
        request,
        requestId(headers),
        traceId(headers.get('traceparent')),
        internal ? peerOrForwarded : addressOf,
      )
      const startedAt = clock.monotonic()
      if (internal) {
        const patienceMs = Number(headers.get(DEADLINE) ?? Number.NaN)
        if (patienceMs > 0) ctx.deadlineAt = startedAt + patienceMs
      }
      const limited = classOf(method, path)
      const state: RequestState = { ctx, path, startedAt, internal, limited, entered: false }
      rememberRequest(request, state)
      const answered = headersOf(ctx.requestId)
      set.headers = answered as typeof set.headers
      if (corsOrigins.length > 0) Object.assign(answered, corsHeaders(headers.get('origin'), corsOrigins))
      if (!isWhole(request.url)) throw new AssayError('bad_request', 'The Host header names no host.')

      if (!internal) {
        if (listed && isDenied(ctx.address) && !PROBES.has(path))
          throw new AssayError('forbidden', 'Not from this address.')
        if (options.forceHttps) {
          answered['strict-transport-security'] = HSTS
          if (!QUIET.has(path) && !isHttps(request, () => trusted(peerOf(request)))) {
            return Response.redirect(request.url.replace(/^http:/, 'https:'), 308)
          }
        }
        if (isPreflight(request)) return preflight(corsHeaders(headers.get('origin'), corsOrigins))
        if (isInternalPath(path)) throw new AssayError('not_found', 'No route has this path.')
      } else if (isInternalPath(path) && headers.has('x-forwarded-for')) {
        // a gateway asks for its client: whatever path that found, it is none for services
        throw new AssayError('not_found', 'No route has this path.')
      }
      const credential = credentialOf(headers)
      if (credential) {
        const known = options.tokens.known?.(credential)
        if (known) ctx.actor = known
        else await identify(ctx, options.tokens, credential)
      } else if (internal) ctx.actor = actOf(request)
      if (!internal) {
        const counting = gate()?.enter(ctx, limited, answered)
        if (counting) await counting
        state.entered = true
      }
      if (method === 'GET' || method === 'HEAD') return
      const read = await checkBody(request, maxBodyBytes, takesForm(path))
      if (!read) return
      rememberRequest(read, state)
      context.request = read
    })
    .onTransform({ as: 'global' }, ({ params, query, body, request, route }) => {
      const state = stateOf(request)
      if (state) state.matched = route
      // whatever the URL made of it: what is routed decides
      if (isInternalPath(route) && !state?.internal) throw new AssayError('not_found', 'No route has this path.')
      checkInput({ params, query, body })
    })
    .onError({ as: 'global' }, ({ code, error, request, route, set }) => {
      const state = stateOf(request)
      if (state && route) state.matched = route
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
}

/** A refused credential stays on the context: open routes go on without an actor. Anything but a refusal is thrown. */
async function identify(ctx: RequestState['ctx'], tokens: TokenVerifier, credential: string): Promise<void> {
  try {
    ctx.actor = await tokens.verify(credential, isApiKey(credential) ? ctx.address : undefined)
  } catch (error) {
    if (!(error instanceof AssayError) || error.status !== 401) throw error
    ctx.denied = error
  }
}

/** Without a host that is one, Bun gives the target alone: its router reads that, and `pathOf` another path. */
const isWhole = (url: string): boolean => !url.startsWith('/')

const isHttps = (request: Request, fromProxy: () => boolean): boolean =>
  request.url.startsWith('https:') || (request.headers.get('x-forwarded-proto') === 'https' && fromProxy())
