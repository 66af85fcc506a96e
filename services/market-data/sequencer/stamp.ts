import type { MarketEvent, Tick } from '@assay/core/domain/market/event'
import { sortMembers } from '@assay/core/domain/proof/segment'

/** Recorded time may stand this long without an event. */
export const CLOCK_GAP_MS = 60_000

/** Gives events their place (mseq) and market time (mts, never falling). */
export class Stamper {
  constructor(
    public mseq = 0,
    public mts = 0,
  ) {}

  event(tick: Tick, mts: number): MarketEvent {
    this.mseq++
    this.mts = Math.max(this.mts, mts)
    return sortMembers({ ...tick, mseq: this.mseq, mts: this.mts }) as MarketEvent
  }

  /** A clock event at this market time. */
  clock(mts: number): MarketEvent {
    return this.event({ kind: 'clock', ts: mts, pos: 0 }, mts)
  }

  /** Clock events for a recording: one each minute where its time would else advance by more. */
  fill(into: MarketEvent[], mts: number): void {
    if (this.mseq === 0) return
    while (mts - this.mts > CLOCK_GAP_MS) into.push(this.clock(this.mts + CLOCK_GAP_MS))
  }
}
