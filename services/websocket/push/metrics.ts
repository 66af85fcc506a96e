import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { CLOSE, type CloseReason } from './close-codes.ts'
import type { Outgoing } from './outgoing.ts'
import type { ServerMessage } from './protocol.ts'

/** A recording's event times lie in the past: they say nothing about delay. */
const RECORDED_MS = 60 * 60_000
const BUCKETS_S = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Plain numbers on the hot path; prom-client reads them when it is scraped. */
export interface PushStats {
  messages: Record<ServerMessage['type'], number>
  bytes: number
  conflated: number
  dropped: number
  sent(type: ServerMessage['type'], bytes: number): void
  /** an event reached the sockets of all clients that kept up; `at` monotonic ms */
  written(event: Outgoing, at: number): void
  /** an event waited in a slow client's backlog */
  delay(path: 'backlog', ms: number): void
  closed(reason: CloseReason | 'client'): void
}
export interface Gauges {
  connections: () => number
  /** by channel name */
  subscriptions: () => Map<string, number>
}

/** Metrics of the push path. `websocket_delay_seconds`: `event` from event time (wall), `receipt` from the source's push. */
export function pushStats(registry: Registry, now: () => number, gauges: Gauges): PushStats {
  const registers = [registry]
  const delays = new Histogram({
    name: 'websocket_delay_seconds',
    help: 'Delay to the socket write: from event time, from receipt, and of what waited in a backlog',
    labelNames: ['from'],
    buckets: BUCKETS_S,
    registers,
  })
  const closes = new Counter({
    name: 'websocket_closed_total',
    help: 'Connections ended, by code',
    labelNames: ['code'],
    registers,
  })
  const stats: PushStats = {
    messages: { ack: 0, error: 0, event: 0, snapshot: 0, gap: 0, pong: 0 },
    bytes: 0,
    conflated: 0,
    dropped: 0,
    sent(type, bytes) {
      stats.messages[type]++
      stats.bytes += bytes
    },
    written(event, at) {
      delays.observe({ from: 'receipt' }, Math.max(0, at - event.at) / 1000)
      const sinceEvent = now() - event.message.ts
      if (sinceEvent < RECORDED_MS) delays.observe({ from: 'event' }, Math.max(0, sinceEvent) / 1000)
    },
    delay(path, ms) {
      delays.observe({ from: path }, ms / 1000)
    },
    closed(reason) {
      closes.inc({ code: reason === 'client' ? 'client' : CLOSE[reason][0] })
    },
  }
  const total = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  total('websocket_bytes_out_total', 'Payload bytes written to sockets', () => stats.bytes)
  total(
    'websocket_conflated_total',
    'Messages that a newer one replaced before they were written',
    () => stats.conflated,
  )
  total(
    'websocket_dropped_total',
    'Messages lost with a connection that was closed before they were written',
    () => stats.dropped,
  )
  new Counter({
    name: 'websocket_messages_out_total',
    help: 'Messages written to sockets, by type',
    labelNames: ['type'],
    registers,
    collect() {
      this.reset()
      for (const [type, count] of Object.entries(stats.messages)) this.inc({ type }, count)
    },
  })
  new Gauge({
    name: 'websocket_connections',
    help: 'Open connections',
    registers,
    collect() {
      this.set(gauges.connections())
    },
  })
  new Gauge({
    name: 'websocket_subscriptions',
    help: 'Live subscriptions, by channel name',
    labelNames: ['channel'],
    registers,
    collect() {
      this.reset()
      for (const [channel, count] of gauges.subscriptions()) this.set({ channel }, count)
    },
  })
  return stats
}
