import { createServer, type TLSSocket } from 'node:tls'
import { edge } from '@assay/core/kernel/edge'
import { type LocalCa, makeLocalCa } from '@assay/core/kernel/local-ca'
import { createRequestMetrics } from '@assay/core/kernel/metrics'
import { createHttpsPeers } from '@assay/core/kernel/peers-https'
import { createServiceTokens } from '@assay/core/kernel/service-token'
import { systemClock } from '@assay/core/ports/clock/system'
import { type AnyElysia, Elysia } from 'elysia'
import pino from 'pino'
import { Registry } from 'prom-client'
import { elsewhere } from '../elsewhere.ts'
import type { StreamTimes } from '../pass-on.ts'
import { type Upstreams, watchUpstreams } from '../upstreams.ts'

/** What a replica does with a request; it gets the head as it came. */
export type Serve = (socket: TLSSocket, head: string) => void

/** A replica: real TLS, whatever bytes the test wants. */
export interface FakeReplica {
  url: string
  /** heads of all requests but health checks */
  asked: string[]
  serve: Serve
  /** connections that are open */
  sockets: Set<TLSSocket>
  ready: boolean
  close(): Promise<void>
}
export interface ProxyWorld {
  url: string
  replicas: FakeReplica[]
  upstreams: Upstreams
  metrics(): Promise<string>
  close(): Promise<void>
}
const HOUR_MS = 3_600_000
export const json = (body: object, status = 200): string => {
  const text = JSON.stringify(body)
  const type = status < 400 ? 'application/json' : 'application/problem+json'
  return `HTTP/1.1 ${status} x\r\ncontent-type: ${type}\r\ncontent-length: ${text.length}\r\n\r\n${text}`
}
export const answers =
  (text: string): Serve =>
  (socket) =>
    void socket.write(text)
export const hangs: Serve = () => {}
export const resets: Serve = (socket) => void socket.destroy()

/** The gateway's proxy on a port of its own, before replicas of trading, or of another service. */
export async function openProxyWorld(
  serves: readonly Serve[],
  times?: StreamTimes,
  of = 'trading',
): Promise<ProxyWorld> {
  const ca = await makeLocalCa()
  const replicas = await Promise.all(serves.map((serve) => openReplica(ca, of, serve)))
  const credentials = await ca.issue('gateway', HOUR_MS)
  const registry = new Registry()
  const log = pino({ level: 'silent' })
  const urls = replicas.map(({ url }) => url)
  const peers = createHttpsPeers({
    instance: 'gateway-0',
    url: 'https://127.0.0.1:1',
    replicas: (service) => (service === of ? urls : []),
    credentials,
    tokens: createServiceTokens('gateway', credentials, systemClock),
  })
  const upstreams = watchUpstreams({ peers, clock: systemClock, log, metrics: registry })
  const others = elsewhere({
    peers,
    upstreams,
    clock: systemClock,
    times: times ?? { eventsIdleMs: 15_000, streamIdleMs: 60_000 },
  })
  const app: AnyElysia = new Elysia()
  app
    .use(
      edge({
        log,
        clock: systemClock,
        metrics: createRequestMetrics(registry),
        tokens: {
          verify: async () => ({ userId: 'ada', role: 'trader', tenant: 'acme', scopes: [], plan: 'free' }),
        },
        routes: () => app.routes,
        server: () => app.server,
        elsewhere: () => others,
      }),
    )
    .listen({ hostname: '127.0.0.1', port: 0, idleTimeout: 30 })
  return {
    url: `http://127.0.0.1:${app.server!.port}`,
    replicas,
    upstreams,
    metrics: () => registry.metrics(),
    async close() {
      upstreams.forsake()
      await app.server!.stop(true)
      peers.close()
      await Promise.all(replicas.map((one) => one.close()))
    },
  }
}

async function openReplica(ca: LocalCa, service: string, serve: Serve): Promise<FakeReplica> {
  const sockets = new Set<TLSSocket>()
  const credentials = await ca.issue(service, HOUR_MS)
  const server = createServer({ ...credentials, requestCert: true, rejectUnauthorized: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes) => {
      const head = bytes.toString('latin1')
      const probe = /^GET \/(ready|health) /.exec(head)?.[1]
      if (probe === 'ready') socket.write(json({ ready: replica.ready, draining: false, probes: {} }))
      else if (probe === 'health') socket.write(json({ degraded: [], stores: {} }))
      else {
        replica.asked.push(head)
        replica.serve(socket, head)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const replica: FakeReplica = {
    url: `https://127.0.0.1:${port}`,
    asked: [],
    serve,
    sockets,
    ready: true,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return replica
}
