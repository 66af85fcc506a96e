import { AssayError } from '../contracts/errors.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { Ctx } from './context.ts'
import { PeerError, type Peers } from './peers.ts'
import { PEER_TIMEOUT_MS } from './peers-https.ts'
import { pathOf } from './request.ts'
import type { Deps } from './service.ts'
import { traceparentOf } from './trace.ts'

export interface ReplicaCallsOptions {
  peers: Peers
  clock: Pick<Clock, 'monotonic' | 'sleep'>
}
const TRIES = 3
const FIRST_PAUSE_MS = 25
/** Asking twice is asking once (RFC 9110); a POST with a key of the caller's is decided by its service. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])
/** A replica that did not answer is asked last for this long. */
const AVOIDED_MS = 2_000

/**
 * Any replica of a service, in turn. What never left this process, or may be asked twice, is asked again elsewhere: 3
 * tries within the time-out. `unavailable` where none answers; `outcome_unknown` where one may have done it.
 */
export function callReplicas({ peers, clock }: ReplicaCallsOptions): Deps['call'] {
  const turns = rotation(clock)
  return async (service, request, { timeoutMs = PEER_TIMEOUT_MS, act, ctx } = {}) => {
    const { method } = request
    const path = request.url.slice(request.url.indexOf(pathOf(request.url), request.url.indexOf('://') + 3))
    const body = request.body === null ? undefined : await request.arrayBuffer()
    const end = Math.min(clock.monotonic() + timeoutMs, ctx?.deadlineAt ?? Number.POSITIVE_INFINITY)
    const headers = ctx ? within(ctx, request.headers) : request.headers
    const replicas = peers.replicas(service)
    if (replicas.length === 0) throw new Error(`no service ${service}`)
    const order = turns.order(service, replicas)
    let last: unknown
    for (let tried = 0; tried < TRIES; tried++) {
      const left = end - clock.monotonic()
      if (left <= 0) break
      if (tried > 0) await clock.sleep(Math.min(left, FIRST_PAUSE_MS * 2 ** (tried - 1)), request.signal)
      const url = order[tried % order.length]!
      try {
        const call = { method, headers, body, signal: request.signal, timeoutMs: left, act }
        const answer = await peers.fetch(service, url, path, call)
        if (answer.status !== 503 || !IDEMPOTENT.has(method) || tried === TRIES - 1) return answer
        last = new PeerError(`${service} at ${url}: 503`, true)
      } catch (error) {
        if (!(error instanceof PeerError)) throw error
        turns.avoid(url)
        last = error
        if (error.sent && !IDEMPOTENT.has(method)) {
          throw new AssayError('outcome_unknown', `${service} did not answer.`, { cause: error })
        }
      }
    }
    throw new AssayError('unavailable', `${service} does not answer.`, { retryAfterS: 1, retryable: true, cause: last })
  }
}

function within(ctx: Ctx, given: Headers): Headers {
  const headers = new Headers(given)
  headers.set('x-request-id', ctx.requestId)
  headers.set('traceparent', traceparentOf(ctx))
  return headers
}

/** Round robin that leaves out, while there are others, who did not answer a moment ago. */
export function rotation(clock: Pick<Clock, 'monotonic'>) {
  const turns = new Map<string, number>()
  const avoided = new Map<string, number>()
  return {
    avoid: (url: string): void => void avoided.set(url, clock.monotonic() + AVOIDED_MS),
    /** all of them, the one whose turn it is first */
    order(service: string, urls: readonly string[]): string[] {
      const turn = turns.get(service) ?? 0
      turns.set(service, turn + 1)
      const now = clock.monotonic()
      const inTurn = urls.map((_, at) => urls[(turn + at) % urls.length]!)
      const isGood = (url: string) => (avoided.get(url) ?? 0) <= now
      return [...inTurn.filter(isGood), ...inTurn.filter((url) => !isGood(url))]
    },
  }
}
