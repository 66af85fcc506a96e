import type { MarketEvent } from '../../domain/market/event.ts'
import type { SegmentHead } from '../../domain/proof/segment.ts'

export type { SegmentHead }
export interface LogEnd {
  mseq: number
  mts: number
  epoch: number
}
export class FencedError extends Error {}
/** A store knows events that the log has lost (`raise`): the next append must be a `gap` above `mseq`. */
export class LostEventsError extends Error {
  constructor(readonly mseq: number) {
    super(`the log has lost events up to ${mseq}`)
  }
}
/** No room for the next record, the reserve already given up. `end` says how far the append came. */
export class DiskFullError extends Error {}
/** A record that no torn tail explains: the log cannot be read past it. */
export class CorruptLogError extends Error {}

/** `reserve`: the reserve file was given up, only what reduces risk should still be written; `full`: nothing fits. */
export type DiskState = 'ok' | 'reserve' | 'full'
export interface Retention {
  /** segments that end before this market time are dropped */
  beforeMts: number
  /** and the oldest ones beyond this size */
  maxBytes: number
}
export interface Retained {
  bytes: number
  /** files of segments dropped by this call, and how many of them only for the size */
  dropped: number
  forSize: number
  /** the oldest mseq still held */
  first: number
}

/**
 * The market log: one total order per market group. Durable when `append` resolves: written to the OS here (fsync
 * every 50 ms), acknowledged by all in a cluster. A record is valid if its epoch is that of the last fence before
 * it; readers never see others.
 */
export interface MarketLog {
  /**
   * Raises the epoch; a fence has no mseq. FencedError when a higher epoch is there. repeats: this leader's events are a
   * function of their input (a recording), so what the log lost comes again under the same numbers.
   */
  fence(group: string, epoch: number, repeats?: boolean): Promise<void>
  /**
   * Events in order, gapless after the last valid mseq (a `gap` event alone may stand higher: what lay between is
   * lost), `mts` never falling, else RangeError; FencedError when a higher epoch took over; DiskFullError; LostEventsError.
   */
  append(group: string, epoch: number, events: readonly MarketEvent[]): Promise<void>
  end(group: string): Promise<LogEnd | null>
  /** a store has decided on events up to `mseq`: where the log ends before (a power loss), it must go on above */
  raise(group: string, mseq: number): Promise<void>
  /** history from `fromMseq` on (from the oldest held, where that is later), then live as appended, in batches, until the signal aborts */
  read(group: string, fromMseq: number, signal: AbortSignal): AsyncIterable<readonly MarketEvent[]>
  /**
   * Where a reader that wants to stand after `mseq` starts: at `from`, the start of the segment that holds `mseq`, with
   * the newest quote, levels and symbol_state of each symbol before `from`, every gap that still hides one of them, in
   * order, and the head of the last segment that ended before `from`. It applies them, then reads from `from` on.
   */
  carry(group: string, mseq: number): Promise<{ from: number; events: MarketEvent[]; prev: string }>
  /** heads of sealed segments whose range touches [from, to], ascending */
  segments(group: string, from: number, to: number): Promise<SegmentHead[]>
  /** ends the open segment now (a lockstep run at its end) */
  seal(group: string): Promise<SegmentHead | null>
  /** somebody needs the log from `mseq` on (a proof not yet made); null: no more. Lasts as long as the process */
  pin(group: string, id: string, mseq: number | null): void
  /** drops sealed segments that no pin needs, oldest first; a cluster's log does that by itself */
  retain(group: string, limits: Retention): Promise<Retained>
  disk(): DiskState
  /** gives the reserve file up (another writer of this disk found it full); false when it is gone already */
  giveUpReserve(): boolean
  /** tries to get back to `ok`: takes the reserve again when there is room for it; the state after it */
  recoverDisk(): Promise<DiskState>
  close(): Promise<void>
}
