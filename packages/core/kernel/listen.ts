import type { Server } from 'bun'
import type { AnyElysia } from 'elysia'
import type { Certificate } from './certificate.ts'
import type { Platform } from './compose.ts'
import type { Network } from './network.ts'
import { markInternal } from './request.ts'

export interface Address {
  hostname: string
  port: number
}
export interface PublicAddress extends Address {
  /** null: plain */
  certificate?: Certificate | null
}
/** The edge answers a body that is too long; this only ends one that does not say its length. */
const MOST_BODY_BYTES = 4 * 1024 * 1024
const DRAIN_MS = 5_000
const NOTICED_MS = 1_200
/** Without a byte for so long a connection ends; Bun ends one whose headers take longer than 10 s by itself. */
const IDLE_S = 30
const TLS_1_2 = 0x0303
/** Of TLS 1.2; those of 1.3 are all of this kind. Bun would also take CBC with SHA-1. */
const AUTHENTICATED_CIPHERS = ['AES256-GCM-SHA384', 'AES128-GCM-SHA256', 'CHACHA20-POLY1305']
  .flatMap((cipher) => [`ECDHE-ECDSA-${cipher}`, `ECDHE-RSA-${cipher}`])
  .join(':')
/** An idle connection of a peer is kept for longer than its own pool keeps it. */
const PEER_IDLE_S = 255

/** A port that goes on with another certificate. */
export interface Port {
  readonly server: Server<unknown>
  /** Whose answers are under way, on earlier listeners too. */
  pendingRequests(): number
  renew(): void
  /** no new connections; `now`: ends those there are */
  stop(now?: boolean): Promise<void>
}

/**
 * Bun's `reload` does not take a certificate, so the port begins anew, without a moment between (`begin` is called with its
 * number). Requests under way and WebSockets go on where they are; connections that wait for a request end.
 */
export function openPort(begin: (port?: number) => Server<unknown>): Port {
  let server = begin()
  const earlier = new Set<Server<unknown>>()
  const all = () => [server, ...earlier]
  return {
    get server() {
      return server
    },
    pendingRequests: () => all().reduce((sum, { pendingRequests }) => sum + pendingRequests, 0),
    renew() {
      const before = server
      const port = Number(before.port)
      earlier.add(before)
      void before.stop().finally(() => earlier.delete(before))
      server = begin(port)
    },
    async stop(now) {
      await Promise.all(all().map((one) => one.stop(now)))
    },
  }
}

/** What Bun refuses is refused here, not where a port depends on it. */
export function tryTls(tls: Bun.TLSOptions): void {
  void Bun.serve({ hostname: '127.0.0.1', port: 0, tls, fetch: () => new Response() }).stop(true)
}

/** The public port; a service alone has none: it listens for its peers. */
export function listen({ app, websocket }: Platform, at: PublicAddress, network?: Network): Server<unknown> {
  const { certificate, ...address } = at
  const mutual = network && network.self !== 'gateway'
  const tls = mutual
    ? mutualTls(network)
    : certificate && { ...certificate, minVersion: TLS_1_2, ciphers: AUTHENTICATED_CIPHERS }
  app.listen({
    ...address,
    development: false,
    // Elysia's own word is true: a second platform on this port would take half of the connections, unnoticed
    reusePort: false,
    maxRequestBodySize: MOST_BODY_BYTES,
    idleTimeout: mutual ? PEER_IDLE_S : IDLE_S,
    ...(tls && { tls }),
    ...(websocket && { websocket }),
  })
  return app.server as Server<unknown>
}

/** A plain port beside the public one: it answers nothing but where to go. */
export function listenForRedirects(at: Address, httpsPort: number): Server<unknown> {
  return Bun.serve({
    ...at,
    development: false,
    idleTimeout: IDLE_S,
    maxRequestBodySize: 0,
    fetch({ url, method }) {
      const to = URL.parse(url)
      if (!to) return new Response(null, { status: 400, headers: { connection: 'close' } })
      to.protocol = 'https:'
      to.port = httpsPort === 443 ? '' : String(httpsPort)
      const headers = { location: to.href, 'cache-control': 'no-store', connection: 'close' }
      return new Response(null, { status: method === 'GET' || method === 'HEAD' ? 308 : 403, headers })
    },
  })
}

/** The gateway's port for the other services, beside its public one: the same app, to which they are internal. */
export function listenForPeers(app: AnyElysia, network: Network, hostname: string): Server<unknown> {
  return Bun.serve({
    hostname,
    port: network.port,
    idleTimeout: PEER_IDLE_S,
    maxRequestBodySize: MOST_BODY_BYTES,
    tls: mutualTls(network),
    async fetch(request) {
      if (await network.callerOf(request)) markInternal(request)
      return app.fetch(request)
    },
  })
}

/** No handshake without a certificate of the CA; TLS 1.3. Whom it names, the service token says. */
export const mutualTls = ({ credentials }: Pick<Network, 'credentials'>) => ({
  ...credentials,
  requestCert: true,
  rejectUnauthorized: true,
  minVersion: 0x0304,
})

/** Says that this process is about to drain, while it still works: the gateway, which asks twice a second, sends nothing new from then on. */
export async function giveNotice(platform: Platform, network: Network | undefined): Promise<void> {
  platform.health.markDraining()
  if (network && network.self !== 'gateway') await Promise.all([Bun.sleep(NOTICED_MS), platform.handOver()])
}

/** No new connections; requests in flight get their answers. */
export async function drain(platform: Platform, port: Port): Promise<void> {
  platform.health.markDraining()
  void port.stop()
  const end = performance.now() + DRAIN_MS
  while (port.pendingRequests() > 0 && performance.now() < end) await Bun.sleep(5)
}
