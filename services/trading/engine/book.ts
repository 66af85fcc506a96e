/**
 * A market view and the accounts that follow it. Events touch only the accounts that the index finds; an account that
 * is loaded joins at its own place in the log, so recovery, take-over and reload are the same walk.
 */
import type { Compiled } from '@assay/core/domain/engine/compile'
import { nextOther } from '@assay/core/domain/engine/deadlines'
import { raiseHighs } from '@assay/core/domain/engine/facts'
import { isExposed } from '@assay/core/domain/engine/state'
import { type Input, nextDeadline, type StepResult, settle, step } from '@assay/core/domain/engine/step'
import { lowestHigh } from '@assay/core/domain/engine/triggers'
import { quotesOf } from '@assay/core/domain/engine/valuation'
import { MarketView } from '@assay/core/domain/engine/view'
import type { MarketEvent } from '@assay/core/domain/market/event'
import type { Dec } from '@assay/core/domain/money/dec'
import { deadlineAfter, isResetDue } from './deadline-after.ts'
import { Deadlines } from './deadlines.ts'
import { Deferred } from './deferred.ts'
import type { Hosted } from './hosted.ts'
import { Highs } from './index/highs.ts'
import { RuleIndex } from './index/rule-index.ts'
import type { Batch, EndedSegment, LogStart } from './types.ts'

export interface BookCounters {
  events: number
  /** accounts looked at because of an event or a deadline */
  touches: number
}
/** Events in which every account whose floor follows its equity is settled once, so that quotes need not be kept for ever. */
const ROUND = 262_144
/** With fewer accounts due at once each is stepped at once. */
const DEFER_FROM = 64

export interface BookOptions {
  /** with fewer accounts due at once each is stepped at once */
  deferFrom?: number
  /** whoever hears of the steps wants to see each floor that follows equity move: such accounts look at every event */
  everyHigh?: boolean
}

export class Book {
  readonly view = new MarketView()
  readonly index = new RuleIndex()
  readonly hosted = new Map<string, Hosted>()
  readonly counters: BookCounters = { events: 0, touches: 0 }
  private readonly deadlines = new Deadlines()
  private readonly deferred = new Deferred()
  private readonly highs = new Highs()
  /** owners whose floor follows their equity */
  private readonly trailing = new Set<number>()
  private round: { from: number; owners: number[]; next: number } | null = null
  private owners: (Hosted | undefined)[] = []
  private freeOwners: number[] = []
  private ended: { head: string | null; last: number }
  private readonly unsealed = new Set<Hosted>()
  private readonly scheduled = new Map<number, (() => void)[]>()

  /** `decided` hears of every step, in order. */
  constructor(
    start: LogStart,
    private readonly decided: (h: Hosted, result: StepResult, input: Input) => void,
    /** an account whose step threw at an event: it stops, the others go on */
    private readonly failed: (h: Hosted, error: unknown) => void = (_, error) => {
      throw error
    },
    private readonly options: BookOptions = {},
  ) {
    this.view.carry(start.carry)
    this.view.mseq = start.from - 1
    this.view.logHead = start.head
    this.ended = { head: start.head, last: start.from - 1 }
  }

  /** Equities computed: one at each touch, those of choosing boxes and of settling highs. */
  get evaluations(): number {
    return this.counters.touches + this.index.evaluations + this.highs.evaluations
  }

  /** Runs once everything up to `mseq` is applied: now, or right after that event. */
  at(mseq: number, run: () => void): void {
    if (mseq <= this.view.mseq) {
      run()
      return
    }
    const there = this.scheduled.get(mseq)
    if (there) there.push(run)
    else this.scheduled.set(mseq, [run])
  }

  /** Hosts an account whose state is settled to this view. */
  host(hosted: Hosted): void {
    hosted.highsAt = this.view.mseq
    hosted.owner = this.freeOwners.pop() ?? this.owners.length
    this.owners[hosted.owner] = hosted
    this.hosted.set(hosted.account, hosted)
    this.place(hosted)
  }
  drop(hosted: Hosted): void {
    if (this.hosted.get(hosted.account) !== hosted) return
    this.index.disarm(hosted.owner)
    this.deadlines.set(hosted.owner, null)
    this.deferred.remove(hosted.owner)
    this.unsealed.delete(hosted)
    this.follow(hosted.owner, false)
    this.hosted.delete(hosted.account)
    this.owners[hosted.owner] = undefined
    this.freeOwners.push(hosted.owner)
  }

  /** Decides one input for one account, at the view's place. */
  take(hosted: Hosted, input: Input): StepResult {
    this.takeDeferred(hosted)
    // the event itself is the step's to mark
    this.settleHighs(hosted, this.view, input.kind === 'event' ? this.view.mseq - 1 : this.view.mseq)
    const result = step(hosted.state, input, this.view, hosted.compiled)
    hosted.state = result.state
    hosted.highsAt = this.view.mseq
    this.place(hosted, result.equity)
    this.decided(hosted, result, input)
    if (input.kind === 'command') this.sealAtOnce(hosted)
    return result
  }
  /** A command behind the last event of a segment that has ended (a log that was sealed at its end): no other end will tell of its verdict. */
  private sealAtOnce(hosted: Hosted): void {
    const { head, last } = this.ended
    if (head !== null && hosted.state.unsealed.some(({ mseq }) => mseq <= last))
      this.take(hosted, { kind: 'segment', head, last })
  }
  private pass(hosted: Hosted, input: Input): void {
    try {
      this.take(hosted, input)
    } catch (error) {
      this.failed(hosted, error)
    }
  }

