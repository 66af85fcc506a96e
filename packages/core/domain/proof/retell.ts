/** Runs the engine over a market log and a command list: the same order of work for builder, verifier and explain. */
import type { Compiled } from '../engine/compile.ts'
import { type AccountState, isExposed, newAccount } from '../engine/state.ts'
import { type Input, nextDeadline, type StepResult, settle, step } from '../engine/step.ts'
import type { JournalRecord } from '../engine/types.ts'
import { MarketView } from '../engine/view.ts'
import type { MarketEvent } from '../market/event.ts'

/** What a chain tells the engine: commands, and the ends of segments that it was told of. */
export type Told = Extract<JournalRecord, { kind: 'command' | 'sealed' }>
/** What the engine was told, in the chain's order: several `sealed` of one segment are one input. */
export const toldIn = (records: readonly JournalRecord[]): Told[] =>
  records.filter((r, i): r is Told => {
    const before = records[i - 1]
    return (
      r.kind === 'command' || (r.kind === 'sealed' && !(before?.kind === 'sealed' && before.log_head === r.log_head))
    )
  })

export interface Segments {
  /** head of the last segment that ended before the event mseq; null: none */
  before(mseq: number): string | null
  /** the segment that holds mseq, when it has ended */
  holding(mseq: number): { head: string; last: number } | null
}
export interface Decided extends StepResult {
  cause: 'command' | 'sealed' | 'deadline' | 'event'
  input: Input
  /** exposure before the input */
  exposed: boolean
}

export class Retelling {
  readonly view = new MarketView()
  state: AccountState
  private next = 0

  constructor(
    private readonly compiled: Compiled,
    account: string,
    private readonly docs: Record<string, string>,
    private readonly told: readonly Told[],
    private readonly segments: Segments,
  ) {
    this.state = newAccount(account)
  }

  /** Position, working order, or depth taken that still stands: the market decides something here. */
  get exposed(): boolean {
    return (
      isExposed(this.state) || (this.state.book.taken.length > 0 && settle(this.state, this.view).book.taken.length > 0)
    )
  }
  /** What the chain says came next, told at the view's mseq or before; null: a market event comes first. */
  get due(): Told | null {
    const told = this.told[this.next]
    return told && told.mseq <= this.view.mseq ? told : null
  }

  /** Takes what is due. */
  hear(): Decided {
    const told = this.told[this.next++]!
    if (told.kind === 'command') {
      return this.decide('command', {
        kind: 'command',
        command: told.command,
        cseq: told.cseq,
        ...(told.command.op === 'create' ? { docs: this.docs } : {}),
      })
    }
    const first = this.state.unsealed[0]
    const segment = first && this.segments.holding(first.mseq)
    // a head that cannot be named yet is one that the chain could not have been told of
    return this.decide(
      'sealed',
      segment && segment.last <= this.view.mseq
        ? { kind: 'segment', ...segment }
        : { kind: 'segment', head: '', last: 0 },
    )
  }

  /** Deadlines up to the event's time, with the market as it stood before it. */
  pass(event: MarketEvent): Decided | null {
    const due = nextDeadline(this.state)
    if (due === null || due > event.mts) return null
    this.view.logHead = this.segments.before(event.mseq)
    return this.decide('deadline', { kind: 'deadline', mts: event.mts })
  }

  /** The event itself; null when it cannot move this account. */
  apply(event: MarketEvent): Decided | null {
    const exposed = this.exposed
    this.view.apply(event)
    this.view.logHead = this.segments.before(event.mseq)
    return exposed ? this.decide('event', { kind: 'event', event }, exposed) : null
  }

  private decide(cause: Decided['cause'], input: Input, exposed = this.exposed): Decided {
    const result = step(this.state, input, this.view, this.compiled)
    this.state = result.state
    return { ...result, cause, input, exposed }
  }
}
