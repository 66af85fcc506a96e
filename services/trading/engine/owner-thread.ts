import type { LiveView } from '@assay/core/domain/engine/live'
import type { OrderBody } from '@assay/core/domain/engine/types'
import { commitPacker } from './commit-packer.ts'
import type { Host, Opening } from './host.ts'
import { type Fed, type Heard, Owner, type Previewed, type Seen } from './owner.ts'
import { connect, type Remote, type Wire } from './rpc.ts'
import type { AccountSave, Batch, CommitResult, OwnerReply, Submission } from './types.ts'

/** An owner as its host sees it, in this thread or another. */
export interface OwnerApi {
  open(opening: Opening): Promise<Fed>
  feed(book: number, batch: Batch): Promise<Fed>
  submit(submission: Submission): Promise<OwnerReply>
  read(account: string): Promise<Seen<LiveView>>
  /** what the order would do now */
  preview(account: string, order: OrderBody): Promise<Seen<Previewed>>
  marks(): Promise<LiveView[]>
  counts(): Promise<Owner['counters']>
  drain(): Promise<void>
  committed(results: readonly CommitResult[]): void
  absent(accounts: readonly string[]): void
  unavailable(accounts: readonly string[], moving: boolean): void
  release(slots: readonly number[]): void
  yield(slots: readonly number[], waitMs: number): Promise<AccountSave[]>
  reportAgain(): void
  watch(account: string, on: boolean): void
  setDiskFull(full: boolean): void
  sweep(second: number): void
}
const TO_OWNER = [
  'committed',
  'absent',
  'unavailable',
  'release',
  'reportAgain',
  'watch',
  'setDiskFull',
  'sweep',
] as const
const TO_HOST = ['commit', 'save', 'fetch', 'failed', 'applied'] as const

/** An owner in this thread, for backtests and tests. */
export const inlineOwner = (host: Host, heard?: Heard): OwnerApi => apiOf(new Owner(host, heard))
export const apiOf = (owner: Owner): OwnerApi => ({
  open: async (opening) => owner.open(opening),
  feed: async (book, batch) => owner.feed(book, batch),
  submit: (submission) => owner.submit(submission),
  read: (account) => owner.read(account),
  preview: (account, order) => owner.preview(account, order),
  marks: async () => owner.marks(),
  counts: async () => owner.counters,
  drain: () => owner.drain(),
  committed: (results) => owner.committed(results),
  absent: (accounts) => owner.absent(accounts),
  unavailable: (accounts, moving) => owner.unavailable(accounts, moving),
  release: (slots) => owner.release(slots),
  yield: (slots, waitMs) => owner.yield(slots, waitMs),
  reportAgain: () => owner.reportAgain(),
  watch: (account, on) => owner.watch(account, on),
  setDiskFull: (full) => owner.setDiskFull(full),
  sweep: (second) => owner.sweep(second),
})

/** In the worker: serves an owner whose host is on the other side. */
export function serveOwner(wire: Wire): void {
  const local = {} as OwnerApi
  const host = connect<Host, (typeof TO_HOST)[number]>(wire, local, TO_HOST, { commit: commitPacker })
  Object.assign(local, apiOf(new Owner(host)))
}
/** On the main thread: the owner that the worker serves. */
export const remoteOwner = (wire: Wire, host: Host): OwnerApi =>
  connect<OwnerApi, (typeof TO_OWNER)[number]>(wire, host, TO_OWNER, { commit: commitPacker }) satisfies Remote<
    OwnerApi,
    (typeof TO_OWNER)[number]
  >
