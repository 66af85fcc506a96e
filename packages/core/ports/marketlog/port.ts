import type { MarketEvent } from '../../domain/market/event.ts'
import type { SegmentHead } from '../../domain/proof/segment.ts'

export type { SegmentHead }

export interface LogEnd { mseq: number; mts: number; epoch: number }
export class FencedError extends Error {}

/**
 * The market log: one total order per market group. Durable when `append` resolves: written to the OS here (fsync
 * every 50 ms), acknowledged by all in a cluster. A record is valid if its epoch is that of the last fence before
 * it; readers never see others.
 */
export interface MarketLog {
  /** raises the epoch; a fence has no mseq. FencedError when a higher epoch is there */
  fence(group: string, epoch: number): Promise<void>
  /** events in order, gapless after the last valid mseq; FencedError when a higher epoch took over */
  append(group: string, epoch: number, events: readonly MarketEvent[]): Promise<void>
  end(group: string): Promise<LogEnd | null>
  /** history from `fromMseq` on, then live as appended, in batches, until the signal aborts */
  read(group: string, fromMseq: number, signal: AbortSignal): AsyncIterable<readonly MarketEvent[]>
  /** the newest quote, levels and symbol_state of each symbol at or before mseq, and the head of the last segment that ended before it: where a reader starts */
  carry(group: string, mseq: number): Promise<{ from: number; events: MarketEvent[]; prev: string }>
  /** heads of sealed segments whose range touches [from, to], ascending */
  segments(group: string, from: number, to: number): Promise<SegmentHead[]>
  /** ends the open segment now (a lockstep run at its end) */
  seal(group: string): Promise<SegmentHead | null>
  close(): Promise<void>
}
