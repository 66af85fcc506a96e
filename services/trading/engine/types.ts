/** What passes between the owner (decides) and the host (writes). JSON-native: it crosses threads. */
import type { EncodedState } from '@assay/core/domain/engine/stored-state'
import type { AccountSpec, Answer, Command, JournalRecord } from '@assay/core/domain/engine/types'
import type { Receipt } from '@assay/core/domain/journal/receipt'
import type { MarketEvent } from '@assay/core/domain/market/event'

export const SLOTS = 64
/** Commands that may wait for one account before it answers queue_full. */
export const QUEUE_LIMIT = 256

export interface CommandMeta {
  /** one per submission: how an answer is found again when a commit's outcome is unknown */
  commandId: string
  requestId: string
  /** with `create` only: what decides the assessment, and content hashes of the documents that its header cites */
  spec?: AccountSpec
  docs?: Record<string, string>
  tenant?: string
  /** a run that is repeated: not before this event is applied, wherever its owner stands in the log by then */
  after?: number
}
/** A command with its place in history and what it was answered. */
export interface AnsweredCommand {
  commandId: string
  requestId: string
  /** null: this answer does not use the id up */
  clientOrderId: string | null
  bodyHash: string
  aseq: number
  cseq: number
  answer: Answer
}
/** The end of an account's chain: the next record's number, the hash before it, and how many events went to the outbox. */
export interface ChainEnd {
  aseq: number
  hash: string
  events: number
}
/** What decides, as it is stored and hashed, and the place it stands at. */
export interface StateAt {
  mseq: number
  mts: number
  cseq: number
  text: string
}
/** What one account has decided and not yet written: all of it commits, or none. */
export interface AccountCommit {
  account: string
  /** one per commit: a slot that was lost and came back may leave an older one of the same account under way */
  flight: number
  slot: number
  before: ChainEnd
  /** phase before the first record */
  phase: number
  currency: string
  /** positions go by ticket, not by symbol */
  hedging: boolean
  status: string
  exposed: boolean
  deadline: number | null
  state: StateAt
  records: JournalRecord[]
  /** the records' canonical JSON, where it was written already */
  texts?: readonly string[]
  command: AnsweredCommand | null
  /** the first commit of an account carries what it is decided by */
  born: { spec: AccountSpec; specHash: string; tenant: string } | null
}
/** State without records: nothing of it shows in the journal. */
export interface AccountSave {
  account: string
  slot: number
  aseq: number
  deadline: number | null
  state: EncodedState
}
/**
 * `moved`: the row is not where the commit started; `lost`: the slot has another owner; `unknown`: the database did not
 * say; `broken`: it refused this account's rows, so the account stops here.
 */
export type Outcome = 'committed' | 'moved' | 'lost' | 'unknown' | 'broken'
export interface CommitResult {
  account: string
  flight: number
  outcome: Outcome
  /** the chain's new end, when committed */
  end: ChainEnd | null
}

/** A stored answer: what a repeat is served from. */
export interface StoredAnswer {
  commandId: string
  clientOrderId: string | null
  bodyHash: string
  aseq: number
  answer: Answer
  receipt: Receipt
}
/** Not journalled. `moving`: it was not stamped either, the slot's next owner can take it; `order`: under which id to ask for what nobody knows. */
export interface Refused {
  kind: 'refused'
  code: RefusalCode
  detail: string
  retryAfterS?: number
  moving?: boolean
  order?: string
}
export type Reply =
  /** journalled, durable; `records` of its commit unless it is a repeat or was found after an unknown outcome */
  | { kind: 'answer'; answer: Answer; receipt: Receipt; replayed: boolean; records?: readonly JournalRecord[] }
  /** not journalled: the queue is full, the id has another body, nobody owns the slot */
  | Refused
/** What the owner tells its host: an answer that just became durable is there already, with its receipt. */
export type OwnerReply = Reply | { kind: 'durable' }
export type RefusalCode =
  | 'queue_full'
  | 'client_order_id_conflict'
  | 'engine_behind'
  | 'disk_full'
  | 'unavailable'
  | 'not_found'
  | 'outcome_unknown'

/** A segment of the market log ended with event `last`. */
export interface EndedSegment {
  head: string
  last: number
}
/** Consecutive events, and the segments that ended before one of them or with the last. */
export interface Batch {
  events: readonly MarketEvent[]
  ended: readonly EndedSegment[]
}
/** Where a reader of the market log starts. */
export interface LogStart {
  /** first event to read */
  from: number
  /** newest quote, levels and state of each symbol before it */
  carry: readonly MarketEvent[]
  head: string | null
}
/** An account that comes in at its place in the log. */
export interface Joining {
  loaded: Loaded
  /** the event after which it joins: where it was stored, or later where nothing can have happened to it; null: at once, anywhere */
  at: number | null
}
/** Specs by hash: many accounts share one. */
export type Specs = Record<string, AccountSpec>

export interface Submission extends CommandMeta {
  account: string
  command: Command
}
/** An account as it was stored. */
export interface Loaded {
  account: string
  slot: number
  specHash: string
  state: EncodedState
  end: ChainEnd
  deadline: number | null
  exposed: boolean
}
