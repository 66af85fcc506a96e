import { AssayError } from '@assay/core/contracts/errors'
import type { Ctx } from '@assay/core/kernel/context'
import { PeerError } from '@assay/core/kernel/peers'
import { RELAYED, readAdmission } from '@assay/core/kernel/relayed-socket'
import type { Server, ServerWebSocket } from 'bun'
import type { CallOutcome } from './breaker.ts'
import { eachForwarded } from './headers.ts'
import type { ProxyOptions } from './proxy.ts'
import type { Replica } from './replica.ts'

export interface Handshake {
  request: Request
  ctx: Ctx
  server: Server<unknown>
}
/** Unsent bytes of either side before the connection ends; the client resumes where it was. */
const MOST_UNSENT_BYTES = 1024 * 1024
const TOO_SLOW = [4408, 'Too many unsent bytes; connect again and resume with `from`'] as const
const GOING_AWAY = [1001, 'The server is closing; connect again and resume with `from`'] as const
const ADMISSION_MS = 10_000
/** The handshake's own: each connection makes them anew. */
const HANDSHAKE = new Set([
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-extensions',
  'sec-websocket-protocol',
])

/** Of one gateway; each is a connection on both sides. */
const MOST_RELAYED = 10_000
const TRIES = 3
let relayed = 0

/** A WebSocket of a client as a WebSocket of ours at the service: refused with the service's own answer, or joined. */
export async function passThrough(
  service: string,
  { request, ctx, server }: Handshake,
  { peers, upstreams, clock }: ProxyOptions,
): Promise<Response | undefined> {
  const protocols = (request.headers.get('sec-websocket-protocol') ?? '').split(',').map((name) => name.trim())
  const headers: Record<string, string> = { [RELAYED]: '1' }
  eachForwarded(request, ctx, (name, value) => {
    if (!HANDSHAKE.has(name)) headers[name] = value
  })
  const path = request.url.slice(request.url.indexOf('/', request.url.indexOf('://') + 3))
  const call = { headers, protocols: protocols.filter(Boolean) }
  const tried: Replica[] = []
  while (tried.length < TRIES && relayed < MOST_RELAYED) {
    const replica = upstreams.pick(service, tried)
    if (!replica) break
    tried.push(replica)
    const pass = replica.enter(clock.monotonic())
    if (pass === 'refused') continue
    let outcome: CallOutcome = 'failed'
    try {
      const found = await admitted(await peers.connect(service, replica.url, path, call))
      outcome = 'answered'
      return join(found, { request, ctx, server }, replica)
    } catch (error) {
      // nothing was done: another one may be asked
      if (!(error instanceof PeerError)) throw error
      if (error.status !== undefined && error.status < 500) {
        outcome = 'answered'
        throw new AssayError('bad_request', `The handshake was refused with ${error.status}.`, { cause: error })
      }
      replica.failed(error.sent ? 'lost' : 'refused', clock.monotonic())
    } finally {
      replica.leave(pass, outcome, clock.monotonic())
    }
  }
  const retryAfterS = upstreams.retryAfterS(service)
  throw new AssayError('unavailable', `${service} does not answer.`, { retryAfterS, retryable: true })
}

type Admitted = { upstream: WebSocket; early: (string | ArrayBuffer)[] } | Response

/** Waits for the first frame; what follows it before the client is joined is kept. */
function admitted(upstream: WebSocket): Promise<Admitted> {
  return new Promise((resolve, reject) => {
    const lost = () => reject(new PeerError('the connection was lost before its first frame', true))
    const timer = setTimeout(() => {
      upstream.close()
      lost()
    }, ADMISSION_MS)
    upstream.onclose = () => {
      clearTimeout(timer)
      lost()
    }
    upstream.onmessage = ({ data }) => {
      clearTimeout(timer)
      try {
        const problem = readAdmission(data)
        const early: (string | ArrayBuffer)[] = []
        upstream.onmessage = (next) => void early.push(next.data)
        if (!problem) return resolve({ upstream, early })
        const headers = { 'content-type': 'application/problem+json' }
        resolve(new Response(JSON.stringify(problem), { status: problem.status, headers }))
      } catch (error) {
        reject(error)
      }
    }
  })
}

function join(found: Admitted, { request, server }: Handshake, replica: Replica): Response | undefined {
  if (found instanceof Response) return found
  const { upstream } = found
  const headers = upstream.protocol ? { 'sec-websocket-protocol': upstream.protocol } : undefined
  if (server.upgrade(request, { data: new Relay(found, replica), headers })) return undefined
  upstream.close()
  throw new AssayError('bad_request', 'The WebSocket handshake is not complete.')
}

/** It is the client's socket's `data`: the process's shared handler calls open, message and close on it. */
class Relay {
  readonly #upstream: WebSocket
  readonly #early: (string | ArrayBuffer)[]
  #release = () => {}

  constructor(
    { upstream, early }: { upstream: WebSocket; early: (string | ArrayBuffer)[] },
    private readonly replica: Replica,
  ) {
    this.#upstream = upstream
    this.#early = early
  }
  open(client: ServerWebSocket<unknown>): void {
    relayed++
    this.#release = this.replica.hold(() => client.close(...GOING_AWAY))
    const give = (data: string | ArrayBuffer) => {
      if (client.send(data) !== -1 || client.getBufferedAmount() < MOST_UNSENT_BYTES) return
      client.close(...TOO_SLOW)
    }
    for (const data of this.#early.splice(0)) give(data)
    this.#upstream.onmessage = ({ data }) => give(data)
    this.#upstream.onclose = ({ code, reason }) => {
      if (isSendable(code)) client.close(code, reason)
      else client.close(...GOING_AWAY)
    }
    if (this.#upstream.readyState !== WebSocket.OPEN) client.close(...GOING_AWAY)
  }
  message(client: ServerWebSocket<unknown>, raw: string | Uint8Array<ArrayBuffer>): void {
    this.#upstream.send(raw)
    if (this.#upstream.bufferedAmount > MOST_UNSENT_BYTES) client.close(...TOO_SLOW)
  }
  close(_: ServerWebSocket<unknown>, code: number): void {
    relayed--
    this.#release()
    this.#upstream.onclose = null
    this.#upstream.close(code >= 3000 ? code : 1000)
  }
}

/** 1005, 1006 and 1015 stand for a close without a code: nobody may send them (RFC 6455, 7.4.1). */
const isSendable = (code: number): boolean => code >= 1000 && ![1004, 1005, 1006, 1015].includes(code)
