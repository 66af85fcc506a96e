/**
 * Decides for the accounts of its slots, in order of the market log. Holds no thread, clock or database: `up` runs it
 * in a worker, a backtest on the main thread. `step` is pure; an account with a commit under way takes no further
 * command and serves no read, and what events cause for it meanwhile joins its next commit; others go on. Nothing
 * leaves before it is durable. Parts: `owner-accounts.ts` in and out, `owner-commands.ts`, `owner-durability.ts`.
 */
import { type LiveView, liveView } from '@assay/core/domain/engine/live'
import { type Preview, previewOrder } from '@assay/core/domain/engine/orders/preview'
import type { OrderBody } from '@assay/core/domain/engine/types'
import type { Book } from './book.ts'
import { type Host, LIVE, type Opening } from './host.ts'
import { type Gone, type Hosted, isBusy } from './hosted.ts'
import { Accounts } from './owner-accounts.ts'
import { Commands } from './owner-commands.ts'
import { Durability } from './owner-durability.ts'
import type { Heard, OwnerParts } from './owner-parts.ts'
import { refuseMoving } from './replies.ts'
import { slotOf } from './slots.ts'
import type { AccountSave, Batch, CommitResult, OwnerReply, Submission } from './types.ts'

export type { Heard }

/** Shares of the exposed accounts that are saved one a second. */
const SAVE_SHARES = 60
/** Deadline steps that were put off and are taken at one go: about a millisecond. */
const SLICE = 128

export interface Fed {
  /** the book's place */
  mseq: number
  /** the book has reached the live one and is part of it */
  merged: boolean
}
export interface Previewed {
  preview: Preview
  /** the place it was computed at */
  mseq: number
}
/** What is seen of an account, or why nothing is: null, there is no such account. */
export type Seen<T> = T | Exclude<Gone, 'absent'> | null

export class Owner {
  private readonly parts: OwnerParts
  private readonly watched = new Set<string>()
  private goingOn = false

  constructor(
    host: Host,
    heard: Heard | null = null,
    /** runs what is put off after the messages that wait */
    private readonly later: (run: () => void) => void = setImmediate,
  ) {
    const parts = {
      host,
      heard,
      live: null,
      walking: new Map(),
      accounts: new Map(),
      awaited: new Map(),
      broken: new Set<string>(),
      leaving: new Set<number>(),
      diskFull: false,
      draining: false,
    }
    this.parts = Object.assign(parts as unknown as OwnerParts, {
      residents: new Accounts(parts as unknown as OwnerParts),
      commands: new Commands(parts as unknown as OwnerParts),
      durability: new Durability(parts as unknown as OwnerParts),
    })
  }

  // ---- accounts in and out -------------------------------------------------------------------------------------
  /** Takes accounts in. The first opening of the live book comes before everything else. */
  open(opening: Opening): Fed {
    this.parts.residents.open(opening)
    return this.progress(opening.book)
  }
  absent(accounts: readonly string[]): void {
    this.parts.residents.absent(accounts)
  }
  unavailable(accounts: readonly string[], moving: boolean): void {
    this.parts.residents.unavailable(accounts, moving)
  }
  /** The slots have another owner: their accounts are its own now. */
  release(slots: readonly number[]): void {
    this.parts.residents.release(slots)
  }
  /** Settles the slots' accounts and drops them, for a planned move; resolves with those that are to be saved. */
  yield(slots: readonly number[], waitMs: number): Promise<AccountSave[]> {
    return this.parts.residents.yield(slots, waitMs)
  }
  /** Says again how far everything is applied: slots have come in. */
  reportAgain(): void {
    this.parts.durability.reportAgain()
  }

  // ---- the market ----------------------------------------------------------------------------------------------
  feed(id: number, batch: Batch): Fed {
    const live = this.parts.live!
    const book = id === LIVE ? live : this.parts.walking.get(id)
    // a book that has merged: messages that were under way then
    book?.feed(batch, id === LIVE ? undefined : live.view.mseq)
    const fed = this.progress(id)
    this.workOff()
    return fed
  }
  /** Takes deadline steps that were put off, slice by slice between messages. */
  private workOff(): void {
    let left = false
    for (const book of [this.parts.live!, ...this.parts.walking.values()]) if (!book.workOff(SLICE)) left = true
    this.flushApplied()
    if (!left || this.goingOn) return
    this.goingOn = true
    this.later(() => {
      this.goingOn = false
      this.workOff()
    })
  }
  private flushApplied(): void {
    this.parts.durability.flush()
    this.parts.durability.reportApplied()
  }
  /** A book that has caught up becomes part of the live one. */
  private progress(id: number): Fed {
    const { walking, residents } = this.parts
    const live = this.parts.live!
    const book = walking.get(id)
    if (!book) return { mseq: live.view.mseq, merged: true }
    if (book.view.mseq < live.view.mseq) return { mseq: book.view.mseq, merged: false }
    walking.delete(id)
    residents.merge(book)
    this.flushApplied()
    return { mseq: live.view.mseq, merged: true }
  }

