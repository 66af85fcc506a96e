import { PeerPool } from './peer-pool.ts'
import { type PeerCall, PeerError, type Peers } from './peers.ts'
import { DEADLINE } from './request.ts'
import { type PeerCredentials, peerName, SERVICE_TOKEN, type ServiceTokens } from './service-token.ts'

export interface HttpsPeersOptions {
  instance: string
  url: string
  replicas: (service: string) => readonly string[]
  /** read anew for each connection: they may be renewed in place */
  credentials: PeerCredentials
  tokens: ServiceTokens
}
export const PEER_TIMEOUT_MS = 10_000

/** Failures before the request left: nobody has seen it. */
const UNSENT =
  /^(ECONNREFUSED|ConnectionRefused|FailedToOpenSocket|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPROTO|ERR_TLS_.*|ERR_SSL_.*|.*CERT.*|UNABLE_TO_.*)$/

/** `close` ends the connections of `ask`. */
export type HttpsPeers = Peers & { close(): void }

export function createHttpsPeers({ instance, url, replicas, credentials, tokens }: HttpsPeersOptions): HttpsPeers {
  const tls = new Map<string, PeerCredentials>()
  /** the same object for the same service and certificate: Bun keeps its connections by it */
  const tlsOf = (service: string): object => {
    let its = tls.get(service)
    if (its?.cert !== credentials.cert || its.ca !== credentials.ca) {
      const named = { ...credentials, serverName: peerName(service), rejectUnauthorized: true }
      its = named
      tls.set(service, its)
    }
    return its
  }
  const pools = new Map<string, PeerPool>()
  const poolOf = (service: string, base: string): PeerPool => {
    let pool = pools.get(base)
    if (pool?.options.serverName !== peerName(service)) {
      const { hostname, port } = new URL(base)
      const where = `${service} at ${base}`
      pool?.close()
      pool = new PeerPool({ where, hostname, port: Number(port || 443), serverName: peerName(service), credentials })
      pools.set(base, pool)
    }
    return pool
  }
  const words = new Map<string, { minted: Promise<string>; line: string }>()
  /** This service's word as a header's line; a promise only where it is a new one. */
  const wordTo = (service: string): string | Promise<string> => {
    const minted = tokens.mint(service)
    const last = words.get(service)
    if (last?.minted === minted) return last.line
    return minted.then((token) => {
      const line = `${SERVICE_TOKEN}: ${token}\r\n`
      words.set(service, { minted, line })
      return line
    })
  }

  return {
    instance,
    url,
    replicas,
    async fetch(service, base, path, call = {}) {
      const { method = 'GET', body, timeoutMs = PEER_TIMEOUT_MS } = call
      const headers = new Headers(call.headers)
      headers.set(SERVICE_TOKEN, await tokens.mint(service, call.act))
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
    ask(service, base, request) {
      const pool = poolOf(service, base)
      const word = wordTo(service)
      const deadline = `${DEADLINE}: ${Math.ceil(request.timeoutMs)}\r\n`
      if (typeof word === 'string') return pool.ask(request, [word, deadline])
      return word.then((line) => pool.ask(request, [line, deadline]))
    },
    close() {
      for (const pool of pools.values()) pool.close()
    },
    async connect(service, base, path, { headers, protocols, timeoutMs = PEER_TIMEOUT_MS } = {}) {
      const socket = new WebSocket(`${base.replace('https:', 'wss:')}${path}`, {
        headers: { ...headers, [SERVICE_TOKEN]: await tokens.mint(service) },
        ...(protocols && protocols.length > 0 && { protocols }),
        tls: tlsOf(service),
      } as never)
      socket.binaryType = 'arraybuffer'
      await opened(socket, service, base, timeoutMs)
      return socket
    },
  }
}

function opened(socket: WebSocket, service: string, base: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string, status?: number) => {
      clearTimeout(timer)
      reject(new PeerError(`${service} at ${base}: ${reason}`, false, { ...(status !== undefined && { status }) }))
    }
    const timer = setTimeout(() => {
      fail(`no WebSocket within ${timeoutMs} ms`)
      socket.close()
    }, timeoutMs)
    socket.onopen = () => {
      clearTimeout(timer)
      resolve()
    }
    socket.onerror = (event) => {
      // all that Bun tells of an answer that is no handshake
      const status = /Expected 101 status code: (\d{3})/.exec((event as ErrorEvent).message)?.[1]
      fail(status ? `no WebSocket but ${status}` : 'no WebSocket', status ? Number(status) : undefined)
    }
    socket.onclose = ({ reason }) => fail(reason || 'no WebSocket')
  })
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
