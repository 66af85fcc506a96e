import { failpoint } from '@assay/core/kernel/failpoints'
import { passes } from '@assay/core/ports/db/failure'
import { DbError } from '@assay/core/ports/db/port'
import type { OwnedSlot } from './commit-statement.ts'
import { type SealedCommit, type Signer, sealBatch, writeState } from './seal.ts'
import type { EngineStore } from './store.ts'
import type { AccountCommit, AccountSave, CommitResult } from './types.ts'

/** Half of the most that a commit may hold: one half is decided and sealed while the other is written. */
const BATCH = 128
const DISK_FULL = '53100'
const RETRY_MS = 100

export interface CommitterDeps {
  store: EngineStore
  keys: { readonly signer: Signer }
  /** wall clock, ms */
  now: () => number
  sleep: (ms: number) => Promise<void>
  /** the epoch under which a slot is ours now, null when it is not */
  epochOf: (slot: number) => number | null
  /** hears of each durable commit before its answer leaves */
  committed: (sealed: SealedCommit) => void
  /** results of one batch, in its order */
  report: (results: CommitResult[]) => void
  onDiskFull: () => void
  /** accounts whose slot another owner has: the store refused what was decided here */
  onFenced: (accounts: string[]) => void
  onError: (error: unknown, accounts: string[]) => void
}

/**
 * Group commit: as soon as a connection is free, what has gathered meanwhile, at most 128 accounts, in one
 * transaction with one signature; never waits for more. An account is in one commit at a time (its owner sees to it),
 * so batches on several connections never hold the same account.
 */
export class Committer {
  private waiting: AccountCommit[] = []
  private saves: AccountSave[] = []
  private running = 0
  private pumping = false
  private idle: (() => void)[] = []

  constructor(private readonly deps: CommitterDeps) {}

  add(commits: readonly AccountCommit[]): void {
    this.waiting.push(...commits)
    this.pumpSoon()
  }
  /** State without records goes when no commit waits for the connection. */
  save(saves: readonly AccountSave[]): void {
    this.saves.push(...saves)
    this.pumpSoon()
  }
  get depth(): number {
    return this.waiting.length
  }
  /** Resolves when nothing waits or runs. */
  drained(): Promise<void> {
    if (this.running === 0 && this.waiting.length === 0 && this.saves.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.idle.push(resolve))
  }

  /** Once a turn: what arrives in one turn travels in one batch. */
  private pumpSoon(): void {
    if (this.pumping) return
    this.pumping = true
    queueMicrotask(() => {
      this.pumping = false
      this.pump()
    })
  }
  /** One more than can run waits at the connection rather than here, if it is full: sealed and sent meanwhile. */
  private mayStart(): boolean {
    const { connections } = this.deps.store
    if (this.running === connections) return this.waiting.length >= BATCH
    return this.running < connections && (this.waiting.length > 0 || this.saves.length > 0)
  }
  private pump(): void {
    while (this.mayStart()) {
      const work =
        this.waiting.length > 0 ? this.commit(this.waiting.splice(0, BATCH)) : this.store(this.saves.splice(0, BATCH))
      this.running++
      void work.finally(() => {
        this.running--
        this.pump()
        if (this.running === 0) for (const done of this.idle.splice(0)) done()
      })
    }
  }

  private slotsOf(accounts: readonly { slot: number }[]): OwnedSlot[] {
    const slots = [...new Set(accounts.map((a) => a.slot))].sort((a, b) => a - b)
    return slots.flatMap((slot) => {
      const epoch = this.deps.epochOf(slot)
      return epoch === null ? [] : [{ slot, epoch }]
    })
  }

  private async commit(batch: AccountCommit[]): Promise<void> {
    const sealed = sealBatch(batch, this.deps.keys.signer, this.deps.now())
    await failpoint('before-commit')
    for (;;) {
      try {
        const { committed, held } = await this.deps.store.commit(sealed, this.slotsOf(batch))
        await failpoint('after-commit-before-answer')
        for (const each of sealed) if (committed.has(each.commit.account)) this.deps.committed(each)
        const fenced = batch.filter(({ account, slot }) => !committed.has(account) && !held.has(slot))
        if (fenced.length > 0) this.deps.onFenced(fenced.map(({ account }) => account))
        this.deps.report(
          sealed.map(({ commit: { account, flight, slot }, end }) =>
            committed.has(account)
              ? { account, flight, outcome: 'committed', end }
              : { account, flight, outcome: held.has(slot) ? 'moved' : 'lost', end: null },
          ),
        )
        return
      } catch (error) {
        if (error instanceof DbError && error.code === DISK_FULL) {
          this.deps.onDiskFull()
          await this.deps.sleep(RETRY_MS)
          continue
        }
        return this.failed(batch, error)
      }
    }
  }

  /** A lost answer leaves every account of the batch unknown; anything else is one account's fault: found by committing each alone. */
  private async failed(batch: AccountCommit[], error: unknown): Promise<void> {
    const transient = passes(error)
    this.deps.onError(
      error,
      batch.map((c) => c.account),
    )
    if (transient) await this.deps.sleep(RETRY_MS)
    else if (batch.length > 1) {
      for (const commit of batch) await this.commit([commit])
      return
    }
    const outcome = transient ? 'unknown' : 'broken'
    this.deps.report(batch.map(({ account, flight }) => ({ account, flight, outcome, end: null })))
  }

  private async store(batch: AccountSave[]): Promise<void> {
    try {
      await failpoint('inside-save')
      await this.deps.store.save(
        batch.map((s) => ({ ...s, text: writeState(s.state) })),
        this.slotsOf(batch),
      )
    } catch (error) {
      // nothing is lost: the row stays where it was and the next save carries more
      this.deps.onError(
        error,
        batch.map((s) => s.account),
      )
    }
  }
}