  // ---- commands and durability ---------------------------------------------------------------------------------
  submit(submission: Submission): Promise<OwnerReply> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        try {
          this.parts.commands.enqueue({ submission, resolve })
          this.parts.durability.flush()
        } catch (error) {
          reject(error)
        }
      }
      const { live } = this.parts
      if (live && submission.after !== undefined) live.at(submission.after, enter)
      else enter()
    })
  }
  committed(results: readonly CommitResult[]): void {
    this.parts.durability.committed(results)
  }

  // ---- reads ---------------------------------------------------------------------------------------------------
  /** Settled to the owner's place in the log, durable. */
  read(account: string): Promise<Seen<LiveView>> {
    return this.look(account, ({ state, compiled }) => liveView(state, compiled, this.parts.live!.view))
  }
  /** What an order would do to the account as it stands settled: nothing of it is decided or written. */
  preview(account: string, order: OrderBody): Promise<Seen<Previewed>> {
    return this.look(account, ({ state, compiled }) => {
      const { view } = this.parts.live!
      return { preview: previewOrder(state, order, view, compiled), mseq: view.mseq }
    })
  }
  private async look<T>(account: string, seen: (h: Hosted) => T): Promise<Seen<T>> {
    const { accounts, broken, residents, durability, leaving } = this.parts
    for (;;) {
      if (leaving.has(slotOf(account))) return 'moving'
      if (residents.isSettled(account)) return seen(accounts.get(account)!)
      durability.flush()
      const h = accounts.get(account)
      if (!h && (broken.has(account) || !this.parts.live)) return 'unavailable'
      const settled = h?.settled ?? residents.await(account).settled
      const gone = await new Promise<Gone | null>((resolve) => settled.push(resolve))
      if (gone) return gone === 'absent' ? null : gone
    }
  }
  watch(account: string, on: boolean): void {
    if (on) this.watched.add(account)
    else this.watched.delete(account)
  }
  /** What listeners see move between records. */
  marks(): LiveView[] {
    const { residents, durability, accounts } = this.parts
    const settled = [...this.watched].filter((account) => residents.isSettled(account))
    durability.flush()
    return settled.map((account) => {
      const h = accounts.get(account)!
      return liveView(h.state, h.compiled, this.parts.live!.view)
    })
  }

  // ---- the process ---------------------------------------------------------------------------------------------
  setDiskFull(full: boolean): void {
    this.parts.diskFull = full
  }
  /** Takes no more commands; resolves when all that were taken are answered, with every exposed account on its way to the store. */
  async drain(): Promise<void> {
    const { accounts, awaited, residents, durability } = this.parts
    this.parts.draining = true
    residents.unavailable([...awaited.keys()], true)
    for (const h of accounts.values())
      if (h.book !== this.parts.live) for (const waiting of h.queue.splice(0)) refuseMoving(waiting)
    this.parts.live?.workOff()
    durability.flush()
    for (;;) {
      const busy = [...accounts.values()].find((h) => isBusy(h) || h.queue.length > 0)
      if (!busy) break
      await new Promise<void>((resolve) => busy.settled.push(() => resolve()))
    }
    this.save(() => true)
  }
  /** Saves one share of the exposed accounts: no record, nothing that shows. */
  sweep(second: number): void {
    this.save((h) => h.owner % SAVE_SHARES === second % SAVE_SHARES)
  }
  private save(chosen: (h: Hosted) => boolean): void {
    const saves = this.parts.residents.savesOf(chosen)
    this.parts.durability.flush()
    if (saves.length > 0) this.parts.host.save(saves)
  }
  get counters(): { events: number; touches: number; evaluations: number; accounts: number; mseq: number } {
    const { live, accounts } = this.parts
    const { events, touches } = live?.counters ?? { events: 0, touches: 0 }
    return {
      events,
      touches,
      evaluations: live?.index.evaluations ?? 0,
      accounts: accounts.size,
      mseq: live?.view.mseq ?? 0,
    }
  }
  /** The live book, for tests and benches of what the index leaves out. */
  get book(): Book | null {
    return this.parts.live
  }
}
