import type { Ctx } from './context.ts'

export interface ChannelEvent {
  /** from the source, never from a replica: aseq, mseq, ... */
  seq: number
  /** event time, ms */
  ts: number
  /** `mark`: carries the last durable seq, exempt from the drop rule, conflated, ordered by mseq */
  kind: 'event' | 'mark'
  mseq?: number
  /** events with the same conflation key may replace each other under pressure; absent: never dropped */
  conflate?: string
  data: unknown
}
/** A WebSocket channel, declared by the service that owns the data, composed by websocket. `ticks:BTC/USD` -> name ticks, key BTC/USD. */
export interface ChannelSource {
  name: string
  /** for processes of the same service: clients are not offered it */
  peersOnly?: boolean
  /** the canonical key, or null when it is not one */
  parse(key: string): string | null | Promise<string | null>
  /** throws AssayError when this actor may not */
  authorize(ctx: Ctx, key: string): Promise<void>
  snapshot(ctx: Ctx, key: string): Promise<{ seq: number; data: unknown }>
  /** events with seq > after in order, from journal or ring; null: not held any more (gap + snapshot) */
  since(key: string, after: number): Promise<ChannelEvent[] | null>
  /**
   * push is called in order; returns the stop. `lost`: events may be missing from here back; whoever needs them all
   * reads `since` again, what is pushed from now on is complete again
   */
  listen(key: string, push: (event: ChannelEvent) => void, lost?: () => void): () => void
}
