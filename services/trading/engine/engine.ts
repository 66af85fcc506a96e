/** The engine of one market group: what the rest of trading sees of it, and how it starts. */
import { AssayError } from '@assay/core/contracts/errors'
import type { LiveView } from '@assay/core/domain/engine/live'
import type { Command, JournalRecord, OrderBody } from '@assay/core/domain/engine/types'
import type { Lifecycle } from '@assay/core/kernel/lifecycle'
import type { Peers } from '@assay/core/kernel/peers'
import { NamedPlaces, Places } from '@assay/core/kernel/places'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Lockstep, Participant } from '@assay/core/ports/marketlog/lockstep'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import type { Logger } from 'pino'
import { Committer } from './committer.ts'
import { Desk } from './desk.ts'
import { Feed } from './feed.ts'
import { LIVE } from './host.ts'
import type { Leases } from './leases.ts'
import { Marks } from './marks.ts'
import type { Heard, Owner, Previewed, Seen } from './owner.ts'
import { inlineOwner, type OwnerApi } from './owner-thread.ts'
import { type Ask, MOVING, type Moving, Router, type SlotOwner, type Told, tell } from './router.ts'
import type { SealedCommit, Signer } from './seal.ts'
import { SlotKeeper } from './slot-keeper.ts'
import { slotOf } from './slots.ts'
import { startOwnerThread } from './start-owner-thread.ts'
import type { EngineStore } from './store.ts'
import type { CommandMeta, OwnerReply, RefusalCode, Refused, Reply } from './types.ts'

export type { CommandMeta, Reply }
export interface Engine {
  /** resolves when the answer is durable, or with why the command was not taken */
  submit(account: string, command: Command, meta: CommandMeta): Promise<Reply>
  /** settled to the mseq it carries; AssayError not_found, unavailable */
  read(account: string): Promise<LiveView>
  /** what an order would do now, at the settled account; AssayError as of read */
  preview(account: string, order: OrderBody): Promise<Previewed>
  /** hears the account's live view at most four times a second, as the market moves it; returns the stop */
  listen(account: string, heard: (view: LiveView) => void): () => void
  /** hears the account's records in order as they become durable; one may be missing after an unknown outcome; returns the stop */
  follow(account: string, heard: (records: readonly JournalRecord[]) => void): () => void
  /** why commands cannot be served now */
  ready(): string | undefined
  /** ends the open segment of the market log: the end of a lockstep run, so that its verdicts are sealed */
  seal(): Promise<void>
  counts(): Promise<Owner['counters']>
  /** is the account's slot this process's? */
  owns(account: string): boolean
  /** where the owner of the account's slot is reached, `here` for this process; null: nobody serves it now */
  ownerOf(account: string): string | null
  /** answers what another process of trading asks; never asks on */
  answer(ask: Ask): Promise<Told>
  /** looks at who owns which slot now, not only at its next turn */
  look(): Promise<void>
  /** gives all slots to the other owners, where there are any: commands wait for milliseconds, none is refused */
  handOver(): Promise<void>
  /** takes no more commands; resolves when all that were taken are answered and saved */
  drain(): Promise<void>
}
export interface EngineDeps {
  store: EngineStore
  leases: Leases
  marketlog: MarketLog
  lockstep: Lockstep
  clock: Clock
  /** the journal key in use; follows a rotation */
  keys: { readonly signer: Signer }
  log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** the other processes of trading; absent: there are none */
  peers?: Pick<Peers, 'fetch'>
  /** hears each mark of an account that somebody listens to */
  marked?: (view: LiveView) => void
}
export interface EngineOptions {
  group?: string
  /** `worker`: a thread of its own; `inline`: this one (backtests, tests) */
  thread: 'worker' | 'inline'
  /** inline only: hears of every step */
  heard?: Heard
  /** the log follows the wall clock: an owner far behind it refuses commands */
  isLive?: () => boolean
  /** how often the rows of slots are read, ms; a second unless told */
  lookMs?: number
}

