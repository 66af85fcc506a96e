import { AssayError } from '@assay/core/contracts/errors'
import type { TokenVerifier } from '@assay/core/kernel/auth'
import type { ChannelSource } from '@assay/core/kernel/channel'
import type { Actor } from '@assay/core/kernel/context'
import { edge } from '@assay/core/kernel/edge'
import { createRequestMetrics } from '@assay/core/kernel/metrics'
import { createMemoryCache } from '@assay/core/ports/cache/memory'
import type { Cache } from '@assay/core/ports/cache/port'
import { systemClock as clock } from '@assay/core/ports/clock/system'
import { createMemoryPresence } from '@assay/core/ports/presence/memory'
import type { Presence } from '@assay/core/ports/presence/port'
import { Elysia } from 'elysia'
import pino from 'pino'
import { Registry } from 'prom-client'
import { LIMITS, type Limits } from '../limits.ts'
import { closeConnections, createHub, type Hub } from '../push/hub.ts'
import { sweep } from '../push/sweep.ts'
import { socketRoutes } from '../routes/socket.ts'
import { ticketRoutes } from '../routes/tickets.ts'

export interface TestServer {
  hub: Hub
  metrics: Registry
  cache: Cache
  /** host:port */
  host: string
  /** an access token of that user, good for `ttlMs` */
  token(userId: string, ttlMs?: number): string
  /** what its verifier says */
  verifier: Verifier
  stop(): Promise<void>
}
/** Of the tokens that the test makes. */
export interface Verifier {
  revoked: Set<string>
  /** nobody answers for any of them */
  away: boolean
  /** what is revoked is heard of */
  isCurrent: boolean
  /** asked so often */
  asked: number
}
export interface TestServerOptions {
  sources: readonly ChannelSource[]
  limits?: Partial<Limits>
  origins?: readonly string[]
  /** shared by the replicas of one platform; absent: this one is alone */
  presence?: Presence
}
/** The service's routes on a listening server of their own; tokens are `user.expiry`, made by the test. */
export function startServer({
  sources,
  limits: given,
  origins = [],
  presence = createMemoryPresence(),
}: TestServerOptions): TestServer {
  const limits = { ...LIMITS, ...given }
  const metrics = new Registry()
  const cache = createMemoryCache(clock)
  const log = pino({ level: 'silent' })
  const verifier: Verifier = { revoked: new Set(), away: false, isCurrent: true, asked: 0 }
  const tokens = verifierOf(verifier)
  const hub = createHub({ clock, tokens, log, metrics, presence, channels: () => sources, limits })
  const app = new Elysia({
    websocket: {
      maxPayloadLength: limits.messageBytes,
      backpressureLimit: limits.socketBytes,
      closeOnBackpressureLimit: true,
    },
  })
    .use(edge({ log, clock, metrics: createRequestMetrics(metrics), tokens, routes: () => [] }))
    .use(ticketRoutes(cache, limits.ticketTtlMs))
    .use(socketRoutes(hub, cache, origins))
    .listen({ port: 0, hostname: '127.0.0.1' })
  const sweeping = setInterval(() => sweep(hub), limits.sweepEveryMs)
  return {
    hub,
    metrics,
    cache,
    host: `127.0.0.1:${app.server!.port}`,
    verifier,
    token: (userId, ttlMs = 60_000) => `${userId}.${Date.now() + ttlMs}`,
    async stop() {
      clearInterval(sweeping)
      closeConnections(hub, 'goingAway')
      await app.stop(true)
      await cache.close()
    },
  }
}

const verifierOf = (verifier: Verifier): TokenVerifier => ({
  isCurrent: () => verifier.isCurrent,
  verify(token) {
    verifier.asked++
    if (verifier.away) throw new AssayError('unavailable', 'Nobody answers for it.')
    if (verifier.revoked.has(token)) throw new AssayError('unauthorized', 'The token is not valid any more.')
    return verify(token)
  },
})

async function verify(token: string): Promise<Actor> {
  const [userId, expiry] = token.split('.')
  if (!userId || !expiry || Number(expiry) <= Date.now())
    throw new AssayError('unauthorized', 'The token is not valid.')
  return {
    userId,
    role: 'trader',
    tenant: 'default',
    scopes: ['market:read', 'trading:read'],
    plan: 'free',
    sessionId: `session of ${userId}`,
    expiresAt: Number(expiry),
  }
}
