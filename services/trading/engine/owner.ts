/**
 * Decides for the accounts of its slots, in order of the market log. Holds no thread, clock or database: `up` runs it
 * in a worker, a backtest on the main thread. `step` is pure; an account with a commit under way takes no further
 * command and serves no read, and what events cause for it meanwhile joins its next commit; others go on. Nothing
 * leaves before it is durable.
 */
import { type Compiled, compileSpec } from '@assay/core/domain/engine/compile'
import { type LiveView, liveView } from '@assay/core/domain/engine/live'
import { type Preview, previewOrder } from '@assay/core/domain/engine/orders/preview'
import { type Input, nextDeadline, type StepResult } from '@assay/core/domain/engine/step'
import type { AccountSpec, Command, OrderBody } from '@assay/core/domain/engine/types'
import { canonical } from '@assay/core/domain/journal/canonical'
import { Book } from './book.ts'
import { type Host, LIVE, type Opening, type Wanted } from './host.ts'
import { type Hosted, hostedFrom, hostedNew, isBusy, type Waiting } from './hosted.ts'
import { Outgoing, saveOf } from './outgoing.ts'
import { Repeats } from './repeats.ts'
import { answerFrom, bodyHashOf, clientIdOf, placesOrder, refuse } from './replies.ts'
import { increasesRisk } from './risk.ts'
import { sha256Text } from './seal.ts'
import {
  type Batch,
  type CommitResult,
  type OwnerReply,
  QUEUE_LIMIT,
  type RefusalCode,
  type Submission,
} from './types.ts'

/** Shares of the exposed accounts that are saved one a second. */
const SAVE_SHARES = 60
/** Deadline steps that were put off and are taken at one go: about a millisecond. */
const SLICE = 128
/** Accounts on their way in: what waits for them. */
interface Awaited {
  queue: Waiting[]
  redo: { waiting: Waiting; mseq: number; cseq: number } | null
  settled: (() => void)[]
}
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
export type Heard = (account: string, result: StepResult, input: Input) => void

export class Owner {
  private live: Book | null = null
  private readonly walking = new Map<number, Book>()
  private readonly accounts = new Map<string, Hosted>()
  private readonly awaited = new Map<string, Awaited>()
  private readonly broken = new Set<string>()
  private readonly compiled = new Map<string, Compiled>()
  private readonly outgoing = new Outgoing()
  private readonly repeats: Repeats
  private readonly watched = new Set<string>()
  private reported = -1
  private diskFull = false
  private draining = false
  private goingOn = false

  constructor(
    private readonly host: Host,
    private readonly heard: Heard = () => {},
    /** runs what is put off after the messages that wait */
    private readonly later: (run: () => void) => void = setImmediate,
  ) {
    this.repeats = new Repeats(host)
  }

  // ---- accounts in and out -------------------------------------------------------------------------------------
  /** Takes accounts in. The first opening of the live book comes before everything else. */
  open(opening: Opening): Fed {
    const { start } = opening
    let book = opening.book === LIVE ? this.live : null
    if (start) {
      book = new Book(
        start,
        (h, result, input) => this.decided(h, result, input),
        (h, error) => this.stop(h, error),
      )
      if (opening.book === LIVE) this.live = book
      else this.walking.set(opening.book, book)
    }
    for (const { loaded, at } of opening.joining) {
      if (this.accounts.has(loaded.account)) continue
      const awaited = this.awaited.get(loaded.account)
      const stored = opening.answers[loaded.account]
      if (awaited?.redo && stored) {
        answerFrom(awaited.redo.waiting, stored, false)
        awaited.redo = null
      }
      const h = hostedFrom(loaded, this.compile(loaded.specHash, opening.specs[loaded.specHash]!))
      const due = nextDeadline(h.state)
      if (at === null && due !== null && due <= this.live!.view.mts) {
        // the deadline passed while the account was read: it has to walk there
        this.host.fetch([{ account: h.account, redo: null }])
        continue
      }
      this.awaited.delete(h.account)
      this.enter(at === null ? this.live! : book!, h, at, awaited)
    }
    return this.progress(opening.book)
  }
  private enter(book: Book, h: Hosted, at: number | null, awaited: Awaited | undefined): void {
    this.accounts.set(h.account, h)
    if (awaited) {
      h.queue = awaited.queue
      h.settled = awaited.settled
    }
    const place = at ?? book.view.mseq
    book.at(place, () => {
      // its slot may have been lost on the way there
      if (this.accounts.get(h.account) !== h) return
      h.book = book
      book.host(h)
    })
    if (awaited?.redo) this.decideAgain(book, h, awaited.redo)
    book.at(place, () => {
      this.pump(h)
      this.wake(h)
    })
  }
  /** Reads that waited for the account look again. */
  private wake(h: Hosted): void {
    if (h.book === this.live && !isBusy(h)) for (const done of h.settled.splice(0)) done()
  }
  absent(accounts: readonly string[]): void {
    for (const account of accounts) {
      const redo = this.awaited.get(account)?.redo
      if (redo?.waiting.submission.command.op !== 'create') continue
      // its first commit never arrived
      const { queue } = this.awaited.get(account)!
      this.awaited.delete(account)
      for (const waiting of [redo.waiting, ...queue]) this.enqueue(waiting)
    }
    this.flush()
    this.refuseAwaited(accounts, 'not_found', 'There is no such account.')
  }
  unavailable(accounts: readonly string[]): void {
    this.refuseAwaited(accounts, 'unavailable', 'The account is moving. Try again.')
  }
  private refuseAwaited(accounts: readonly string[], code: RefusalCode, detail: string): void {
    for (const account of accounts) {
      const awaited = this.awaited.get(account)
      if (!awaited) continue
      this.awaited.delete(account)
      if (awaited.redo) refuse(awaited.redo.waiting, code === 'unavailable' ? 'outcome_unknown' : code, detail)
      for (const waiting of awaited.queue) refuse(waiting, code, detail)
      for (const done of awaited.settled) done()
    }
    this.reportApplied()
  }
  /** The slots have another owner: their accounts are its own now. */
  release(slots: readonly number[]): void {
    const lost = new Set(slots)
    for (const h of [...this.accounts.values()]) {
      if (!lost.has(h.slot)) continue
      this.drop(h)
      this.refuseAll(h, 'unavailable', 'The account is moving. Try again.', false)
    }
    this.reportApplied()
  }

