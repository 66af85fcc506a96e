/** What an owner has decided on its way to the store: sent, confirmed, or read again where nobody knows. */
import type { Input, StepResult } from '@assay/core/domain/engine/step'
import type { Wanted } from './host.ts'
import type { Hosted } from './hosted.ts'
import { Outgoing } from './outgoing.ts'
import type { OwnerParts } from './owner-parts.ts'
import type { CommitResult } from './types.ts'

export class Durability {
  private readonly outgoing = new Outgoing()
  private reported = -1

  constructor(private readonly parts: OwnerParts) {}

  decided(h: Hosted, result: StepResult, input: Input): void {
    this.parts.heard?.(h.account, result, input)
    if (result.records.length > 0)
      this.outgoing.add(h, result.records, input.kind === 'command' ? null : result.records[0]!.mseq)
  }
  forget(h: Hosted): void {
    this.outgoing.forget(h)
  }
  /** Sends what was decided. */
  flush(): void {
    const commits = this.outgoing.take()
    if (commits.length > 0) this.parts.host.commit(commits)
  }

  committed(results: readonly CommitResult[]): void {
    const { accounts, residents, host } = this.parts
    const wanted: Wanted[] = []
    for (const result of results) {
      const h = accounts.get(result.account)
      if (h?.flight?.flight !== result.flight) continue
      if (result.outcome === 'committed') this.becameDurable(h, result)
      else if (result.outcome === 'lost') {
        residents.drop(h)
        residents.refuseAll(h, 'moving')
      } else if (result.outcome === 'broken') {
        residents.stop(h, new Error('the store refused its records'))
      } else wanted.push(this.reload(h))
    }
    if (wanted.length > 0) host.fetch(wanted)
    this.flush()
    this.reportApplied()
  }
  private becameDurable(h: Hosted, result: CommitResult): void {
    const { commands, residents } = this.parts
    const flight = h.flight!
    h.end = result.end!
    h.born = null
    h.flight = null
    h.savedMseq = flight.state.mseq
    if (h.asked) {
      const { waiting, answered } = h.asked
      h.asked = null
      if (answered.clientOrderId !== null) h.clientIds?.set(answered.clientOrderId, answered.bodyHash)
      waiting.resolve({ kind: 'durable' })
    }
    this.outgoing.landed(h)
    commands.pump(h)
    residents.wake(h)
  }
  /** Not known to be durable, or not where it stood: forgotten, read again, its command decided again if it is not there. */
  private reload(h: Hosted): Wanted {
    const { awaited, residents } = this.parts
    const asked = h.asked
    residents.drop(h)
    const redo = asked && {
      waiting: asked.waiting,
      mseq: h.flight!.records.find((r) => r.kind === 'command')!.mseq,
      cseq: asked.answered.cseq,
    }
    awaited.set(h.account, { queue: h.queue, redo, settled: h.settled })
    return { account: h.account, redo: asked && redo && { commandId: asked.answered.commandId, mseq: redo.mseq } }
  }

  reportApplied(): void {
    const { live, walking, awaited, host } = this.parts
    if (!live || walking.size > 0 || awaited.size > 0) return
    const { view, undecidedFrom } = live
    const applied = this.outgoing.durableTo(Math.min(view.mseq, undecidedFrom - 1))
    if (applied <= this.reported) return
    this.reported = applied
    host.applied(applied)
  }
  /** Says again how far everything is applied: now, or once nothing is on its way in. */
  reportAgain(): void {
    this.reported = -1
    this.reportApplied()
  }
}