const TEND_MS = 1000
/** Further behind a live log than this, an owner takes no command. */
const BEHIND_MS = 500
/** A command that is not durable by then (a disk without space, say) is answered: its outcome is not known yet. */
const ANSWER_MS = 10_000

export async function startEngine(deps: EngineDeps, lifecycle: Lifecycle, options: EngineOptions): Promise<Engine> {
  const engine = new GroupEngine(deps, lifecycle, options)
  await engine.start()
  return engine
}

const refused = (code: RefusalCode, detail: string): Refused => ({ kind: 'refused', code, detail, retryAfterS: 1 })

class GroupEngine implements Engine {
  /** what this process does for the accounts of its slots */
  private readonly here: SlotOwner = {
    submit: (account, command, meta) => this.submitHere(account, command, meta),
    read: (account) => this.readHere(account),
    preview: (account, order) => this.previewHere(account, order),
  }
  private readonly group: string
  private readonly committer: Committer
  private readonly desk: Desk
  private readonly keeper: SlotKeeper
  private readonly router: Router
  private readonly api: OwnerApi
  private readonly marks: Marks
  private readonly feed: Feed
  private readonly participant: Participant
  private readonly stopThread: () => void
  /** durable answers that the owner has not confirmed yet, by command id */
  private readonly answered = new NamedPlaces<Reply>()
  private readonly followers = new Map<string, Set<(records: readonly JournalRecord[]) => void>>()
  private readonly asked = new Places<{ since: number; late: () => void }>()
  /** how far it has applied was not said: its leases were not fresh */
  private withheld = false
  private startsAt = 0
  private started = false
  private diskFull = false

  constructor(
    private readonly deps: EngineDeps,
    private readonly lifecycle: Lifecycle,
    private readonly options: EngineOptions,
  ) {
    const { store, leases, marketlog, clock, keys, log } = deps
    this.group = options.group ?? 'main'
    this.participant = deps.lockstep.join('owner', leases.me.id)
    const onError = (err: unknown, accounts: string[]): void =>
      log.error({ err, accounts: accounts.slice(0, 20) }, 'engine')
    this.committer = new Committer({
      store,
      keys,
      now: () => clock.now(),
      sleep: (ms) => clock.sleep(ms),
      epochOf: (slot) => leases.epochOf(slot),
      committed: (sealed) => this.announce(sealed),
      report: (results) => this.api.committed(results),
      onDiskFull: () => this.setDiskFull(true),
      onFenced: (accounts) =>
        log.warn({ accounts: accounts.slice(0, 20) }, 'engine: a write was refused, its slot is another owner’s'),
      onError,
    })
    this.desk = new Desk({
      store,
      committer: this.committer,
      marketlog,
      group: this.group,
      signal: lifecycle.signal,
      epochOf: (slot) => leases.epochOf(slot),
      onApplied: (mseq) => {
        // what it applied after its leases ran out may be another's to say
        this.withheld = !leases.isFresh()
        if (!this.withheld) this.participant.report(mseq)
      },
      onError,
    })
    if (options.thread === 'inline') {
      this.api = inlineOwner(this.desk, options.heard)
      this.stopThread = () => {}
    } else {
      const thread = startOwnerThread(this.desk)
      this.api = thread.api
      this.stopThread = thread.stop
      const stopped = new Promise<void>((resolve) => lifecycle.signal.addEventListener('abort', () => resolve()))
      lifecycle.background('engine thread', () => Promise.race([thread.failed, stopped]), { fatal: true })
    }
    this.desk.serve(this.api)
    const feeding = { marketlog, group: this.group, signal: lifecycle.signal }
    this.feed = new Feed(feeding, this.api, LIVE, () => clock.monotonic())
    this.marks = new Marks(this.api, clock, lifecycle, (account) => this.owns(account), deps.marked)
    this.keeper = new SlotKeeper({
      leases,
      store,
      desk: this.desk,
      api: this.api,
      participant: this.participant,
      clock,
      log,
      lookMs: options.lookMs ?? TEND_MS,
      renewed: () => {
        if (this.withheld) this.api.reportAgain()
      },
      nudge: () => this.router.nudge(),
    })
    this.router = new Router({
      leases,
      here: this.here,
      peers: deps.peers ?? null,
      clock,
      log: deps.log,
      look: () => this.keeper.look(),
      signal: lifecycle.signal,
    })
  }

