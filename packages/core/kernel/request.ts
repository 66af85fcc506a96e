import { AssayError } from '../contracts/errors.ts'
import type { AnswerHeaders } from './answer-headers.ts'
import type { Actor, Ctx } from './context.ts'
import type { LimitedRequest } from './limit.ts'

/** What the edge keeps about a request while it is answered. */
export interface RequestState {
  ctx: Ctx
  path: string
  startedAt: number
  /** of another service: no limit counts it */
  internal: boolean
  /** how it is counted; the gate let it in */
  limited: LimitedRequest
  entered: boolean
  /** headers of its answer, whoever gives it */
  answered: AnswerHeaders
  /** the pattern of its route */
  matched?: string
  /** what metrics and log name instead of the route's pattern: another service answers */
  route?: string
  error?: AssayError
  /** its answer comes in pieces, of which nobody knows how many: it is passed on as it is */
  streams?: true
}

// Properties of the request itself: a WeakMap costs every request more than all its look-ups.
const STATE = Symbol('assay.state')
const INTERNAL = Symbol('assay.internal')
const ACT = Symbol('assay.act')
interface Marked {
  [STATE]?: RequestState
  [INTERNAL]?: true
  [ACT]?: Actor
}
export const rememberRequest = (request: Request, state: RequestState): void => {
  ;(request as Marked)[STATE] = state
  if (state.internal) markInternal(request)
}
export const stateOf = (request: Request): RequestState | undefined => (request as Marked)[STATE]

/** A call of one service to another, in this process or proved by its service token: no limit counts it. */
export const markInternal = (request: Request, act?: Actor): void => {
  ;(request as Marked)[INTERNAL] = true
  if (act) (request as Marked)[ACT] = act
}
/** For whom another service asks; null: it does not say, or nobody proved to be one. */
export const actOf = (request: Request): Actor | null => (request as Marked)[ACT] ?? null
export const isInternal = (request: Request): boolean => (request as Marked)[INTERNAL] === true
/** Routes for services only: to anybody else they do not exist. */
export const isInternalPath = (path: string): boolean => path.startsWith('/internal/')

/** The edge's context; what not every request needs is made when it is asked for. */
export class RequestCtx implements Ctx {
  actor: Actor | null = null
  denied?: AssayError
  deadlineAt?: number
  #address: string | undefined

  constructor(
    private readonly request: Request,
    readonly requestId: string,
    readonly trace: string | undefined,
    private readonly findAddress: (request: Request) => string,
  ) {}

  get signal(): AbortSignal {
    return this.request.signal
  }
  /** Asked for while the request is open, or never known: `left` of the gate and the log's line are in time. */
  get address(): string {
    this.#address ??= this.findAddress(this.request)
    return this.#address
  }
}

/** The context that the edge made for this request. */
export function ctxOf(request: Request): Ctx {
  const state = stateOf(request)
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
  const authorization = headers.get('authorization')
  const bearer = authorization && (plainBearer(authorization) ?? /^Bearer\s+(\S+)\s*$/i.exec(authorization)?.[1])
  return bearer || (headers.get('x-api-key') ?? offeredToken(headers))
}
/** As almost all write it. */
const plainBearer = (text: string): string | undefined =>
  text.startsWith('Bearer ') && !/\s/.test(text.slice(7)) ? text.slice(7) : undefined
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
