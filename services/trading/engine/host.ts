import type { AccountCommit, AccountSave, CommitResult, Joining, LogStart, Specs, StoredAnswer } from './types.ts'

/** An account that the owner wants (again): with a command whose outcome it does not know, at its stamp. */
export interface Wanted {
  account: string
  redo: { commandId: string; mseq: number } | null
}
/** What an owner asks of the side that has the database and the market log. */
export interface Host {
  commit(commits: AccountCommit[]): void
  save(saves: AccountSave[]): void
  /** answered by `open`, `absent` or `unavailable` */
  fetch(wanted: Wanted[]): void
  answerOf(account: string, clientOrderId: string): Promise<StoredAnswer | null>
  clientOrderIds(account: string): Promise<[id: string, bodyHash: string][]>
  /** an account or a command that could not be decided */
  failed(account: string, error: string): void
  /** everything up to mseq is decided, and all it caused is durable */
  applied(mseq: number): void
}
/** Accounts to take in, and where their walk through the log starts; `start` null: all join at once. */
export interface Opening {
  book: number
  start: LogStart | null
  joining: Joining[]
  specs: Specs
  /** answers found for commands of unknown outcome */
  answers: Record<string, StoredAnswer>
}
/** The book that follows the end of the log. */
export const LIVE = 0
export type { CommitResult }
