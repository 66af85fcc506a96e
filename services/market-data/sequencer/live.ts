import type { MarketEvent, StateTick, Tick } from '@assay/core/domain/market/event'
import { isQuote } from '@assay/core/domain/proof/segment'
import type { Clock } from '@assay/core/ports/clock/port'
import { DiskFullError, LostEventsError, type MarketLog } from '@assay/core/ports/marketlog/port'
import { statesOf } from './heartbeat.ts'
import { Stamper } from './stamp.ts'

const CLOCK_MS = 100
/** a wall clock that jumps ahead of market time by more is a gap */
const JUMP_MS = 10_000
const DISK_RETRY_MS = 1000
const DAY_MS = 86_400_000

export interface LiveOptions {
  marketlog: MarketLog
  clock: Clock
  log: { warn(fields: object, message: string): void }
  group: string
  epoch: number
  signal: AbortSignal
  /** of the symbols that go live */
  states: readonly StateTick[]
}

/** Gives live events their place: market time is the wall clock, as long as that goes forward. */
export class LiveSequencer {
  /** nothing is written: the disk is full */
  stopped = false
  private readonly stamper = new Stamper()
  private queue: Tick[] = []
  private flushing: Promise<void> | null = null
  private failure: unknown
  /** UTC day of each quoted symbol's newest state */
  private readonly saidOn = new Map<string, number>()

  private constructor(private readonly options: LiveOptions) {}

  /** Goes on after the last valid event. Where there is one, what was live then is unknown until its first snapshot. */
  static async begin(options: LiveOptions): Promise<LiveSequencer> {
    const sequencer = new LiveSequencer(options)
    const restarted = await sequencer.resync()
    sequencer.accept(restarted ? [...options.states, gap(options.clock.now(), 'restart')] : options.states)
    return sequencer
  }
  private async resync(): Promise<boolean> {
    const end = await this.options.marketlog.end(this.options.group)
    this.stamper.mseq = end?.mseq ?? 0
    this.stamper.mts = end?.mts ?? 0
    return end !== null
  }

  /** Takes accepted ticks in their order; they are appended together with what came meanwhile. */
  accept(ticks: readonly Tick[]): void {
    if (ticks.length === 0 || this.stopped || this.options.signal.aborted) return
    this.queue.push(...ticks)
    this.flushing ??= this.flush()
  }

  /** Clock events every 100 ms until the signal aborts. Throws what an append threw. */
  async run(): Promise<void> {
    const { clock, signal } = this.options
    let diskAskedAt = 0
    while (!signal.aborted) {
      await clock.sleep(CLOCK_MS, signal).catch(() => {})
      if (this.failure) throw this.failure
      if (signal.aborted) break
      if (clock.monotonic() - diskAskedAt >= DISK_RETRY_MS) {
        diskAskedAt = clock.monotonic()
        await this.watchDisk()
      }
      this.accept([{ kind: 'clock', ts: clock.now(), pos: 0 }])
    }
    await this.flushing
  }

  private async flush(): Promise<void> {
    try {
      while (this.queue.length > 0) {
        const ticks = this.queue
        this.queue = []
        await this.append(ticks)
      }
    } catch (error) {
      this.failure ??= error
    }
    // in the same turn as the last look at the queue: what is accepted next starts a flush of its own
    this.flushing = null
  }
  private async append(ticks: readonly Tick[]): Promise<void> {
    const { marketlog, group, epoch, log } = this.options
    try {
      await marketlog.append(group, epoch, this.stamp(ticks))
    } catch (error) {
      if (error instanceof LostEventsError) {
        log.warn({ group, mseq: error.mseq }, 'market log: events were lost, going on above them')
        this.stamper.mseq = error.mseq
        this.queue = [gap(this.options.clock.now(), 'log_lost'), ...ticks, ...this.queue]
        return
      }
      await this.resync()
      if (!(error instanceof DiskFullError)) throw error
      log.warn({ group, mseq: this.stamper.mseq }, 'market log: stopped, the disk is full')
      this.stopped = true
      this.queue = []
    }
  }
  private stamp(ticks: readonly Tick[]): MarketEvent[] {
    const now = this.options.clock.now()
    const events: MarketEvent[] = []
    if (this.stamper.mts > 0 && now - this.stamper.mts > JUMP_MS && !ticks.some((t) => t.kind === 'gap')) {
      events.push(this.stamper.event(gap(now, 'clock_jump'), now))
    }
    for (const tick of ticks) {
      const event = this.stamper.event(tick, now)
      events.push(event)
      if (event.kind === 'symbol_state') this.heardState(event)
      else if ('symbol' in event && isQuote(event)) events.push(...this.sayAgain(event))
    }
    return events
  }
  private heardState(event: Extract<MarketEvent, { kind: 'symbol_state' }>): void {
    if (event.state === 'open' || event.state === 'unknown') this.saidOn.set(event.symbol, dayOf(event.mts))
    else this.saidOn.delete(event.symbol)
  }
  /** A proof begins at the newest state of its symbols: said again behind each day's first quote, it never lies far back. */
  private sayAgain({ symbol, venue, mts }: { symbol: string; venue: string; mts: number }): MarketEvent[] {
    const said = this.saidOn.get(symbol)
    if (said === undefined || said === dayOf(mts)) return []
    this.saidOn.set(symbol, dayOf(mts))
    return statesOf([symbol], venue, mts, 'open', 'a new day').map((state) => this.stamper.event(state, mts))
  }

  /** With space again it continues; what was live is unknown until its next tick. */
  private async watchDisk(): Promise<void> {
    const { marketlog, clock } = this.options
    // the engine watches the disk too: it may have got the space back first
    const state = marketlog.disk() === 'ok' ? 'ok' : await marketlog.recoverDisk()
    if (!this.stopped || state === 'full') return
    this.stopped = false
    this.accept([gap(clock.now(), 'disk_full')])
  }
}

const dayOf = (mts: number): number => Math.floor(mts / DAY_MS)
const gap = (ts: number, reason: string): Tick => ({ kind: 'gap', ts, pos: 0, symbols: null, reason })