  private compile(hash: string, spec: AccountSpec): Compiled {
    let compiled = this.compiled.get(hash)
    if (!compiled) {
      compiled = compileSpec(spec, sha256Text)
      this.compiled.set(hash, compiled)
    }
    return compiled
  }
  private drop(h: Hosted): void {
    h.book?.drop(h)
    h.book = null
    this.accounts.delete(h.account)
    this.outgoing.forget(h)
  }
  /** `known`: its commit did not happen. */
  private refuseAll(h: Hosted, code: RefusalCode, detail: string, known = true): void {
    if (h.asked && known) refuse(h.asked.waiting, code, detail)
    else if (h.asked)
      refuse(h.asked.waiting, 'outcome_unknown', 'The outcome is not known. Ask for the order by its client id.')
    if (h.command) refuse(h.command.waiting, code, detail)
    for (const waiting of h.queue) refuse(waiting, code, detail)
    for (const done of h.settled) done()
  }

  // ---- the market ----------------------------------------------------------------------------------------------
  feed(id: number, batch: Batch): Fed {
    const book = id === LIVE ? this.live! : this.walking.get(id)!
    book.feed(batch, id === LIVE ? undefined : this.live!.view.mseq)
    const fed = this.progress(id)
    this.workOff()
    return fed
  }
  /** Takes deadline steps that were put off, slice by slice between messages. */
  private workOff(): void {
    let left = false
    for (const book of [this.live!, ...this.walking.values()]) if (!book.workOff(SLICE)) left = true
    this.flushApplied()
    if (!left || this.goingOn) return
    this.goingOn = true
    this.later(() => {
      this.goingOn = false
      this.workOff()
    })
  }
  private flushApplied(): void {
    this.flush()
    this.reportApplied()
  }
  /** A book that has caught up becomes part of the live one. */
  private progress(id: number): Fed {
    const live = this.live!
    const book = this.walking.get(id)
    if (!book) return { mseq: live.view.mseq, merged: true }
    if (book.view.mseq < live.view.mseq) return { mseq: book.view.mseq, merged: false }
    this.walking.delete(id)
    book.workOff()
    for (const h of [...book.hosted.values()]) {
      book.drop(h)
      h.book = live
      live.host(h)
      this.pump(h)
      this.wake(h)
    }
    this.flush()
    this.reportApplied()
    return { mseq: live.view.mseq, merged: true }
  }

  /** Fails closed: an account that cannot be decided is not served, and says so. */
  private stop(h: Hosted, error: unknown): void {
    this.host.failed(h.account, error instanceof Error ? (error.stack ?? error.message) : String(error))
    this.broken.add(h.account)
    this.drop(h)
    this.refuseAll(h, 'unavailable', 'The account cannot be served now.')
  }

  private decided(h: Hosted, result: StepResult, input: Input): void {
    this.heard(h.account, result, input)
    if (result.records.length > 0)
      this.outgoing.add(h, result.records, input.kind === 'command' ? null : result.records[0]!.mseq)
  }

