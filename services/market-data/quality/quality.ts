import { type Fault, faultOf, type Reason } from './faults.ts'
import type { FeedTick } from './feed-tick.ts'

export interface Quarantined {
  source: string
  tick: FeedTick
  reason: Reason
  detail: string
  /** of the source's clock, ms */
  at: number
}
export interface QualityOptions {
  source: string
  /** events are held back this long by the source's own time, so that late ones find their place; 0: none */
  reorderMs: number
  /** and at most so many of them */
  reorderMax?: number
  /** a live source's event may be older than the wall clock by this, and newer by 10 s; absent in a replay */
  staleMs?: number
  quarantine: (bad: Quarantined) => void
}
export interface QualityCounters {
  accepted: number
  /** accepted out of the order they came in */
  reordered: number
  /** holes in the source's sequence */
  gaps: number
  quarantined: Partial<Record<Reason, number>>
}

const REORDER_MAX = 512
const REMEMBERED_IDS = 4096
const FUTURE_MS = 10_000

interface SymbolState {
  pos: number
  /** the newest ids; the ring forgets the oldest */
  ids: Set<string>
  ring: string[]
  next: number
  newest: FeedTick | null
}

/**
 * What stands between a source and the sequencer: schema, sequence, duplicates, order, staleness, crossed and zero
 * books. Its only clock is the source's time (a live source's is checked against the wall clock besides), so the same
 * input gives the same output whatever the speed.
 */
export class Quality {
  readonly counters: QualityCounters = { accepted: 0, reordered: 0, gaps: 0, quarantined: {} }
  private readonly symbols = new Map<string, SymbolState>()
  private readonly held: FeedTick[] = []
  private ready: FeedTick[] = []
  private newestTs = Number.NEGATIVE_INFINITY
  private releasedTs = Number.NEGATIVE_INFINITY

  constructor(private readonly options: QualityOptions) {}

  /** Takes one event; `id`: the source's own number of it; `now`: the wall clock, of a live source. */
  offer(tick: FeedTick, id?: string, now?: number): void {
    const fault = faultOf(tick) ?? this.timing(tick, now) ?? this.history(tick, id)
    if (fault) this.reject(tick, fault)
    else {
      this.newestTs = Math.max(this.newestTs, tick.ts)
      this.hold(tick)
      this.settle()
    }
  }

  private timing(tick: FeedTick, now: number | undefined): Fault | null {
    const { staleMs } = this.options
    if (now !== undefined && staleMs !== undefined) {
      if (now - tick.ts > staleMs) return { reason: 'stale', detail: `${now - tick.ts} ms old` }
      if (tick.ts - now > FUTURE_MS) return { reason: 'future', detail: `${tick.ts - now} ms ahead` }
    }
    return tick.ts < this.releasedTs ? { reason: 'out_of_order', detail: `${this.releasedTs - tick.ts} ms back` } : null
  }

  private history(tick: FeedTick, id: string | undefined): Fault | null {
    let state = this.symbols.get(tick.symbol)
    if (!state) {
      state = { pos: 0, ids: new Set(), ring: [], next: 0, newest: null }
      this.symbols.set(tick.symbol, state)
    }
    if (id === undefined ? repeats(state.newest, tick) : state.ids.has(id))
      return { reason: 'duplicate', detail: id ?? `same as ${state.newest?.pos}` }
    if (tick.pos <= state.pos) return { reason: 'sequence', detail: `${tick.pos} after ${state.pos}` }
    if (this.options.staleMs !== undefined && state.pos > 0 && tick.pos > state.pos + 1) this.counters.gaps++
    state.pos = tick.pos
    state.newest = tick
    if (id !== undefined) remember(state, id)
    return null
  }

  private hold(tick: FeedTick): void {
    const { held } = this
    let at = held.length
    while (at > 0 && held[at - 1]!.ts > tick.ts) at--
    if (at < held.length) this.counters.reordered++
    held.splice(at, 0, tick)
  }

  /** Whose place is certain now: at each event, so that it never matters when somebody takes them. */
  private settle(): void {
    const { reorderMs, reorderMax = REORDER_MAX } = this.options
    let n = 0
    while (n < this.held.length && (this.newestTs - this.held[n]!.ts >= reorderMs || this.held.length - n > reorderMax))
      n++
    if (n > 0) this.release(n)
  }
  private release(n: number): void {
    const out = this.held.splice(0, n)
    this.releasedTs = out.at(-1)!.ts
    this.counters.accepted += n
    this.ready.push(...out)
  }

  /** The events whose place is certain, in order. */
  take(): FeedTick[] {
    const out = this.ready
    this.ready = []
    return out
  }
  /** Everything still held: the source has ended. */
  flush(): FeedTick[] {
    if (this.held.length > 0) this.release(this.held.length)
    return this.take()
  }

  private reject(tick: FeedTick, { reason, detail }: Fault): void {
    this.counters.quarantined[reason] = (this.counters.quarantined[reason] ?? 0) + 1
    this.options.quarantine({ source: this.options.source, tick, reason, detail, at: tick.ts })
  }
}

function remember(state: SymbolState, id: string): void {
  const oldest = state.ring[state.next]
  if (oldest !== undefined) state.ids.delete(oldest)
  state.ids.add(id)
  state.ring[state.next] = id
  state.next = (state.next + 1) % REMEMBERED_IDS
}
/** Without ids: the same quote at the same time, or another candle of the same time. Two like prints may both be real. */
function repeats(before: FeedTick | null, tick: FeedTick): boolean {
  if (!before || before.kind !== tick.kind || before.ts !== tick.ts) return false
  if (tick.kind === 'candle') return true
  return (
    tick.kind === 'quote' &&
    before.kind === 'quote' &&
    before.bid === tick.bid &&
    before.ask === tick.ask &&
    before.bid_size === tick.bid_size &&
    before.ask_size === tick.ask_size
  )
}
