import type { Server } from 'bun'
import { AssayError } from '../contracts/errors.ts'
import type { Clock } from '../ports/clock/port.ts'
import { type AddressLists, createAddressCheck } from './address-lists.ts'
import { asInit, HSTS, headersOf } from './answer-headers.ts'
import type { TokenVerifier } from './auth.ts'
import { checkBody, takesForm } from './body.ts'
import { corsHeaders, isPreflight, preflightHeaders } from './cors.ts'
import type { RequestGate } from './limit.ts'
import { classOf } from './limit-class.ts'
import type { RequestMetrics } from './metrics.ts'
import { clientAddress, createProxyList } from './proxies.ts'
import {
  actOf,
  credentialOf,
  DEADLINE,
  isInternal,
  isInternalPath,
  pathOf,
  RequestCtx,
  type RequestState,
  rememberRequest,
  requestId,
  traceId,
} from './request.ts'
import { QUIET } from './request-line.ts'
import { isApiKey } from './verify-token.ts'

export interface EntranceOptions {
  clock: Clock
  metrics: Pick<RequestMetrics, 'started'>
  tokens: TokenVerifier
  gate?: () => RequestGate | undefined
  corsOrigins?: readonly string[]
  trustedProxies?: readonly string[]
  /** addresses or ranges: who is denied, and who alone is let in; probes are answered all the same */
  addresses?: AddressLists
  forceHttps?: boolean
  maxBodyBytes?: number
  /** the service that sent a request over mutual TLS; absent: peers do not reach this app by its own listener */
  callerOf?: (request: Request) => Promise<string | null>
  /** where the app listens; absent or null: nowhere, all requests are from here */
  server?: () => Server<unknown> | null
}
export interface Entrance {
  /** Gives the request to answer, or its answer; throws or rejects with what refuses it. */
  enter(request: Request): Request | Response | Promise<Request | Response>
  /** where the request in hand came in */
  readonly listener: Server<unknown> | null | undefined
}

export const MAX_BODY_BYTES = 1024 * 1024
/** Who asks for these stands beside the machine; they say nothing about anybody. */
const PROBES = new Set(['/health', '/ready'])
const NEAR = '127.0.0.1'
const UNKNOWN = 'unknown'

/** Who asks, and whether that may be asked, before any route is looked for. */
export function createEntrance(options: EntranceOptions): Entrance {
  const { clock, metrics, corsOrigins = [], maxBodyBytes = MAX_BODY_BYTES } = options
  const trusted = createProxyList(options.trustedProxies ?? [])
  const isDenied = createAddressCheck(options.addresses)
  const listed = options.addresses && options.addresses.allow.length + options.addresses.deny.length > 0
  const gate = () => options.gate?.()

  let listener: Server<unknown> | null | undefined
  /** Where nobody listens, all are near. A connection that is gone has no address any more. */
  const peerOf = (request: Request) => (listener ? (listener.requestIP(request)?.address ?? UNKNOWN) : NEAR)
  const addressOf = (request: Request) =>
    clientAddress(peerOf(request), request.headers.get('x-forwarded-for'), trusted)
  const peerOrForwarded = (request: Request) =>
    request.headers.get('x-forwarded-for') ?? listener?.requestIP(request)?.address ?? NEAR

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

  return {
    enter,
    get listener() {
      return listener
    },
  }
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

/** Without a host that is one, Bun gives the target alone: its router reads that, and `pathOf` another path. */
const isWhole = (url: string): boolean => !url.startsWith('/')

const isHttps = (request: Request, fromProxy: () => boolean): boolean =>
  request.url.startsWith('https:') || (request.headers.get('x-forwarded-proto') === 'https' && fromProxy())