  // ---- commands ------------------------------------------------------------------------------------------------
  submit(submission: Submission): Promise<OwnerReply> {
    return new Promise((resolve, reject) => {
      try {
        this.enqueue({ submission, resolve })
        this.flush()
      } catch (error) {
        reject(error)
      }
    })
  }
  private enqueue(waiting: Waiting): void {
    const { account, command } = waiting.submission
    const unserved = this.unserved(account, command)
    if (unserved) {
      refuse(waiting, 'unavailable', unserved, 1)
      return
    }
    const h =
      this.accounts.get(account) ??
      (command.op === 'create' && !this.awaited.has(account) ? this.born(waiting.submission) : null)
    const queue = h?.queue ?? this.awaitAccount(account).queue
    if (queue.length >= QUEUE_LIMIT) {
      refuse(waiting, 'queue_full', `${QUEUE_LIMIT} commands wait for this account.`, 1)
      return
    }
    queue.push(waiting)
    if (h) this.pump(h)
  }
  private unserved(account: string, command: Command): string | null {
    if (this.draining) return 'The engine is stopping. Try again.'
    if (this.broken.has(account) || !this.live) return 'The account cannot be served now.'
    return this.live.view.mseq === 0 && command.op !== 'create' ? 'There is no market data yet.' : null
  }
  private born(submission: Submission): Hosted {
    const { account } = submission
    const spec = submission.spec!
    const specHash = sha256Text(canonical(spec))
    const born = { spec, specHash, tenant: submission.tenant ?? 'default' }
    const h = hostedNew(account, this.compile(specHash, spec), born)
    h.book = this.live!
    this.accounts.set(account, h)
    this.live!.host(h)
    return h
  }
  private awaitAccount(account: string): Awaited {
    let awaited = this.awaited.get(account)
    if (!awaited) {
      awaited = { queue: [], redo: null, settled: [] }
      this.awaited.set(account, awaited)
      this.host.fetch([{ account, redo: null }])
    }
    return awaited
  }