  async start(): Promise<void> {
    const { store, marketlog, log } = this.deps
    const slots = await this.keeper.begin()
    // in this order: others decide meanwhile, and what they have decided on is in the log by then
    const newest = await store.newest()
    const end = await marketlog.end(this.group)
    this.startsAt = end?.mseq ?? 0
    if (newest > this.startsAt) {
      log.warn({ group: this.group, log: this.startsAt, stored: newest }, 'the market log lost its newest events')
      await marketlog.raise(this.group, newest)
    }
    const start = await this.desk.openLive(slots)
    await this.keeper.opened(slots)
    this.started = true
    log.info({ group: this.group, slots: slots.length, from: start.from, to: this.startsAt }, 'engine started')
    this.lifecycle.defer('engine', () => this.drain())
    this.lifecycle.background('engine feed', () => this.feed.run(start), { fatal: true })
    this.lifecycle.background('engine slots', (signal) => this.keeper.tend(signal))
    this.lifecycle.background('engine tend', (signal) => this.tend(signal))
    this.lifecycle.background('engine answers', (signal) => this.answerLate(signal))
  }

  /** Once a second: saves, the disk, a log that was sealed. */
  private async tend(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.deps
    for (let second = 0; !signal.aborted; second++) {
      await clock.sleep(TEND_MS, signal).catch(() => {})
      if (signal.aborted) return
      await this.watchDisk().catch((err) => log.warn({ err }, 'engine: the disk could not be looked at'))
      try {
        this.api.sweep(second)
        await this.feed.lookForSeal()
      } catch (err) {
        log.warn({ err }, 'engine: the log could not be asked')
      }
    }
  }
  private async answerLate(signal: AbortSignal): Promise<void> {
    const { clock } = this.deps
    while (!signal.aborted) {
      await clock.sleep(TEND_MS, signal).catch(() => {})
      for (const { since, late } of this.asked.values()) if (clock.monotonic() - since > ANSWER_MS) late()
    }
  }
  private inTime<T>(answer: Promise<T>, late: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const place = this.asked.put({
      since: this.deps.clock.monotonic(),
      late: () => {
        try {
          resolve(late())
        } catch (error) {
          reject(error)
        }
      },
    })
    answer.then(resolve, reject).finally(() => this.asked.take(place))
    return promise
  }
  private async watchDisk(): Promise<void> {
    const { marketlog } = this.deps
    if (marketlog.disk() !== 'ok') this.setDiskFull((await marketlog.recoverDisk()) !== 'ok')
    else if (this.diskFull) this.setDiskFull(false)
  }
  private setDiskFull(full: boolean): void {
    if (full) this.deps.marketlog.giveUpReserve()
    if (full === this.diskFull) return
    this.diskFull = full
    this.api.setDiskFull(full)
  }

  ready(): string | undefined {
    if (!this.started || this.feed.mseq < this.startsAt) return 'the engine reads the market log'
    return undefined
  }