  // ---- highs of untouched accounts -----------------------------------------------------------------------------
  private follow(owner: number, trails: boolean): void {
    if (trails) this.trailing.add(owner)
    else if (this.trailing.delete(owner) && this.trailing.size === 0) this.highs.clear()
  }
  /** Raises the highs of an account to what its equity was up to `to`, as a look at every event would have. `inBox`: no price had left it by then. */
  private settleHighs(h: Hosted, view: MarketView, to: number, inBox = true): void {
    const from = h.highsAt
    if (to <= from) return
    h.highsAt = to
    if (!this.trailing.has(h.owner)) return
    const high = lowestHigh(h.state, h.compiled, view)
    if (!high || (inBox && !this.index.mayHaveRisen(h.owner, high))) return
    const highest = this.highs.highest(h.state.book, h.compiled, { from, to }, quotesOf(view), high)
    if (highest !== high) h.state = raiseHighs(h.state, h.compiled, highest)
  }
  /** A few accounts at a time, everybody once a round. */
  private settleSome(): void {
    this.round ??= { from: this.view.mseq, owners: [...this.trailing], next: 0 }
    const { owners, from } = this.round
    const due = Math.min(Math.ceil((owners.length * (this.view.mseq - from)) / ROUND), owners.length)
    while (this.round.next < due) {
      const h = this.owners[owners[this.round.next++]!]
      if (!h) continue
      this.settle(h)
      this.index.keep(h.owner, h.state)
    }
    if (this.view.mseq - from < ROUND) return
    this.highs.forget(from)
    this.round = null
  }

  // ---- deadlines that were put off -----------------------------------------------------------------------------
  /** Takes the step that was put off, with the market as it stood: whoever looks at the account sees it taken. */
  private takeDeferred(h: Hosted): void {
    const deferral = this.deferred.of(h.owner)
    if (!deferral) return
    this.counters.touches++
    const input: Input = { kind: 'deadline', mts: deferral.mts }
    this.settleHighs(h, deferral.view, deferral.view.mseq)
    const result = step(h.state, input, deferral.view, h.compiled)
    this.deferred.remove(h.owner)
    h.state = result.state
    this.index.keep(h.owner, h.state)
    this.decided(h, result, input)
  }
  private settleAll(h: Hosted): void {
    this.takeDeferred(h)
    this.standAt(h, () => this.settleHighs(h, this.view, this.view.mseq))
  }
  /** A high that rose between two steps belongs to a later place than the last step: who stores the state goes on from there. */
  private standAt(h: Hosted, raise: () => void): void {
    const before = h.state
    raise()
    if (h.state !== before) h.state = settle(h.state, this.view)
  }
  /** Brings an account to the view's place before it is read or saved. */
  settle(h: Hosted): void {
    try {
      this.settleAll(h)
    } catch (error) {
      this.failed(h, error)
    }
  }
  /** Takes up to `most` of the steps that were put off; true when none is left. */
  workOff(most = Number.POSITIVE_INFINITY): boolean {
    let owner = this.deferred.first()
    for (let taken = 0; owner !== undefined && taken < most; taken++) {
      this.settle(this.owners[owner]!)
      owner = this.deferred.first()
    }
    return owner === undefined
  }
  /** Everything up to the event before this one is decided. */
  get undecidedFrom(): number {
    return this.deferred.mseq
  }

  private place(h: Hosted, equity: Dec | null = null): void {
    this.index.arm(h.owner, h.state, h.compiled, this.view, equity)
    this.deadlines.set(h.owner, nextDeadline(h.state))
    this.follow(h.owner, this.index.trails(h.owner))
    if (h.state.unsealed.length > 0) this.unsealed.add(h)
    else this.unsealed.delete(h)
  }

  /** Applies events in order, up to `limit`; says how many. */
  feed(batch: Batch, limit = Number.POSITIVE_INFINITY): number {
    let next = 0
    let applied = 0
    for (const event of batch.events) {
      if (event.mseq > limit) return applied
      applied++
      for (; next < batch.ended.length && batch.ended[next]!.last < event.mseq; next++)
        this.endSegment(batch.ended[next]!)
      if (event.mseq > this.view.mseq) this.apply(event)
    }
    for (; next < batch.ended.length; next++) this.endSegment(batch.ended[next]!)
    return applied
  }

  private endSegment(segment: EndedSegment): void {
    for (const h of inOrder([...this.unsealed]))
      this.take(h, { kind: 'segment', head: segment.head, last: segment.last })
    this.ended = segment
  }

