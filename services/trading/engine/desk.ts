/**
 * The side of the engine that has the database and the market log: what owners ask for, answered. Loads accounts and
 * walks them to the end of the log, commits what was decided, feeds events, tells lockstep what was applied.
 */

import { nextDeadline } from '@assay/core/domain/engine/step'
import { decodeState } from '@assay/core/domain/engine/stored-state'
import { NO_HEAD } from '@assay/core/domain/proof/segment'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import type { Committer } from './committer.ts'
import { Feed } from './feed.ts'
import { type Host, LIVE, type Wanted } from './host.ts'
import type { OwnerApi } from './owner-thread.ts'
import type { EngineStore, LoadedAccounts } from './store.ts'
import { type Joining, type Loaded, type LogStart, SLOTS, type StoredAnswer } from './types.ts'

export interface DeskDeps {
  store: EngineStore
  committer: Committer
  marketlog: MarketLog
  group: string
  signal: AbortSignal
  /** the epoch under which a slot is ours now, null when it is not */
  epochOf: (slot: number) => number | null
  onApplied: (mseq: number) => void
  onError: (error: unknown, accounts: string[]) => void
}

interface Walk {
  loaded: LoadedAccounts
  /** of every slot, when the accounts were read */
  epochs: readonly (number | null)[]
  /** of commands of unknown outcome */
  stamps: Map<string, number>
  answers: Record<string, StoredAnswer>
}

export class Desk implements Host {
  private books = LIVE
  private api!: OwnerApi

  constructor(private readonly deps: DeskDeps) {}
  /** The owner that this desk serves. */
  serve(api: OwnerApi): void {
    this.api = api
  }

  commit: Host['commit'] = (commits) => this.deps.committer.add(commits)
  save: Host['save'] = (saves) => this.deps.committer.save(saves)
  answerOf: Host['answerOf'] = (account, clientOrderId) => this.deps.store.answerOf(account, { clientOrderId })
  clientOrderIds: Host['clientOrderIds'] = (account) => this.deps.store.clientOrderIds(account)
  failed: Host['failed'] = (account, error) => this.deps.onError(new Error(error), [account])
  applied: Host['applied'] = (mseq) => this.deps.onApplied(mseq)

  fetch(wanted: Wanted[]): void {
    const accounts = wanted.map((w) => w.account)
    void this.bring(wanted).catch((error) => {
      this.deps.onError(error, accounts)
      this.api.unavailable(accounts, false)
    })
  }
  private async bring(wanted: Wanted[]): Promise<void> {
    const { store } = this.deps
    const epochs = this.epochs()
    const loaded = await store.load(wanted.map((w) => w.account))
    const found = new Set(loaded.accounts.map((l) => l.account))
    const absent = wanted.filter((w) => !found.has(w.account))
    // a first commit that never arrived leaves no row: its command gets its answer as any other unknown outcome
    if (absent.length > 0) this.api.absent(absent.map((w) => w.account))
    if (found.size === 0) return
    const redo = wanted.filter((w) => w.redo && found.has(w.account))
    const answers: Record<string, StoredAnswer> = {}
    for (const w of redo) {
      const stored = await store.answerOf(w.account, { commandId: w.redo!.commandId })
      if (stored) answers[w.account] = stored
    }
    const stamps = new Map(redo.filter((w) => !answers[w.account]).map((w) => [w.account, w.redo!.mseq]))
    await this.walk({ loaded, epochs, stamps, answers })
  }
  private epochs(): (number | null)[] {
    return Array.from({ length: SLOTS }, (_, slot) => this.deps.epochOf(slot))
  }

  /** Opens the live book with the accounts of the slots; resolves with its start, from where it is to be fed. */
  async openLive(slots: readonly number[]): Promise<LogStart> {
    const loaded = await this.deps.store.loadSlots(slots)
    const joining = await this.joining(loaded.accounts, new Map())
    const end = (await this.deps.marketlog.end(this.deps.group))?.mseq ?? 0
    // accounts that nothing can have happened to come in at the end with the rest already there
    const placed = joining.map((j) => ({ ...j, at: j.at ?? end }))
    const start = await this.startAt(Math.min(end, ...placed.map((j) => j.at)))
    await this.api.open({ book: LIVE, start, joining: placed, specs: loaded.specs, answers: {} })
    return start
  }
  /** Takes in the accounts of slots that came to this owner while it runs. */
  async takeOver(slots: readonly number[]): Promise<void> {
    const epochs = this.epochs()
    const loaded = await this.deps.store.loadSlots(slots)
    await this.walk({ loaded, epochs, stamps: new Map(), answers: {} })
  }
  /** Takes accounts in beside a live book: they walk the log in a book of their own until they are level with it. */
  private async walk({ loaded, epochs, stamps, answers }: Walk): Promise<void> {
    const book = ++this.books
    const all = await this.joining(loaded.accounts, stamps)
    const places = all.flatMap((j) => j.at ?? [])
    const start = places.length === 0 ? null : await this.startAt(Math.min(...places))
    // what was read of a slot that was another's in between is not how its accounts stand
    const isOurs = ({ loaded: { slot } }: Joining) => epochs[slot] !== null && epochs[slot] === this.deps.epochOf(slot)
    const joining = all.filter(isOurs)
    const gone = all.filter((j) => !isOurs(j)).map((j) => j.loaded.account)
    if (gone.length > 0) this.api.unavailable(gone, true)
    const { merged } = await this.api.open({ book, start, joining, specs: loaded.specs, answers })
    if (start && !merged) await new Feed(this.deps, this.api, book).run(start)
  }

  private async startAt(mseq: number): Promise<LogStart> {
    // one event earlier, so that the reader sees the event it stands at and its market time
    const { from, events, prev } = await this.deps.marketlog.carry(this.deps.group, Math.max(0, mseq - 1))
    return { from, carry: events, head: prev === NO_HEAD ? null : prev }
  }

  /**
   * Where each account joins: exposed ones where they were stored. Nothing can have happened to a flat one before its
   * next deadline, so it joins at once, or where that deadline has passed, before it; at the latest at its stamp.
   */
  private async joining(accounts: readonly Loaded[], stamps: Map<string, number>): Promise<Joining[]> {
    const end = await this.deps.marketlog.end(this.deps.group)
    return Promise.all(
      accounts.map(async (loaded): Promise<Joining> => {
        const state = decodeState(loaded.state)
        if (loaded.exposed || state.unsealed.length > 0) return { loaded, at: state.mseq }
        const due = nextDeadline(state)
        const stamp = stamps.get(loaded.account) ?? null
        if (end === null || due === null || due > end.mts) return { loaded, at: stamp }
        const before = await this.lastBefore(due, state.mseq, end.mseq)
        return { loaded, at: stamp === null ? before : Math.min(stamp, before) }
      }),
    )
  }
  /** An mseq from `from` on with nothing at or after `mts` up to it: the end of the last segment that lies wholly before. */
  private async lastBefore(mts: number, from: number, to: number): Promise<number> {
    const heads = await this.deps.marketlog.segments(this.deps.group, from, to)
    return Math.max(from, ...heads.filter((h) => h.lastMts < mts).map((h) => h.last))
  }
}
