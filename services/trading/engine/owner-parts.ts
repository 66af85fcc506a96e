import type { Input, StepResult } from '@assay/core/domain/engine/step'
import type { Book } from './book.ts'
import type { Host } from './host.ts'
import type { Hosted, SettledWaiter, Waiting } from './hosted.ts'
import type { Accounts } from './owner-accounts.ts'
import type { Commands } from './owner-commands.ts'
import type { Durability } from './owner-durability.ts'

export type Heard = (account: string, result: StepResult, input: Input) => void
/** An account on its way in: what waits for it. */
export interface Awaited {
  queue: Waiting[]
  redo: Redo | null
  settled: SettledWaiter[]
}
/** A command whose commit's outcome is not known, at its stamp. */
export interface Redo {
  waiting: Waiting
  mseq: number
  cseq: number
}

/** What an owner is made of; each part works with the others through it. */
export interface OwnerParts {
  readonly host: Host
  /** hears of every step; null: nobody listens */
  readonly heard: Heard | null
  /** follows the end of the log; null before the first opening */
  live: Book | null
  /** by id: books of accounts that are not level with the live one yet */
  readonly walking: Map<number, Book>
  readonly accounts: Map<string, Hosted>
  readonly awaited: Map<string, Awaited>
  /** accounts that could not be decided */
  readonly broken: Set<string>
  /** slots that are given to another owner */
  readonly leaving: Set<number>
  diskFull: boolean
  draining: boolean
  readonly residents: Accounts
  readonly commands: Commands
  readonly durability: Durability
}
