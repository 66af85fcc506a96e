/** Commands of an owner's accounts: queued, stamped one at a time where the account stands, decided. */
import type { StepResult } from '@assay/core/domain/engine/step'
import type { Command } from '@assay/core/domain/engine/types'
import type { Book } from './book.ts'
import { type Hosted, isBusy, type Waiting } from './hosted.ts'
import type { OwnerParts, Redo } from './owner-parts.ts'
import { Repeats } from './repeats.ts'
import { bodyHashOf, clientIdOf, placesOrder, refuse, refuseMoving } from './replies.ts'
import { increasesRisk } from './risk.ts'
import { slotOf } from './slots.ts'
import { QUEUE_LIMIT } from './types.ts'

export class Commands {
  private readonly repeats: Repeats

  constructor(private readonly parts: OwnerParts) {
    this.repeats = new Repeats(parts.host)
  }

  enqueue(waiting: Waiting): void {
    const { draining, leaving } = this.parts
    const { account, command } = waiting.submission
    const unserved = this.unserved(account, command)
    if (draining || leaving.has(slotOf(account))) refuseMoving(waiting)
    else if (unserved) refuse(waiting, 'unavailable', unserved, 1)
    else this.join(waiting)
  }
  private join(waiting: Waiting): void {
    const { accounts, awaited, residents } = this.parts
    const { account, command } = waiting.submission
    const h =
      accounts.get(account) ??
      (command.op === 'create' && !awaited.has(account) ? residents.born(waiting.submission) : null)
    const queue = h?.queue ?? residents.await(account).queue
    if (queue.length >= QUEUE_LIMIT) {
      refuse(waiting, 'queue_full', `${QUEUE_LIMIT} commands wait for this account.`, 1)
      return
    }
    queue.push(waiting)
    if (h) this.pump(h)
  }
  private unserved(account: string, command: Command): string | null {
    const { broken, live } = this.parts
    if (broken.has(account) || !live) return 'The account cannot be served now.'
    return live.view.mseq === 0 && command.op !== 'create' ? 'There is no market data yet.' : null
  }

  /** Takes commands off the queue until one was decided: the account then waits for the store. */
  pump(h: Hosted): void {
    while (h.queue.length > 0 && h.book !== null && h.book === this.parts.live && !isBusy(h) && !h.readingIds) {
      const { command } = h.queue[0]!.submission
      if (placesOrder(command) && h.clientIds === null) {
        this.repeats.read(h, () => {
          this.pump(h)
          this.parts.durability.flush()
        })
        return
      }
      const waiting = h.queue.shift()!
      if (!this.repeats.take(h, waiting) && !this.isRefusedByDisk(h, waiting)) this.decide(h, waiting, h.state.cseq + 1)
    }
  }
  private isRefusedByDisk(h: Hosted, waiting: Waiting): boolean {
    if (!this.parts.diskFull || !increasesRisk(h.state, waiting.submission.command)) return false
    refuse(waiting, 'disk_full', 'The disk is full: only orders that reduce exposure are taken.', 5)
    return true
  }
  private decide(h: Hosted, waiting: Waiting, cseq: number): void {
    const { submission } = waiting
    const { command, docs } = submission
    let result: StepResult
    try {
      result = h.book!.take(h, { kind: 'command', command, cseq, ...(docs ? { docs } : {}) })
    } catch (error) {
      this.parts.host.failed(h.account, error instanceof Error ? (error.stack ?? error.message) : String(error))
      refuse(waiting, 'unavailable', 'The command cannot be decided now.')
      return
    }
    const record = result.records.find((r) => r.kind === 'command')!
    const answer = result.answer!
    const usesId = placesOrder(command) && (answer.ok || answer.retryable !== true)
    h.command = {
      waiting,
      answered: {
        commandId: submission.commandId,
        requestId: submission.requestId,
        clientOrderId: usesId ? clientIdOf(submission) : null,
        bodyHash: bodyHashOf(submission),
        aseq: record.aseq,
        cseq,
        answer,
      },
    }
  }
  /** A command whose commit is not there is decided again at its own stamp. */
  decideAgain(book: Book, h: Hosted, redo: Redo): void {
    book.at(redo.mseq, () => {
      if (h.book !== book) return
      if (book.view.mseq === redo.mseq && h.state.cseq + 1 === redo.cseq && !isBusy(h))
        this.decide(h, redo.waiting, redo.cseq)
      else h.queue.unshift(redo.waiting)
    })
  }
}
