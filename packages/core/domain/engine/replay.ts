import type { MarketEvent } from '../market/event.ts'
import type { Compiled } from './compile.ts'
import { type AccountState, newAccount } from './state.ts'
import { type Input, nextDeadline, type StepResult, step } from './step.ts'
import type { Command } from './types.ts'
import { MarketView } from './view.ts'

/**
 * The plain way to run accounts over a market log: every account looks at every event. What an index may leave out,
 * this does not; both write the same records. The verifier runs one account with it.
 */
export class Replay {
  private ended: { head: string; last: number } | null = null
  readonly accounts = new Map<string, { state: AccountState; compiled: Compiled }>()
  constructor(
    readonly view: MarketView = new MarketView(),
    /** hears of every step that was taken, in order */
    private readonly heard: (account: string, result: StepResult) => void = () => {},
  ) {}

  add(account: string, compiled: Compiled, state: AccountState = newAccount(account)): void {
    this.accounts.set(account, { state, compiled })
  }

  /** Deadlines up to the event with the marks before it, then the event, account by account in order of id. */
  event(event: MarketEvent): void {
    for (const account of this.ids()) {
      const due = nextDeadline(this.accounts.get(account)!.state)
      if (due !== null && due <= event.mts) this.take(account, { kind: 'deadline', mts: event.mts })
    }
    this.view.apply(event)
    for (const account of this.ids()) this.take(account, { kind: 'event', event })
    this.sealEnded()
  }
  /** A deadline decided behind the end of its segment, which was told before: no other end tells of that verdict. */
  private sealEnded(): void {
    if (!this.ended) return
    const { head, last } = this.ended
    for (const account of this.ids())
      if (this.accounts.get(account)!.state.unsealed.some((u) => u.mseq <= last))
        this.take(account, { kind: 'segment', head, last })
  }

  /** A command after everything up to the view's mseq. */
  command(account: string, command: Command, cseq: number, docs?: Record<string, string>): StepResult {
    return this.take(account, { kind: 'command', command, cseq, ...(docs ? { docs } : {}) })
  }

  /** A segment ended before the next event: verdicts in it are sealed, later records cite its head. */
  segment(head: string, last: number): void {
    for (const account of this.ids()) this.take(account, { kind: 'segment', head, last })
    this.view.logHead = head
    this.ended = { head, last }
  }

  private ids(): string[] {
    return [...this.accounts.keys()].sort()
  }
  private take(account: string, input: Input): StepResult {
    const entry = this.accounts.get(account)!
    const result = step(entry.state, input, this.view, entry.compiled)
    entry.state = result.state
    this.heard(account, result)
    return result
  }
}