  submit(account: string, command: Command, meta: CommandMeta): Promise<Reply> {
    return this.router.submit(account, command, meta)
  }
  read(account: string): Promise<LiveView> {
    return this.router.read(account)
  }
  preview(account: string, order: OrderBody): Promise<Previewed> {
    return this.router.preview(account, order)
  }
  ownerOf(account: string): string | null {
    if (this.owns(account)) return 'here'
    const { leases } = this.deps
    const owner = leases.ownerOf(slotOf(account))
    return owner && owner.id !== leases.me.id ? owner.url : null
  }
  owns(account: string): boolean {
    return this.deps.leases.serves(slotOf(account))
  }
  answer(ask: Ask): Promise<Told> {
    return tell(this.here, ask)
  }
  look(): Promise<void> {
    return this.keeper.look()
  }

  private async submitHere(account: string, command: Command, meta: CommandMeta): Promise<Reply | Moving> {
    if (!this.isServed(account)) return MOVING
    if (this.options.isLive?.() && this.feed.behindMs > BEHIND_MS)
      return refused('engine_behind', 'The engine is behind the market.')
    if (this.deps.marketlog.disk() === 'full') return refused('disk_full', 'The disk is full: nothing can be written.')
    const answer = this.api
      .submit({ ...meta, account, command })
      .then((reply) => this.replyOf(meta.commandId, reply))
      .finally(() => this.answered.take(meta.commandId))
    return this.inTime(answer, () =>
      refused('outcome_unknown', 'The outcome is not known yet. Ask again under the same id.'),
    )
  }
  private replyOf(commandId: string, reply: OwnerReply): Reply | Moving {
    if (reply.kind === 'durable') return this.answered.at(commandId)!
    return reply.kind === 'refused' && reply.moving ? MOVING : reply
  }
  private announce({ commit: { account, command, records }, receipt }: SealedCommit): void {
    if (command)
      this.answered.put(command.commandId, {
        kind: 'answer',
        answer: command.answer,
        receipt: receipt!,
        replayed: false,
        records,
      })
    for (const heard of this.followers.get(account) ?? []) heard(records)
  }
  follow(account: string, heard: (records: readonly JournalRecord[]) => void): () => void {
    const followers = this.followers.get(account) ?? new Set()
    this.followers.set(account, followers.add(heard))
    return () => {
      if (followers.delete(heard) && followers.size === 0) this.followers.delete(account)
    }
  }
  private readHere(account: string): Promise<LiveView | Moving> {
    return this.lookHere(account, () => this.api.read(account))
  }
  private previewHere(account: string, order: OrderBody): Promise<Previewed | Moving> {
    return this.lookHere(account, () => this.api.preview(account, order))
  }
  private async lookHere<T extends object>(account: string, ask: () => Promise<Seen<T>>): Promise<T | Moving> {
    if (!this.isServed(account)) return MOVING
    const seen = await this.inTime(ask(), () => {
      throw new AssayError('unavailable', 'The account waits for the disk. Try again.', { retryAfterS: 1 })
    })
    if (!seen) throw new AssayError('not_found', 'There is no such account.')
    if (seen === 'unavailable') throw new AssayError('unavailable', 'The account cannot be served now.')
    // who stood still for longer than its lease has read what may be another's by now
    return seen === MOVING || !this.owns(account) ? MOVING : seen
  }
  private isServed(account: string): boolean {
    return this.owns(account) && this.ready() === undefined
  }

  listen(account: string, heard: (view: LiveView) => void): () => void {
    return this.marks.listen(account, heard)
  }
  async seal(): Promise<void> {
    const end = await this.deps.marketlog.end(this.group)
    await this.deps.lockstep.applied(end?.mseq ?? 0)
    const head = await this.deps.marketlog.seal(this.group)
    if (head) await this.feed.ended({ head: head.head, last: head.last })
    await this.committer.drained()
  }
  counts(): Promise<Owner['counters']> {
    return this.api.counts()
  }
  handOver(): Promise<void> {
    return this.keeper.handOver()
  }
  async drain(): Promise<void> {
    await this.api.drain()
    await this.committer.drained()
    await this.deps.leases.release()
    this.participant.leave()
    this.stopThread()
  }
}
