/** Every bound of the service; docs/limits.md repeats this table. A test passes smaller ones. */
export interface Limits {
  /** a client's message, bytes */
  messageBytes: number
  /** unsent bytes of one client before it is closed with 4408 */
  bufferedBytes: number
  /** wall behind `bufferedBytes`: Bun closes the socket */
  socketBytes: number
  subscriptionsPerConnection: number
  channelsPerOp: number
  connectionsPerUser: number
  connections: number
  /** operations of one client that may wait for the one before */
  waitingOps: number
  /** events kept while a subscription reads its snapshot; past it the journal or ring is read again */
  heldEvents: number
  /** events of a resume that are queued at a time */
  replayPage: number
  ticketTtlMs: number
  pingEveryMs: number
  /** closed with 4410 when nothing was heard for so long */
  silenceMs: number
  sweepEveryMs: number
  /** looks whether what is revoked is heard of; only if not, connections are asked about */
  recheckEveryMs: number
  /** two flushes of the process are at least so far apart: under load one write carries several events */
  flushEveryMs: number
  /** longest synchronous run of a flush */
  flushSliceMs: number
}
export const LIMITS: Limits = {
  messageBytes: 64 * 1024,
  bufferedBytes: 1024 * 1024,
  socketBytes: 4 * 1024 * 1024,
  subscriptionsPerConnection: 200,
  channelsPerOp: 100,
  connectionsPerUser: 20,
  connections: 10_000,
  waitingOps: 64,
  heldEvents: 1_000,
  replayPage: 500,
  ticketTtlMs: 30_000,
  pingEveryMs: 15_000,
  silenceMs: 45_000,
  sweepEveryMs: 500,
  recheckEveryMs: 100,
  flushEveryMs: 4,
  flushSliceMs: 4,
}
