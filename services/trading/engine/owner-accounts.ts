/** Accounts in and out of an owner: taken in at their place in the log, given to another owner, dropped. */
import { type Compiled, compileSpec } from '@assay/core/domain/engine/compile'
import { nextDeadline } from '@assay/core/domain/engine/step'
import type { AccountSpec } from '@assay/core/domain/engine/types'
import { canonical } from '@assay/core/domain/journal/canonical'
import { Book } from './book.ts'
import { LIVE, type Opening } from './host.ts'
import { type Gone, type Hosted, hostedFrom, hostedNew, isBusy } from './hosted.ts'
import { saveOf } from './outgoing.ts'
import type { Awaited, OwnerParts } from './owner-parts.ts'
import { answerFrom, refuse, refuseMoving } from './replies.ts'
import { sha256Text } from './seal.ts'
import { slotOf } from './slots.ts'
import type { AccountSave, RefusalCode, Submission } from './types.ts'

export class Accounts {
  private readonly compiled = new Map<string, Compiled>()

  constructor(private readonly parts: OwnerParts) {}

  /** Takes accounts in. The first opening of the live book comes before everything else. */
  open(opening: Opening): void {
    const { parts } = this
    const book = this.bookOf(opening)
    for (const { loaded, at } of opening.joining) {
      if (parts.accounts.has(loaded.account) || parts.leaving.has(loaded.slot)) continue
      const awaited = parts.awaited.get(loaded.account)
      const stored = opening.answers[loaded.account]
      if (awaited?.redo && stored) {
        answerFrom(awaited.redo.waiting, stored, false)
        awaited.redo = null
      }
      const h = hostedFrom(loaded, this.compile(loaded.specHash, opening.specs[loaded.specHash]!))
      const due = nextDeadline(h.state)
      if (at === null && due !== null && due <= parts.live!.view.mts) {
        // the deadline passed while the account was read: it has to walk there
        parts.host.fetch([{ account: h.account, redo: null }])
        continue
      }
      parts.awaited.delete(h.account)
      this.enter(at === null ? parts.live! : book!, h, { at, awaited })
    }
  }
  private bookOf({ book: id, start }: Opening): Book | null {
    const { parts } = this
    if (!start) return id === LIVE ? parts.live : null
    const book = new Book(
      start,
      (h, result, input) => parts.durability.decided(h, result, input),
      (h, error) => this.stop(h, error),
      { everyHigh: parts.heard !== null },
    )
    if (id === LIVE) parts.live = book
    else parts.walking.set(id, book)
    return book
  }
  private enter(book: Book, h: Hosted, { at, awaited }: { at: number | null; awaited: Awaited | undefined }): void {
    const { accounts, commands } = this.parts
    accounts.set(h.account, h)
    if (awaited) {
      h.queue = awaited.queue
      h.settled = awaited.settled
    }
    const place = at ?? book.view.mseq
    book.at(place, () => {
      // its slot may have been lost on the way there
      if (accounts.get(h.account) !== h) return
      h.book = book
      book.host(h)
    })
    if (awaited?.redo) commands.decideAgain(book, h, awaited.redo)
    book.at(place, () => {
      commands.pump(h)
      this.wake(h)
    })
  }
  /** Reads that waited for the account look again. */
  wake(h: Hosted): void {
    if (h.book === this.parts.live && !isBusy(h)) for (const done of h.settled.splice(0)) done(null)
  }
  /** Accounts of a book that is level with the live one become part of it. */
  merge(book: Book): void {
    const live = this.parts.live!
    book.workOff()
    for (const h of [...book.hosted.values()]) {
      // the quotes that its highs may still rise by are this book's
      book.settle(h)
      if (h.book !== book) continue
      book.drop(h)
      h.book = live
      live.host(h)
      this.parts.commands.pump(h)
      this.wake(h)
    }
  }

  /** The account's queue while it is read from the store. */
  await(account: string): Awaited {
    const { awaited, host } = this.parts
    let waits = awaited.get(account)
    if (!waits) {
      waits = { queue: [], redo: null, settled: [] }
      awaited.set(account, waits)
      host.fetch([{ account, redo: null }])
    }
    return waits
  }
  born(submission: Submission): Hosted {
    const { accounts, live } = this.parts
    const { account } = submission
    const spec = submission.spec!
    const specHash = sha256Text(canonical(spec))
    const born = { spec, specHash, tenant: submission.tenant ?? 'default' }
    const h = hostedNew(account, this.compile(specHash, spec), born)
    h.book = live!
    accounts.set(account, h)
    live!.host(h)
    return h
  }
  private compile(hash: string, spec: AccountSpec): Compiled {
    let compiled = this.compiled.get(hash)
    if (!compiled) {
      compiled = compileSpec(spec, sha256Text)
      this.compiled.set(hash, compiled)
    }
    return compiled
  }

