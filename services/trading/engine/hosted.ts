import type { Compiled } from '@assay/core/domain/engine/compile'
import { type AccountState, newAccount } from '@assay/core/domain/engine/state'
import { decodeState } from '@assay/core/domain/engine/stored-state'
import type { JournalRecord } from '@assay/core/domain/engine/types'
import { GENESIS } from '@assay/core/domain/journal/chain'
import type { Book } from './book.ts'
import { slotOf } from './slots.ts'
import type { AccountCommit, AnsweredCommand, ChainEnd, Loaded, OwnerReply, Submission } from './types.ts'

/** A command that waits for its answer. */
export interface Waiting {
  submission: Submission
  resolve: (reply: OwnerReply) => void
}
/** Why an account is here no more. `moving`: another owner has it, or will. */
export type Gone = 'absent' | 'moving' | 'unavailable'
/** Told when everything decided so far is durable (null), or that it never will be here. */
export type SettledWaiter = (gone: Gone | null) => void
/** An account in its owner's memory. */
export interface Hosted {
  readonly account: string
  readonly slot: number
  readonly compiled: Compiled
  /** its number in the index */
  owner: number
  state: AccountState
  /** the durable end of its chain */
  end: ChainEnd
  /** phase before the first record that is not sent */
  phase: number
  born: AccountCommit['born']
  /** sent, not yet durable */
  flight: AccountCommit | null
  /** decided, not yet sent: what events caused while a commit is under way joins the next one */
  records: JournalRecord[]
  command: { waiting: Waiting; answered: AnsweredCommand } | null
  /** the command in flight */
  asked: { waiting: Waiting; answered: AnsweredCommand } | null
  queue: Waiting[]
  /** used client_order_ids with their body's hash; null: not read from the store yet */
  clientIds: Map<string, string> | null
  readingIds: boolean
  settled: SettledWaiter[]
  savedMseq: number
  /** highs of its state are settled up to this event */
  highsAt: number
  /** the book it is in, null on its way in */
  book: Book | null
}

/** Waits for the store: takes no further command, serves no read. */
export const isBusy = (h: Hosted): boolean => h.flight !== null || h.records.length > 0

const nothingGoingOn = () => ({
  owner: -1,
  highsAt: 0,
  flight: null,
  records: [],
  command: null,
  asked: null,
  queue: [],
  readingIds: false,
  settled: [],
  book: null,
})
/** An account as it was stored. */
export function hostedFrom(loaded: Loaded, compiled: Compiled): Hosted {
  const state = decodeState(loaded.state)
  return {
    ...nothingGoingOn(),
    account: loaded.account,
    slot: loaded.slot,
    compiled,
    state,
    end: loaded.end,
    phase: state.phase,
    born: null,
    clientIds: null,
    savedMseq: state.mseq,
  }
}
/** An account that is not there yet. */
export const hostedNew = (account: string, compiled: Compiled, born: Hosted['born']): Hosted => ({
  ...nothingGoingOn(),
  account,
  slot: slotOf(account),
  compiled,
  state: newAccount(account),
  end: { aseq: 0, hash: GENESIS, events: 0 },
  phase: 0,
  born,
  clientIds: new Map(),
  savedMseq: 0,
})
