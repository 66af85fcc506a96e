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
import { corsHeaders, isPreflight, preflightHeaders } from './cors.ts'
import type { Elsewhere } from './elsewhere.ts'
import { checkInput } from './input.ts'
import type { RequestGate } from './limit.ts'
import { classOf } from './limit-class.ts'
import type { RequestMetrics } from './metrics.ts'
import { type Problem, toAssayError, toProblem } from './problem.ts'
import { clientAddress, createProxyList } from './proxies.ts'
import type { PublicUrl } from './public-url.ts'
import {
  type AnswerHeaders,
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
  /** where the app listens; absent or null: nowhere, all requests are from here */
  server?: () => Server<unknown> | null
  /** what answers the paths of services in other processes */
  elsewhere?: () => Elsewhere | undefined
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
const headersOf = (id: string): AnswerHeaders => ({
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

type Next = (request: Request) => unknown

/** The only global hooks: request id, identity, limits, security headers, error mapping, one wide log line per request. */
export function edge(options: EdgeOptions) {
  const { log, clock, metrics, corsOrigins = [], maxBodyBytes = MAX_BODY_BYTES } = options
  const trusted = createProxyList(options.trustedProxies ?? [])
  const methodsOf = createRouteTable(options.routes)
  const isDenied = createAddressCheck(options.addresses)
  const listed = options.addresses && options.addresses.allow.length + options.addresses.deny.length > 0
  const gate = () => options.gate?.()
  useOwnWords()

  let listener: Server<unknown> | null | undefined
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

  /** Who asks, and whether that may be asked, before any route is looked for. Gives the request to answer, or its answer. */
  function enter(request: Request): Request | Response | Promise<Request | Response> {
    metrics.started()
    // a renewed certificate begins another listener; one that closes is not nobody, whom all are near
    listener = options.server?.() ?? listener
    if (isInternal(request)) return identify(request, begin(request, true))
    if (!options.callerOf) return identify(request, begin(request, false))
    return options.callerOf(request).then((caller) => identify(request, begin(request, caller !== null)))
  }
  function begin(request: Request, internal: boolean): RequestState {
    const { headers, method } = request
    const path = pathOf(request.url)
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
    const answered = headersOf(ctx.requestId)
    const state: RequestState = { ctx, path, startedAt, internal, limited, entered: false, answered }
    rememberRequest(request, state)
    if (corsOrigins.length > 0) Object.assign(answered, corsHeaders(headers.get('origin'), corsOrigins))
    return state
  }
  function identify(request: Request, state: RequestState) {
    if (!isWhole(request.url)) throw new AssayError('bad_request', 'The Host header names no host.')
    const early = state.internal ? checkInternal(request, state) : checkPublic(request, state)
    if (early) return early
    const { ctx, internal } = state
    const credential = credentialOf(request.headers)
    if (!credential) {
      if (internal) ctx.actor = actOf(request)
      return pass(request, state)
    }
    const known = options.tokens.known?.(credential)
    if (!known) return verify(ctx, options.tokens, credential).then(() => pass(request, state))
    ctx.actor = known
    return pass(request, state)
  }
  /** What is answered at once, whoever asks. */
  function checkPublic(request: Request, { ctx, path, answered }: RequestState): Response | undefined {
    if (listed && isDenied(ctx.address) && !PROBES.has(path))
      throw new AssayError('forbidden', 'Not from this address.')
    if (options.forceHttps) {
      answered['strict-transport-security'] = HSTS
      if (!QUIET.has(path) && !isHttps(request, () => trusted(peerOf(request)))) {
        const location = request.url.replace(/^http:/, 'https:')
        return new Response(null, { status: 308, headers: asInit({ ...answered, location }) })
      }
    }
    if (isPreflight(request)) {
      const preflight = preflightHeaders(corsHeaders(request.headers.get('origin'), corsOrigins))
      return new Response(null, { status: 204, headers: asInit({ ...answered, ...preflight }) })
    }
    if (isInternalPath(path)) throw new AssayError('not_found', 'No route has this path.')
    return undefined
  }
  function checkInternal(request: Request, { path }: RequestState): undefined {
    // a gateway asks for its client: whatever path that found, it is none for services
    if (isInternalPath(path) && request.headers.has('x-forwarded-for'))
      throw new AssayError('not_found', 'No route has this path.')
  }
  function pass(request: Request, state: RequestState): Request | Promise<Request> {
    if (state.internal) return withBody(request, state)
    const counting = gate()?.enter(state.ctx, state.limited, state.answered)
    if (counting) {
      return counting.then(() => {
        state.entered = true
        return withBody(request, state)
      })
    }
    state.entered = true
    return withBody(request, state)
  }
  function withBody(request: Request, state: RequestState): Request | Promise<Request> {
    if (request.method === 'GET' || request.method === 'HEAD') return request
    return checkBody(request, maxBodyBytes, takesForm(state.path)).then((read) => {
      if (!read) return request
      rememberRequest(read, state)
      return read
    })
  }

  /** By the service whose path it is: one in another process, or a route of this one. */
  function proceed(request: Request, entered: Request | Response, next: Next): unknown {
    if (entered instanceof Response) return leave(request, entered)
    const state = stateOf(request)!
    const elsewhere = options.elsewhere?.()
    const service = elsewhere?.ownerOf(state.path)
    if (!elsewhere || !service) {
      const answering = next(entered)
      if (!(answering instanceof Promise)) return leave(request, answering)
      return answering.then(
        (answer) => leave(request, answer),
        (error) => fail(request, error),
      )
    }
    state.route = service
    return elsewhere
      .answer(service, { request: entered, ctx: state.ctx, headers: state.answered, server: listener })
      .then(
        (answer) => leave(request, answer),
        (error) => refuse(request, error),
      )
  }
  /** What ends before Elysia sees it is answered here. */
  function refuse(request: Request, error: unknown): unknown {
    const headers = stateOf(request)?.answered ?? headersOf(requestId(request.headers))
    const { status, problem } = problemOf(request, toAssayError(error, undefined), headers)
    return leave(request, new Response(JSON.stringify(problem), { status, headers: asInit(headers) }))
  }
  /** An error as its client gets it; its headers go to those of the answer. */
  function problemOf(
    request: Request,
    error: AssayError,
    headers: AnswerHeaders,
  ): { status: number; problem: Problem } {
    const state = stateOf(request)
    if (state) state.error = error
    headers['content-type'] = 'application/problem+json'
    if (error.options.retryAfterS !== undefined) headers['retry-after'] = String(error.options.retryAfterS)
    const sent = credentialOf(request.headers) !== undefined
    const asked = challenge(error, { sent, base: options.publicUrl?.of(request) ?? null })
    if (asked) headers['www-authenticate'] = asked
    const path = state?.path ?? pathOf(request.url)
    return { status: error.status, problem: toProblem(error, path, state?.ctx.requestId ?? requestId(request.headers)) }
  }

  return new Elysia({ name: 'kernel.edge' })
    .wrap(((next: Next) => (request: Request) => {
      try {
        const entering = enter(request)
        if (!(entering instanceof Promise)) return proceed(request, entering, next)
        return entering.then(
          (entered) => proceed(request, entered, next),
          (error) => refuse(request, error),
        )
      } catch (error) {
        return refuse(request, error)
      }
    }) as unknown as Parameters<Elysia['wrap']>[0])
    .onTransform({ as: 'global' }, ({ params, query, body, request, route, set }) => {
      const state = stateOf(request)
      if (state) {
        state.matched = route
        set.headers = state.answered as typeof set.headers
      }
      // whatever the URL made of it: what is routed decides
      if (isInternalPath(route) && !state?.internal) throw new AssayError('not_found', 'No route has this path.')
      checkInput({ params, query, body })
    })
    .onError({ as: 'global' }, ({ code, error, request, route, set }) => {
      const state = stateOf(request)
      if (state && route) state.matched = route
      // what fails before the routes' first hook, as a body that is not JSON
      if (state) set.headers = Object.assign(state.answered, set.headers) as typeof set.headers
      let mapped = toAssayError(error, code)
      const methods = code === 'NOT_FOUND' && state ? methodsOf(state.path) : []
      if (methods.length > 0) {
        mapped = new AssayError('method_not_allowed', `This path has ${methods.join(', ')}.`)
        set.headers.allow = methods.join(', ')
      }
      const { status, problem } = problemOf(request, mapped, set.headers as AnswerHeaders)
      set.status = status
      return problem
    })
}

/** A refused credential stays on the context: open routes go on without an actor. Anything but a refusal is thrown. */
async function verify(ctx: RequestState['ctx'], tokens: TokenVerifier, credential: string): Promise<void> {
  try {
    ctx.actor = await tokens.verify(credential, isApiKey(credential) ? ctx.address : undefined)
  } catch (error) {
    if (!(error instanceof AssayError) || error.status !== 401) throw error
    ctx.denied = error
  }
}

/** Bun writes numbers as well. */
const asInit = (headers: AnswerHeaders) => headers as Record<string, string>

/** Without a host that is one, Bun gives the target alone: its router reads that, and `pathOf` another path. */
const isWhole = (url: string): boolean => !url.startsWith('/')

const isHttps = (request: Request, fromProxy: () => boolean): boolean =>
  request.url.startsWith('https:') || (request.headers.get('x-forwarded-proto') === 'https' && fromProxy())