  absent(accounts: readonly string[]): void {
    const { awaited, commands, durability } = this.parts
    for (const account of accounts) {
      const redo = awaited.get(account)?.redo
      if (redo?.waiting.submission.command.op !== 'create') continue
      // its first commit never arrived
      const { queue } = awaited.get(account)!
      awaited.delete(account)
      for (const waiting of [redo.waiting, ...queue]) commands.enqueue(waiting)
    }
    durability.flush()
    this.refuseAwaited(accounts, 'not_found', 'There is no such account.')
  }
  /** `moving`: another owner has them, or the store did not answer in time; else they cannot be served. */
  unavailable(accounts: readonly string[], moving: boolean): void {
    if (moving) this.refuseAwaited(accounts, 'moving')
    else this.refuseAwaited(accounts, 'unavailable', 'The account cannot be served now. Try again.')
  }
  private refuseAwaited(accounts: readonly string[], why: 'not_found' | 'unavailable' | 'moving', detail = ''): void {
    for (const account of accounts) {
      const awaited = this.parts.awaited.get(account)
      if (!awaited) continue
      this.parts.awaited.delete(account)
      if (awaited.redo) refuseRedo(awaited.redo.waiting, why, detail)
      for (const waiting of awaited.queue) {
        if (why === 'moving') refuseMoving(waiting)
        else refuse(waiting, why, detail)
      }
      for (const done of awaited.settled) done(why === 'not_found' ? 'absent' : why)
    }
    this.parts.durability.reportApplied()
  }

  /** The slots have another owner, or had one: what is known of their accounts is not how they stand. */
  release(slots: readonly number[]): void {
    const lost = new Set(slots)
    for (const slot of slots) this.parts.leaving.delete(slot)
    for (const h of [...this.parts.accounts.values()]) {
      if (!lost.has(h.slot)) continue
      this.drop(h)
      this.refuseAll(h, 'moving', false)
    }
    this.refuseAwaited(this.awaitedIn(lost), 'moving')
  }
  private awaitedIn(slots: ReadonlySet<number>): string[] {
    return [...this.parts.awaited.keys()].filter((account) => slots.has(slotOf(account)))
  }

  /**
   * A planned move: takes no further command for these slots, waits until what was taken is answered and durable, and
   * drops their accounts; resolves with the exposed ones as they are to be saved. What is not durable within the time
   * is dropped like that of a lost slot.
   */
  async yield(slots: readonly number[], waitMs: number): Promise<AccountSave[]> {
    const { parts } = this
    const given = new Set(slots)
    for (const slot of slots) parts.leaving.add(slot)
    const all = () => [...parts.accounts.values()].filter((h) => given.has(h.slot))
    for (const h of all()) for (const waiting of h.queue.splice(0)) refuseMoving(waiting)
    this.refuseAwaited(this.awaitedIn(given), 'moving')
    parts.durability.flush()
    const late = Promise.withResolvers<'late'>()
    const timer = setTimeout(() => late.resolve('late'), waitMs)
    for (let busy = all().find(isBusy); busy; busy = all().find(isBusy)) {
      const waits = busy
      const settled = new Promise<'settled'>((resolve) => waits.settled.push(() => resolve('settled')))
      if ((await Promise.race([settled, late.promise])) === 'late') break
    }
    clearTimeout(timer)
    const saves = this.savesOf((h) => given.has(h.slot))
    for (const h of all()) {
      this.drop(h)
      this.refuseAll(h, 'moving', false)
    }
    parts.durability.reportApplied()
    return saves
  }
  /** The exposed accounts that have moved since they were stored, settled. */
  savesOf(chosen: (h: Hosted) => boolean): AccountSave[] {
    const { live } = this.parts
    if (!live) return []
    return live
      .exposed()
      .filter((h) => chosen(h) && h.savedMseq < live.view.mseq && this.isSettled(h.account))
      .map((h) => saveOf(h, live.view))
  }
  /** Brings an account to the live place; false while something of it is not durable. */
  isSettled(account: string): boolean {
    const { accounts, live } = this.parts
    const h = accounts.get(account)
    if (!h?.book || h.book !== live || isBusy(h)) return false
    live.settle(h)
    return accounts.has(account) && !isBusy(h)
  }

  drop(h: Hosted): void {
    h.book?.drop(h)
    h.book = null
    this.parts.accounts.delete(h.account)
    this.parts.durability.forget(h)
  }
  /** Fails closed: an account that cannot be decided is not served, and says so. */
  stop(h: Hosted, error: unknown): void {
    this.parts.host.failed(h.account, error instanceof Error ? (error.stack ?? error.message) : String(error))
    this.parts.broken.add(h.account)
    this.drop(h)
    this.refuseAll(h, 'unavailable')
  }
  /** Answers all that waits for an account that was dropped. `known`: its commit did not happen. */
  refuseAll(h: Hosted, why: Exclude<Gone, 'absent'>, known = true): void {
    const say = why === 'moving' ? refuseMoving : refuseUnserved
    if (h.asked && known) say(h.asked.waiting)
    else if (h.asked) refuse(h.asked.waiting, 'outcome_unknown', UNKNOWN)
    if (h.command) say(h.command.waiting)
    for (const waiting of h.queue) say(waiting)
    for (const done of h.settled) done(why)
  }
}

const UNKNOWN = 'The outcome is not known. Ask for the order by its client id.'
const refuseUnserved = (waiting: Parameters<typeof refuse>[0]): void =>
  refuse(waiting, 'unavailable', 'The account cannot be served now.')
function refuseRedo(
  waiting: Parameters<typeof refuse>[0],
  why: 'not_found' | 'unavailable' | 'moving',
  detail: string,
) {
  const code: RefusalCode = why === 'not_found' ? 'not_found' : 'outcome_unknown'
  refuse(waiting, code, code === 'not_found' ? detail : UNKNOWN)
}
