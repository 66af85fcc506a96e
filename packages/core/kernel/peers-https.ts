import { type PeerCall, PeerError, type Peers } from './peers.ts'
import { type PeerCredentials, peerName, SERVICE_TOKEN, type ServiceTokens } from './service-token.ts'

export interface HttpsPeersOptions {
  instance: string
  url: string
  credentials: PeerCredentials
  tokens: ServiceTokens
}
/** What is left of the caller's patience, ms: who gets it need not go on for longer. */
export const DEADLINE = 'x-deadline-ms'
export const PEER_TIMEOUT_MS = 10_000

/** Failures before the request left: nobody has seen it. */
const UNSENT =
  /^(ECONNREFUSED|ConnectionRefused|FailedToOpenSocket|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPROTO|ERR_TLS_.*|ERR_SSL_.*|.*CERT.*|UNABLE_TO_.*)$/

export function createHttpsPeers({ instance, url, credentials, tokens }: HttpsPeersOptions): Peers {
  const tls = new Map<string, object>()
  /** the same object for the same service: Bun keeps its connections by it */
  const tlsOf = (service: string): object => {
    let its = tls.get(service)
    if (!its) {
      its = { ...credentials, serverName: peerName(service), rejectUnauthorized: true }
      tls.set(service, its)
    }
    return its
  }

  return {
    instance,
    url,
    async fetch(service, base, path, call = {}) {
      const { method = 'GET', body, timeoutMs = PEER_TIMEOUT_MS } = call
      const headers = new Headers(call.headers)
      headers.set(SERVICE_TOKEN, await tokens.mint(service))
      headers.set(DEADLINE, String(Math.ceil(timeoutMs)))
      const { signal, answered } = patience(call)
      try {
        const answer = await fetch(`${base}${path}`, {
          method,
          headers,
          signal,
          redirect: 'manual',
          decompress: false,
          tls: tlsOf(service),
          ...(body != null && { body }),
        } as RequestInit)
        answered()
        return answer
      } catch (cause) {
        throw asPeerError(cause, service, base)
      }
    },
  }
}

/** The caller's signal, or the end of the time it gave; a stream has that time only until its headers. */
function patience({ signal, timeoutMs = PEER_TIMEOUT_MS, streams = false }: PeerCall) {
  const late = new AbortController()
  const timer = setTimeout(
    () => late.abort(new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError')),
    timeoutMs,
  )
  timer.unref()
  return {
    signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
    answered: () => {
      if (streams) clearTimeout(timer)
    },
  }
}

function asPeerError(cause: unknown, service: string, base: string): PeerError {
  const code = String((cause as { code?: unknown } | null)?.code ?? '')
  const reason = code || (cause instanceof Error ? cause.message : String(cause))
  return new PeerError(`${service} at ${base}: ${reason}`, !UNSENT.test(code), { cause })
}
