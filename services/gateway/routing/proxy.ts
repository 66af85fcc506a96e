import { AssayError } from '@assay/core/contracts/errors'
import type { AskedElsewhere } from '@assay/core/kernel/elsewhere'
import type { PeerAnswer } from '@assay/core/kernel/peer-exchange'
import { PeerError, type Peers } from '@assay/core/kernel/peers'
import { DEADLINE, pathOf } from '@assay/core/kernel/request'
import type { Clock } from '@assay/core/ports/clock/port'
import type { CallOutcome } from './breaker.ts'
import { forwardedLines } from './headers.ts'
import { lostOrder } from './lost-order.ts'
import { passOn, type StreamTimes } from './pass-on.ts'
import type { Replica } from './replica.ts'
import type { Upstreams } from './upstreams.ts'

export interface ProxyOptions {
  peers: Peers
  upstreams: Upstreams
  clock: Pick<Clock, 'monotonic'>
  times: StreamTimes
}
/** Until the answer's head, all tries together; a client may say less by `x-deadline-ms`. */
const PATIENCE_MS = 30_000
/** What another replica may answer is not waited for as long. */
const TRY_MS = 10_000
const TRIES = 3
/** Asking twice is asking once (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])

/**
 * A client's request at the service that answers it. Where a replica does not answer, another one is asked, as long as
 * the first cannot have done it or doing it twice is doing it once, and the service's retry budget lasts.
 */
export async function forward(service: string, asked: AskedElsewhere, options: ProxyOptions): Promise<Response> {
  const { request, ctx } = asked
  const { peers, upstreams, clock } = options
  const { method, url } = request
  const path = url.slice(url.indexOf('/', url.indexOf('://') + 3))
  // the edge has bounded it
  const body = method === 'GET' || method === 'HEAD' ? undefined : new Uint8Array(await request.arrayBuffer())
  const again = IDEMPOTENT.has(method)
  const headerLines = forwardedLines(request, ctx)
  const end = clock.monotonic() + patienceMs(request.headers)
  const tried: Replica[] = []
  let kept: { answer: PeerAnswer; replica: Replica } | undefined
  let cause: unknown
  upstreams.budget(service).asked(clock.monotonic())
  while (tried.length < TRIES) {
    const now = clock.monotonic()
    const left = end - now
    const replica = left > 0 ? upstreams.pick(service, tried) : undefined
    if (!replica || (tried.length > 0 && !mayRetry(service, upstreams, now))) break
    if (kept) discard(kept.answer)
    tried.push(replica)
    const pass = replica.enter(now)
    if (pass === 'refused') continue
    let outcome: CallOutcome = 'unknown'
    // with half of what is left another one can still answer
    const timeoutMs = again ? Math.min(TRY_MS, Math.max(1, left / 2)) : left
    try {
      const call = { method, path, headerLines, body, timeoutMs, signal: () => ctx.signal }
      const answer = await peers.ask(service, replica.url, call)
      outcome = isServices(answer) ? 'answered' : 'failed'
      if (outcome === 'failed') replica.failed('bad_gateway', clock.monotonic())
      if (answer.status !== 503 || !again) return passOn(answer, { ...asked, replica, times: options.times })
      kept = { answer, replica }
    } catch (error) {
      if (!(error instanceof PeerError)) throw error
      if (ctx.signal?.aborted) throw new AssayError('bad_request', 'The client has gone.', { cause: error })
      // a client that waits for less than a replica may take proves nothing against it
      if (timeoutMs >= TRY_MS || clock.monotonic() - now < timeoutMs) outcome = 'failed'
      replica.failed(error.sent ? 'lost' : 'refused', clock.monotonic())
      kept = undefined
      cause = error
      if (error.sent && !again) throw unknownOutcome(service, lostOrder(pathOf(url), body, ctx.requestId), error)
    } finally {
      replica.leave(pass, outcome, clock.monotonic())
    }
  }
  if (kept) return passOn(kept.answer, { ...asked, replica: kept.replica, times: options.times })
  const retryAfterS = upstreams.retryAfterS(service)
  throw new AssayError('unavailable', `${service} does not answer.`, { retryAfterS, retryable: true, cause })
}

function patienceMs(headers: Headers): number {
  const asked = Number(headers.get(DEADLINE) ?? Number.NaN)
  return asked >= 1 ? Math.min(asked, PATIENCE_MS) : PATIENCE_MS
}

function mayRetry(service: string, upstreams: Upstreams, now: number): boolean {
  const may = upstreams.budget(service).take(now)
  upstreams.countRetry(service, may ? 'made' : 'refused')
  return may
}

/** False: something on the way answered in the service's place. The service's own 503 says what is the matter: it works. */
function isServices({ status, headers }: PeerAnswer): boolean {
  if (status < 502 || status > 504) return true
  return headers.some(([name, value]) => name === 'content-type' && value.startsWith('application/problem+json'))
}

function discard({ body }: PeerAnswer): void {
  if (body instanceof ReadableStream) body.cancel().catch(() => {})
}

function unknownOutcome(service: string, order: string | undefined, cause: PeerError): AssayError {
  const detail = order
    ? `${service} did not answer; it may have taken the order. Ask for the order ${order}.`
    : `${service} did not answer; it may have done it. Read the state before you try again.`
  return new AssayError('outcome_unknown', detail, { cause, ...(order && { order }) })
}
