/**
 * A market view and the accounts that follow it. Events touch only the accounts that the index finds; an account that
 * is loaded joins at its own place in the log, so recovery, take-over and reload are the same walk.
 */
import { isExposed } from '@assay/core/domain/engine/state'
import { type Input, nextDeadline, type StepResult, step } from '@assay/core/domain/engine/step'
import { MarketView } from '@assay/core/domain/engine/view'
import type { MarketEvent } from '@assay/core/domain/market/event'
import type { Hosted } from './hosted.ts'
import { Heaps } from './index/heaps.ts'
import { RuleIndex } from './index/rule-index.ts'
import type { Batch, EndedSegment, LogStart } from './types.ts'

export interface BookCounters {
  events: number
  /** accounts looked at because of an event or a deadline */
  touches: number
}
export class Book {
  readonly view = new MarketView()
  readonly index = new RuleIndex()
  readonly hosted = new Map<string, Hosted>()
  readonly counters: BookCounters = { events: 0, touches: 0 }
  private readonly deadlines = new Heaps()
  private readonly deadlineHeap = this.deadlines.create()
  private deadlineNodes: (number | undefined)[] = []
  private owners: (Hosted | undefined)[] = []
  private freeOwners: number[] = []
  private endedHead: string | null
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
  ) {
    this.view.carry(start.carry)
    this.view.mseq = start.from - 1
    this.view.logHead = start.head
    this.endedHead = start.head
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
    hosted.owner = this.freeOwners.pop() ?? this.owners.length
    this.owners[hosted.owner] = hosted
    this.hosted.set(hosted.account, hosted)
    this.place(hosted)
  }
  drop(hosted: Hosted): void {
    if (this.hosted.get(hosted.account) !== hosted) return
    this.index.disarm(hosted.owner)
    this.setDeadline(hosted.owner, null)
    this.unsealed.delete(hosted)
    this.hosted.delete(hosted.account)
    this.owners[hosted.owner] = undefined
    this.freeOwners.push(hosted.owner)
  }

  /** Decides one input for one account, at the view's place. */
  take(hosted: Hosted, input: Input): StepResult {
    const result = step(hosted.state, input, this.view, hosted.compiled)
    hosted.state = result.state
    this.place(hosted)
    this.decided(hosted, result, input)
    return result
  }
  private pass(hosted: Hosted, input: Input): void {
    try {
      this.take(hosted, input)
    } catch (error) {
      this.failed(hosted, error)
    }
  }
  private place(h: Hosted): void {
    this.index.arm(h.owner, h.state, h.compiled, this.view)
    this.setDeadline(h.owner, nextDeadline(h.state))
    if (h.state.unsealed.length > 0) this.unsealed.add(h)
    else this.unsealed.delete(h)
  }
  private setDeadline(owner: number, due: number | null): void {
    const node = this.deadlineNodes[owner]
    if (node !== undefined) this.deadlines.release(node)
    this.deadlineNodes[owner] = due === null ? undefined : this.deadlines.add(this.deadlineHeap, due, owner)
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
    this.endedHead = segment.head
  }

  private apply(event: MarketEvent): void {
    this.counters.events++
    // a command at the last event of a segment cites the one before, whenever the end became known
    this.view.logHead = this.endedHead
    const was = this.view.mseq
    this.passDeadlines(event.mts)
    const symbol = 'symbol' in event ? event.symbol : null
    const before = symbol === null ? undefined : this.view.symbol(symbol)?.status
    this.view.apply(event)
    const changed = symbol !== null && this.view.symbol(symbol)!.status !== before
    const touched = this.index.touched(event, changed)
    if (touched.length === 1) this.touch(this.owners[touched[0]!]!, event)
    else if (touched.length > 1)
      for (const h of inOrder(touched.map((owner) => this.owners[owner]!))) this.touch(h, event)
    if (this.scheduled.size > 0) this.runScheduled(event.mseq, event.mseq - was > 1)
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
  private touch(h: Hosted, event: MarketEvent): void {
    this.counters.touches++
    this.pass(h, { kind: 'event', event })
  }
  private passDeadlines(mts: number): void {
    if (this.deadlines.least(this.deadlineHeap) > mts) return
    const due: Hosted[] = []
    while (this.deadlines.least(this.deadlineHeap) <= mts) {
      due.push(this.owners[this.deadlines.ownerOfLeast(this.deadlineHeap)]!)
      this.deadlines.popLeast(this.deadlineHeap)
    }
    for (const h of inOrder(due)) {
      this.counters.touches++
      this.pass(h, { kind: 'deadline', mts })
    }
  }

  /** Accounts whose state moves with the market and should be saved. */
  exposed(): Hosted[] {
    return [...this.hosted.values()].filter((h) => isExposed(h.state))
  }
}

/** Several accounts at one event are decided by account id, ascending. */
const inOrder = (list: Hosted[]): Hosted[] => list.sort((a, b) => (a.account < b.account ? -1 : 1))