  /** Takes commands off the queue until one was decided: the account then waits for the store. */
  private pump(h: Hosted): void {
    while (h.queue.length > 0 && h.book !== null && h.book === this.live && !isBusy(h) && !h.readingIds) {
      const { command } = h.queue[0]!.submission
      if (placesOrder(command) && h.clientIds === null) {
        this.repeats.read(h, () => {
          this.pump(h)
          this.flush()
        })
        return
      }
      const waiting = h.queue.shift()!
      if (!this.repeats.take(h, waiting) && !this.isRefusedByDisk(h, waiting)) this.decide(h, waiting, h.state.cseq + 1)
    }
  }
  private isRefusedByDisk(h: Hosted, waiting: Waiting): boolean {
    if (!this.diskFull || !increasesRisk(h.state, waiting.submission.command)) return false
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
      this.host.failed(h.account, error instanceof Error ? (error.stack ?? error.message) : String(error))
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
  private decideAgain(book: Book, h: Hosted, redo: NonNullable<Awaited['redo']>): void {
    book.at(redo.mseq, () => {
      if (h.book !== book) return
      if (book.view.mseq === redo.mseq && h.state.cseq + 1 === redo.cseq && !isBusy(h))
        this.decide(h, redo.waiting, redo.cseq)
      else h.queue.unshift(redo.waiting)
    })
  }

  // ---- durability ----------------------------------------------------------------------------------------------
  /** Sends what was decided. */
  private flush(): void {
    const commits = this.outgoing.take()
    if (commits.length > 0) this.host.commit(commits)
  }

  committed(results: readonly CommitResult[]): void {
    const wanted: Wanted[] = []
    for (const result of results) {
      const h = this.accounts.get(result.account)
      if (h?.flight?.flight !== result.flight) continue
      if (result.outcome === 'committed') this.becameDurable(h, result)
      else if (result.outcome === 'lost') {
        this.drop(h)
        this.refuseAll(h, 'unavailable', 'The account is moving. Try again.')
      } else if (result.outcome === 'broken') {
        this.stop(h, new Error('the store refused its records'))
      } else wanted.push(this.reload(h))
    }
    if (wanted.length > 0) this.host.fetch(wanted)
    this.flush()
    this.reportApplied()
  }
  private becameDurable(h: Hosted, result: CommitResult): void {
    const flight = h.flight!
    h.end = result.end!
    h.born = null
    h.flight = null
    h.savedMseq = flight.state.mseq as number
    if (h.asked) {
      const { waiting, answered } = h.asked
      h.asked = null
      if (answered.clientOrderId !== null) h.clientIds?.set(answered.clientOrderId, answered.bodyHash)
      waiting.resolve({ kind: 'durable' })
    }
    this.outgoing.landed(h)
    this.pump(h)
    this.wake(h)
  }
  /** Not known to be durable, or not where it stood: forgotten, read again, its command decided again if it is not there. */
  private reload(h: Hosted): Wanted {
    const asked = h.asked
    this.drop(h)
    const redo = asked && {
      waiting: asked.waiting,
      mseq: h.flight!.records.find((r) => r.kind === 'command')!.mseq,
      cseq: asked.answered.cseq,
    }
    this.awaited.set(h.account, { queue: h.queue, redo, settled: h.settled })
    return { account: h.account, redo: asked && redo && { commandId: asked.answered.commandId, mseq: redo.mseq } }
  }
  private reportApplied(): void {
    if (!this.live || this.walking.size > 0 || this.awaited.size > 0) return
    const { view, undecidedFrom } = this.live
    const applied = this.outgoing.durableTo(Math.min(view.mseq, undecidedFrom - 1))
    if (applied <= this.reported) return
    this.reported = applied
    this.host.applied(applied)
  }

  // ---- reads ---------------------------------------------------------------------------------------------------
  /** Brings an account to the live place; false while something of it is not durable. */
  private isSettled(account: string): boolean {
    const h = this.accounts.get(account)
    if (!h?.book || h.book !== this.live || isBusy(h)) return false
    this.live.settle(h)
    return this.accounts.has(account) && !isBusy(h)
  }
  /** Settled to the owner's place in the log, durable; null: no such account. */
  read(account: string): Promise<LiveView | 'unavailable' | null> {
    return this.look(account, ({ state, compiled }) => liveView(state, compiled, this.live!.view))
  }
  /** What an order would do to the account as it stands settled: nothing of it is decided or written. */
  preview(account: string, order: OrderBody): Promise<Previewed | 'unavailable' | null> {
    return this.look(account, ({ state, compiled }) => {
      const { view } = this.live!
      return { preview: previewOrder(state, order, view, compiled), mseq: view.mseq }
    })
  }
  private async look<T>(account: string, seen: (h: Hosted) => T): Promise<T | 'unavailable' | null> {
    for (;;) {
      if (this.isSettled(account)) return seen(this.accounts.get(account)!)
      this.flush()
      const h = this.accounts.get(account)
      if (!h && (this.broken.has(account) || !this.live)) return 'unavailable'
      const settled = h?.settled ?? this.awaitAccount(account).settled
      await new Promise<void>((resolve) => settled.push(resolve))
      if (!this.accounts.has(account) && !this.awaited.has(account)) return null
    }
  }
  watch(account: string, on: boolean): void {
    if (on) this.watched.add(account)
    else this.watched.delete(account)
  }
  /** What listeners see move between records. */
  marks(): LiveView[] {
    const settled = [...this.watched].filter((account) => this.isSettled(account))
    this.flush()
    return settled.map((account) => {
      const h = this.accounts.get(account)!
      return liveView(h.state, h.compiled, this.live!.view)
    })
  }
  setDiskFull(full: boolean): void {
    this.diskFull = full
  }
  /** Takes no more commands; resolves when all that were taken are answered, with every exposed account on its way to the store. */
  async drain(): Promise<void> {
    this.draining = true
    this.unavailable([...this.awaited.keys()])
    for (const h of this.accounts.values()) {
      if (h.book === this.live) continue
      for (const waiting of h.queue.splice(0)) refuse(waiting, 'unavailable', 'The engine is stopping. Try again.', 1)
    }
    this.live?.workOff()
    this.flush()
    for (;;) {
      const busy = [...this.accounts.values()].find((h) => isBusy(h) || h.queue.length > 0)
      if (!busy) break
      await new Promise<void>((resolve) => busy.settled.push(resolve))
    }
    this.save(() => true)
  }
  /** Saves one share of the exposed accounts: no record, nothing that shows. */
  sweep(second: number): void {
    this.save((h) => h.owner % SAVE_SHARES === second % SAVE_SHARES)
  }
  private save(chosen: (h: Hosted) => boolean): void {
    const live = this.live
    if (!live) return
    const saves = live
      .exposed()
      .filter((h) => chosen(h) && h.savedMseq < live.view.mseq && this.isSettled(h.account))
      .map((h) => saveOf(h, live.view))
    this.flush()
    if (saves.length > 0) this.host.save(saves)
  }
  get counters(): { events: number; touches: number; evaluations: number; accounts: number; mseq: number } {
    const { events, touches } = this.live?.counters ?? { events: 0, touches: 0 }
    return {
      events,
      touches,
      evaluations: this.live?.index.evaluations ?? 0,
      accounts: this.accounts.size,
      mseq: this.live?.view.mseq ?? 0,
    }
  }
  /** The live book, for tests and benches of what the index leaves out. */
  get book(): Book | null {
    return this.live
  }
}
