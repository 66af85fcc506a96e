import type { TokenVerifier } from '@assay/core/kernel/auth'
import type { ChannelSource } from '@assay/core/kernel/channel'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Presence } from '@assay/core/ports/presence/port'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { LIMITS, type Limits } from '../limits.ts'
import type { CloseReason } from './close-codes.ts'
import type { Connection } from './connection.ts'
import type { Feed } from './feed.ts'
import { Flusher } from './flusher.ts'
import { type PushStats, pushStats } from './metrics.ts'

/** What all connections of this process share. */
export interface Hub {
  limits: Limits
  clock: Clock
  tokens: TokenVerifier
  log: Logger
  stats: PushStats
  flusher: Flusher
  sources: () => ReadonlyMap<string, ChannelSource>
  /** by channel, `name:key` */
  feeds: Map<string, Feed>
  connections: Set<Connection>
  /** open and opening connections by user id, of all replicas */
  presence: Presence
  /** no new connections: the process is ending */
  draining: boolean
}
export interface HubOptions {
  clock: Clock
  tokens: TokenVerifier
  log: Logger
  metrics: Registry
  presence: Presence
  channels: () => readonly ChannelSource[]
  limits?: Limits
}

export function createHub({ clock, tokens, log, metrics, presence, channels, limits = LIMITS }: HubOptions): Hub {
  const connections = new Set<Connection>()
  const stats = pushStats(metrics, () => clock.now(), {
    connections: () => connections.size,
    subscriptions: () => countByName(connections),
  })
  const now = () => clock.monotonic()
  let sources: ReadonlyMap<string, ChannelSource> | undefined
  return {
    limits,
    clock,
    tokens,
    log,
    stats,
    flusher: new Flusher({ everyMs: limits.flushEveryMs, sliceMs: limits.flushSliceMs, now, stats }),
    // services declare their channels while they are created: complete only at the first use
    sources: () => (sources ??= new Map(channels().map((source) => [source.name, source]))),
    feeds: new Map(),
    connections,
    presence,
    draining: false,
  }
}
/** Ends all connections of a process that stops, or those of one user or session. */
export function closeConnections(
  hub: Hub,
  reason: CloseReason,
  which: (connection: Connection) => boolean = () => true,
): number {
  const ending = [...hub.connections].filter(which)
  for (const connection of ending) connection.end(reason)
  return ending.length
}

function countByName(connections: ReadonlySet<Connection>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const connection of connections) {
    for (const { source } of connection.subscriptions.values())
      counts.set(source.name, (counts.get(source.name) ?? 0) + 1)
  }
  return counts
}
