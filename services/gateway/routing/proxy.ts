import { AssayError } from '@assay/core/contracts/errors'
import type { Ctx } from '@assay/core/kernel/context'
import { PeerError, type Peers } from '@assay/core/kernel/peers'
import { answeredHeaders, forwardedHeaders } from './headers.ts'
import type { Upstreams } from './upstreams.ts'

export interface ProxyOptions {
  peers: Peers
  upstreams: Upstreams
}
const TIMEOUT_MS = 30_000
/** What another replica may answer is not waited for as long. */
const TRY_MS = 10_000
const TRIES = 3
/** Answers up to this size are read before they are passed on: that is cheaper than a stream of one piece. */
const READ_WHOLE_BYTES = 256 * 1024
/** Asking twice is asking once (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])

/**
 * A client's request at the service that answers it. Where a replica does not answer, another one is asked, as long as
 * the first cannot have done it or doing it twice is doing it once.
 */
export async function forward(
  service: string,
  request: Request,
  ctx: Ctx,
  { peers, upstreams }: ProxyOptions,
): Promise<Response> {
  const { method, url, signal } = request
  const path = url.slice(url.indexOf('/', url.indexOf('://') + 3))
  const headers = forwardedHeaders(request, ctx)
  // the edge has bounded it
  const body = method === 'GET' || method === 'HEAD' ? undefined : await request.arrayBuffer()
  const again = IDEMPOTENT.has(method)
  let cause: unknown
  for (const upstream of upstreams.order(service).slice(0, TRIES)) {
    try {
      const call = { method, headers, body, signal, timeoutMs: again ? TRY_MS : TIMEOUT_MS, streams: true }
      const answer = await peers.fetch(service, upstream, path, call)
      if (answer.status !== 503 || !again) return await passOn(answer, method)
      cause = answer
    } catch (error) {
      if (!(error instanceof PeerError)) throw error
      upstreams.failed(upstream)
      cause = error
      if (error.sent && !again) {
        const detail = `${service} did not answer; it may have done it. Read the state before you try again.`
        throw new AssayError('outcome_unknown', detail, { cause })
      }
    }
  }
  if (cause instanceof Response) return passOn(cause, method)
  throw new AssayError('unavailable', `${service} does not answer.`, { retryAfterS: 1, retryable: true, cause })
}

async function passOn(answer: Response, method: string): Promise<Response> {
  const { status } = answer
  const headers = answeredHeaders(answer)
  if (method === 'HEAD' || status === 204 || status === 304) return new Response(null, { status, headers })
  const length = Number(headers.get('content-length') ?? Number.NaN)
  const body = length <= READ_WHOLE_BYTES ? await answer.arrayBuffer() : answer.body
  return new Response(body, { status, headers })
}
