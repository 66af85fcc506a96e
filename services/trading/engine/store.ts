import type { EncodedState } from '@assay/core/domain/engine/stored-state'
import type { OwnedSlot } from './commit-statement.ts'
import { type SealedCommit, type StateText, writeState } from './seal.ts'
import type { AccountSave, Loaded, Specs, StoredAnswer } from './types.ts'

export type AnswerKey = { commandId: string } | { clientOrderId: string }
export interface CommitReport {
  committed: ReadonlySet<string>
  /** slots whose row was still ours */
  held: ReadonlySet<number>
}
export interface LoadedAccounts {
  accounts: Loaded[]
  specs: Specs
}
/** Where the engine's decisions last. All of one account's commit is kept, or none of it. */
export interface EngineStore {
  /** how many commits can run at once */
  readonly connections: number
  /** one transaction; accounts that are not where their commit starts, or whose slot is lost, are left out. DbError: see Committer */
  commit(batch: readonly SealedCommit[], slots: readonly OwnedSlot[]): Promise<CommitReport>
  /** state only, where the account has no newer record */
  save(batch: readonly (AccountSave & { text: StateText })[], slots: readonly OwnedSlot[]): Promise<void>
  /** in no order; throws CorruptStateError rather than serve a state that is not what was stored */
  load(accounts: readonly string[]): Promise<LoadedAccounts>
  /** accounts of the slots that time, a price or a segment can still change */
  loadSlots(slots: readonly number[]): Promise<LoadedAccounts>
  /** the highest event that any account was stored at: the market log may have lost it in a power failure */
  newest(): Promise<number>
  answerOf(account: string, key: AnswerKey): Promise<StoredAnswer | null>
  /** every client_order_id that an account has used up, with its body's hash */
  clientOrderIds(account: string): Promise<[id: string, bodyHash: string][]>
}

export class CorruptStateError extends Error {
  constructor(readonly account: string) {
    super(`the stored state of ${account} is not the one that was written`)
  }
}
/** Fails closed: what decides about money is never guessed. */
export function checkLoaded(loaded: Loaded, stateHash: string): Loaded {
  if (writeState(loaded.state).hash !== stateHash || loaded.state.aseq !== loaded.end.aseq)
    throw new CorruptStateError(loaded.account)
  return loaded
}

const MOVING = new Set(['started'])
/** Whether anything but a command can still change this account. */
export const isLive = (status: string, exposed: boolean, state: EncodedState): boolean =>
  MOVING.has(status) || exposed || (state.unsealed as unknown[]).length > 0