  /** A deadline decided behind the end of its segment, which was told before: no other end tells of that verdict. */
  private sealEnded(): void {
    const { head, last } = this.ended
    if (head === null) return
    for (const h of inOrder([...this.unsealed]))
      if (h.state.unsealed.some((u) => u.mseq <= last)) this.take(h, { kind: 'segment', head, last })
  }

  private apply(event: MarketEvent): void {
    this.counters.events++
    // a command at the last event of a segment cites the one before, whenever the end became known
    this.view.logHead = this.ended.head
    const was = this.view.mseq
    this.passDeadlines(event.mts)
    const symbol = 'symbol' in event ? event.symbol : null
    const before = symbol === null ? undefined : this.view.symbol(symbol)?.status
    this.view.apply(event)
    if (this.trailing.size > 0) this.keepQuote(event)
    const changed = symbol !== null && this.view.symbol(symbol)!.status !== before
    const touched = this.index.touched(event, changed)
    if (this.options.everyHigh && this.trailing.size > 0) this.touchAll(new Set([...touched, ...this.trailing]), event)
    else if (touched.length === 1) this.touch(this.owners[touched[0]!]!, event)
    else if (touched.length > 1) this.touchAll(touched, event)
    if (this.trailing.size > 0) this.settleSome()
    if (this.unsealed.size > 0) this.sealEnded()
    if (this.scheduled.size > 0) this.runScheduled(event.mseq, event.mseq - was > 1)
  }
  private keepQuote(event: MarketEvent): void {
    if ('symbol' in event && this.view.symbol(event.symbol)!.quote?.mseq === event.mseq)
      this.highs.add(this.view.symbol(event.symbol)!)
  }
  /** After power was lost a gap event may stand above what is gone: then more than its own number is due. */
  private runScheduled(mseq: number, jumped: boolean): void {
    const due = jumped ? [...this.scheduled.keys()].filter((at) => at <= mseq).sort((a, b) => a - b) : [mseq]
    for (const at of due) {
      const runs = this.scheduled.get(at)
      this.scheduled.delete(at)
      for (const run of runs ?? []) run()
    }
  }
  private touchAll(owners: Iterable<number>, event: MarketEvent): void {
    for (const h of inOrder([...owners].map((owner) => this.owners[owner]!))) this.touch(h, event)
  }
  private touch(h: Hosted, event: MarketEvent): void {
    this.counters.touches++
    const mayStand = !this.options.everyHigh && this.index.isOnlyMoved(h.owner)
    if (!mayStand || !this.boxAnew(h)) this.pass(h, { kind: 'event', event })
  }
  /** Prices left its box and nothing else: a box around where they are now is the proof that nothing is decided. */
  private boxAnew(h: Hosted): boolean {
    try {
      this.takeDeferred(h)
      this.standAt(h, () => {
        this.settleHighs(h, this.view, this.view.mseq - 1)
        this.settleHighs(h, this.view, this.view.mseq, false)
      })
      if (!this.index.boxAnew(h.owner, h.state, h.compiled, this.view)) return false
      this.follow(h.owner, this.index.trails(h.owner))
    } catch (error) {
      this.failed(h, error)
    }
    return true
  }
  private passDeadlines(mts: number): void {
    if (this.deadlines.least() > mts) return
    const due = this.deadlines.take(mts)
    for (const owner of due) if (this.deferred.of(owner)) this.settle(this.owners[owner]!)
    const atOnce = due.length < (this.options.deferFrom ?? DEFER_FROM) ? due : this.deferQuiet(due, mts)
    for (const h of inOrder(atOnce.flatMap((owner) => this.owners[owner] ?? []))) {
      this.counters.touches++
      this.pass(h, { kind: 'deadline', mts })
    }
  }
  /** Puts off what decides nothing, boxes standing as they are; gives the others. */
  private deferQuiet(due: readonly number[], mts: number): number[] {
    const atOnce: number[] = []
    const quiet: number[] = []
    const resets = new Map<Compiled, number>()
    for (const owner of due) {
      const h = this.owners[owner]
      if (!h) continue
      const other = nextOther(h.state)
      if (other !== null && other <= mts) {
        atOnce.push(owner)
        continue
      }
      if (isResetDue(h.state, mts) && !this.index.isQuietAtReset(owner, h.state, h.compiled, this.view)) {
        atOnce.push(owner)
        continue
      }
      quiet.push(owner)
      this.deadlines.set(owner, deadlineAfter(h.state, h.compiled, mts, resets))
    }
    if (quiet.length > 0) this.deferred.add(quiet, mts, this.view.freeze())
    return atOnce
  }

  /** Accounts whose state moves with the market and should be saved. */
  exposed(): Hosted[] {
    return [...this.hosted.values()].filter((h) => isExposed(h.state))
  }
}

/** Several accounts at one event are decided by account id, ascending. */
const inOrder = (list: Hosted[]): Hosted[] => list.sort((a, b) => (a.account < b.account ? -1 : 1))
