import { isExposed } from '@assay/core/domain/engine/state'
import { nextDeadline, settle } from '@assay/core/domain/engine/step'
import { encodeDeciding, encodeState } from '@assay/core/domain/engine/stored-state'
import type { JournalRecord } from '@assay/core/domain/engine/types'
import type { MarketView } from '@assay/core/domain/engine/view'
import { canonical } from '@assay/core/domain/journal/canonical'
import type { Hosted } from './hosted.ts'
import type { AccountCommit, AccountSave } from './types.ts'

/** What is decided and not yet durable, account by account. */
export class Outgoing {
  private readonly dirty = new Set<Hosted>()
  /** first mseq of what events caused and is not durable yet */
  private readonly undurable = new Map<Hosted, number>()
  private flights = 0

  /** `mseq`: of the event that caused the records; null for a command, which nobody in lockstep waits for */
  add(h: Hosted, records: readonly JournalRecord[], mseq: number | null): void {
    h.records.push(...records)
    this.dirty.add(h)
    if (mseq !== null && !this.undurable.has(h)) this.undurable.set(h, mseq)
  }
  /** The flight has landed: what events caused meanwhile comes next. */
  landed(h: Hosted): void {
    if (h.records.length === 0) {
      this.undurable.delete(h)
      return
    }
    this.dirty.add(h)
    this.undurable.set(h, h.records[0]!.mseq)
  }
  forget(h: Hosted): void {
    this.dirty.delete(h)
    this.undurable.delete(h)
  }
  /** The last mseq up to which all that events caused is durable; `mseq`: the last one applied. */
  durableTo(mseq: number): number {
    let durable = mseq
    for (const first of this.undurable.values()) durable = Math.min(durable, first - 1)
    return durable
  }

  /** Commits of all accounts that have none under way: an account has one at a time. */
  take(): AccountCommit[] {
    const commits: AccountCommit[] = []
    for (const h of this.dirty) {
      if (h.flight) continue
      this.dirty.delete(h)
      commits.push(depart(h, ++this.flights))
    }
    return commits
  }
}

function depart(h: Hosted, n: number): AccountCommit {
  const flight: AccountCommit = {
    account: h.account,
    flight: n,
    slot: h.slot,
    before: h.end,
    phase: h.phase,
    currency: h.compiled.spec.currency,
    hedging: h.compiled.spec.position_mode === 'hedging',
    status: h.state.status,
    exposed: isExposed(h.state),
    deadline: nextDeadline(h.state),
    state: { mseq: h.state.mseq, mts: h.state.mts, cseq: h.state.cseq, text: canonical(encodeDeciding(h.state)) },
    records: h.records,
    command: h.command?.answered ?? null,
    born: h.born,
  }
  h.flight = flight
  h.asked = h.command
  h.command = null
  h.records = []
  h.phase = h.state.phase
  return flight
}

/** The account's state settled to the view, without a record. */
export function saveOf(h: Hosted, view: MarketView): AccountSave {
  h.state = settle(h.state, view)
  h.savedMseq = view.mseq
  return {
    account: h.account,
    slot: h.slot,
    aseq: h.end.aseq,
    deadline: nextDeadline(h.state),
    state: encodeState(h.state),
  }
}
