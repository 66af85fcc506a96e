import type { AnyElysia } from 'elysia'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { z } from 'zod'
import type { Blobs } from '../ports/blobs/port.ts'
import type { Bus, Delivered, Topic } from '../ports/bus/port.ts'
import type { Cache } from '../ports/cache/port.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { Db } from '../ports/db/port.ts'
import type { Limits } from '../ports/limits/port.ts'
import type { Mail } from '../ports/mail/port.ts'
import type { Lockstep } from '../ports/marketlog/lockstep.ts'
import type { MarketLog } from '../ports/marketlog/port.ts'
import type { Payments } from '../ports/payments/port.ts'
import type { Presence } from '../ports/presence/port.ts'
import type { Secrets } from '../ports/secrets/port.ts'
import type { TokenVerifier } from './auth.ts'
import type { ChannelSource } from './channel.ts'
import type { Actor, Ctx } from './context.ts'
import type { Elsewhere } from './elsewhere.ts'
import type { HealthSource, Probe } from './health.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { RequestGate } from './limit.ts'
import type { Peers } from './peers.ts'

export interface CallOptions {
  timeoutMs?: number
  /** for whom is asked, where the request carries no credential: the other side sees this actor */
  act?: Actor
  /** the request that this call is part of: its id and trace go along, and the call has no more time than is left of its deadline */
  ctx?: Ctx
}
/** What every service gets: ports, never adapters. `config` is the service's own parsed slice. */
export interface Deps<Config = unknown> {
  config: Config
  /** NODE_ENV === 'production' */
  production: boolean
  /** data folder of the embedded platform */
  home: string
  log: Logger
  metrics: Registry
  clock: Clock
  db: Db
  bus: Bus
  marketlog: MarketLog
  lockstep: (group: string) => Lockstep
  cache: Cache
  /** of requests and attempts, shared by all replicas where a server keeps them */
  limiter: Limits
  /** what people have open, counted over all replicas where a server keeps it */
  presence: Presence
  secrets: Secrets
  blobs: Blobs
  payments: Payments
  mail: Mail
  /** verifies access tokens and API keys; the gateway supplies it in one process, JWKS over the wire otherwise */
  tokens: TokenVerifier
  /** another service by name: its app in this process, else any of its replicas; 10 s unless told */
  call: (service: string, request: Request, options?: CallOptions) => Promise<Response>
  /** this process by name and URL, and calls to another one by URL (a replica that owns something) */
  peers: Peers
  /** the WebSocket channels of every service, of those elsewhere too; complete once all services are created */
  channels: () => readonly ChannelSource[]
}
/** Server-wide socket bounds (Bun's `websocket` options): the process that listens passes them on. */
export interface SocketOptions {
  maxPayloadLength: number
  backpressureLimit: number
  closeOnBackpressureLimit: boolean
  idleTimeout: number
}
export interface Consumer {
  group: string
  topics: Topic[]
  handle: (message: Delivered) => Promise<void>
}
export interface Running {
  app: AnyElysia
  /** called before this process drains, where others can take over what it owns; it still answers meanwhile */
  handOver?: () => Promise<void>
  consumers?: Consumer[]
  probes?: Probe[]
  channels?: ChannelSource[]
  websocket?: SocketOptions
  /** the gateway's: what deps.tokens of every service in this process delegates to */
  tokens?: TokenVerifier
  /** the gateway's: the edge asks it once per request, after identity */
  gate?: RequestGate
  /** the gateway's, where the others are elsewhere */
  elsewhere?: Elsewhere
  /** lines that `up` prints once after the start, such as the first operator's login; never logged */
  notices?: () => string[]
  /** the gateway's: the OpenAPI document of all services, as it is checked in; making it takes a third of a second */
  document?: () => Record<string, unknown>
  /** goes on /health: degraded reasons, stores, circuits */
  health?: () => HealthSource
  /** called after every service's http is composed and probes are registered */
  start?: () => Promise<void>
}
/** A service: importing it does nothing; `create` builds its app on the given deps and registers closes on the lifecycle. */
export interface Service<Schema extends z.ZodType = z.ZodType> {
  name: string
  config: Schema
  /** a method, so that services of different slices fit in one list */
  create(deps: Deps<z.infer<Schema>>, lifecycle: Lifecycle): Promise<Running> | Running
}
