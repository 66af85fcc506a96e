import type { MarketEvent } from '@assay/core/domain/market/event'
import { SEGMENT_EVENTS } from '@assay/core/domain/proof/segment'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import type { OwnerApi } from './owner-thread.ts'
import type { EndedSegment, LogStart } from './types.ts'

/** Events in one message: commands come between. */
const CHUNK = 512
/** Messages that the owner has not confirmed yet. */
const WINDOW = 4
const MINUTE_MS = 60_000

/** Reads the market log for one book and hands it over, with the segments that ended on the way. */
export class Feed {
  private count = 0
  private minute = Number.NaN
  private sealedTo = 0
  /** a segment may have ended that no head was found for yet */
  private suspected = false
  /** where the owner was when a seal was last looked for */
  private idleAt = 0
  private readonly unconfirmed: { at: number; done: Promise<void> }[] = []
  /** its book is part of the live one */
  private merged = false
  /** last mseq that the owner has confirmed */
  mseq = 0

  constructor(
    private readonly deps: { marketlog: MarketLog; group: string; signal: AbortSignal },
    private readonly api: OwnerApi,
    private readonly book: number,
    private readonly now: () => number = () => 0,
  ) {}

  /** Feeds until the book is part of the live one (never, for the live one) or the signal aborts. */
  async run(start: LogStart): Promise<void> {
    const stop = new AbortController()
    const signal = AbortSignal.any([this.deps.signal, stop.signal])
    this.sealedTo = start.from - 1
    try {
      for await (const events of this.deps.marketlog.read(this.deps.group, start.from, signal)) {
        for (let at = 0; at < events.length; at += CHUNK) {
          if (signal.aborted || (await this.hand(events.slice(at, at + CHUNK)))) return
        }
        // another book is done when the live one is reached: it must not read on before it knows
        if (this.book !== 0 && (await this.confirmAll())) return
      }
    } finally {
      stop.abort()
    }
  }
  /** How long the oldest unconfirmed message has waited, ms. */
  get behindMs(): number {
    const oldest = this.unconfirmed[0]
    return oldest ? this.now() - oldest.at : 0
  }
  /** A segment was ended by hand: no event follows to show it. */
  async ended(segment: EndedSegment): Promise<void> {
    this.count = 0
    this.sealedTo = segment.last
    await this.api.feed(this.book, { events: [], ended: [segment] })
  }
  /** The end of a lockstep run seals its last segment and no event follows to show it: looked for when none has come since the last look. */
  async lookForSeal(): Promise<void> {
    const at = this.mseq
    const idle = at === this.idleAt
    this.idleAt = at
    if (!idle || at <= this.sealedTo || this.unconfirmed.length > 0) return
    const head = (await this.deps.marketlog.segments(this.deps.group, this.sealedTo + 1, at)).at(-1)
    if (head?.last === at && at > this.sealedTo) await this.ended({ head: head.head, last: head.last })
  }

  private async hand(events: readonly MarketEvent[]): Promise<boolean> {
    const ended = await this.segmentsBefore(events)
    const entry = {
      at: this.now(),
      done: this.api.feed(this.book, { events, ended }).then((fed) => {
        this.unconfirmed.splice(this.unconfirmed.indexOf(entry), 1)
        this.mseq = fed.mseq
        this.merged ||= this.book !== 0 && fed.merged
      }),
    }
    this.unconfirmed.push(entry)
    if (this.unconfirmed.length >= WINDOW) await this.unconfirmed[0]!.done
    return this.merged
  }
  private async confirmAll(): Promise<boolean> {
    await Promise.all(this.unconfirmed.map((u) => u.done))
    return this.merged
  }

  /** Asks for heads only where the events show that a segment may have ended. */
  private async segmentsBefore(events: readonly MarketEvent[]): Promise<EndedSegment[]> {
    for (const event of events) {
      const minute = Math.floor(event.mts / MINUTE_MS)
      if ((this.count > 0 && minute !== this.minute) || this.count >= SEGMENT_EVENTS) {
        this.suspected = true
        this.count = 0
      }
      if (this.count === 0) this.minute = minute
      this.count++
    }
    if (!this.suspected) return []
    const last = events.at(-1)!.mseq
    const heads = await this.deps.marketlog.segments(this.deps.group, this.sealedTo + 1, last)
    const ended = heads.filter((h) => h.last > this.sealedTo && h.last < last).map(({ head, last }) => ({ head, last }))
    if (ended.length > 0) {
      this.suspected = false
      this.sealedTo = ended.at(-1)!.last
      this.count = last - this.sealedTo
    }
    return ended
  }
}
