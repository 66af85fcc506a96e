import { AssayError } from '../contracts/errors.ts'
import type { Ctx } from './context.ts'

/** What the edge keeps about a request while it is answered. */
export interface RequestState {
  ctx: Ctx
  path: string
  startedAt: number
  /** what metrics and log name instead of the route's pattern: another service answers */
  route?: string
  error?: AssayError
}

const states = new WeakMap<Request, RequestState>()
export const rememberRequest = (request: Request, state: RequestState): void => void states.set(request, state)
export const stateOf = (request: Request): RequestState | undefined => states.get(request)

const internal = new WeakSet<Request>()
/** A call of one service to another, in this process or proved by its service token: no limit counts it. */
export const markInternal = (request: Request): void => void internal.add(request)
export const isInternal = (request: Request): boolean => internal.has(request)
/** Routes for services only: to anybody else they do not exist. */
export const isInternalPath = (path: string): boolean => path.startsWith('/internal/')

/** The context that the edge made for this request. */
export function ctxOf(request: Request): Ctx {
  const state = states.get(request)
  if (!state) throw new AssayError('internal', 'The edge plugin has not seen this request.')
  return state.ctx
}

/** Of a service's call to another: what is left of its patience, ms. */
export const DEADLINE = 'x-deadline-ms'

const SANE_ID = /^[\w.:-]{8,128}$/
/** The caller's X-Request-Id where it is harmless, else a new uuidv7. */
export function requestId(headers: Headers): string {
  const given = headers.get('x-request-id')
  return given && SANE_ID.test(given) ? given : Bun.randomUUIDv7()
}

/** The trace id of a W3C traceparent, or undefined. */
export function traceId(traceparent: string | null): string | undefined {
  const id = traceparent && /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/.exec(traceparent)?.[1]
  return id && !/^0+$/.test(id) ? id : undefined
}

/** A bearer token or an API key, in a WebSocket handshake also what follows `bearer` among its subprotocols; undefined when there is none. */
export function credentialOf(headers: Headers): string | undefined {
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(headers.get('authorization') ?? '')
  return bearer?.[1] ?? headers.get('x-api-key') ?? offeredToken(headers)
}
function offeredToken(headers: Headers): string | undefined {
  const offer = headers.get('sec-websocket-protocol')
  return offer ? /(?:^|,)\s*bearer\s*,\s*([^\s,]+)/.exec(offer)?.[1] : undefined
}

/** Path of a URL without parsing all of it: this runs on every request. */
export function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  if (start === -1) return '/'
  const end = url.indexOf('?', start)
  return end === -1 ? url.slice(start) : url.slice(start, end)
}
