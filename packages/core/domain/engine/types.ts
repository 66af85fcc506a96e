/**
 * What the engine is told, what it answers and what it writes down. Everything here is JSON-native (decimals are
 * strings, times integer ms of market time), so it is the same in the journal, on the wire and in the proof.
 */
import type { Instrument } from '../instruments/instrument.ts'
import type { Side } from '../market/event.ts'
import type { Zone } from '../time/zone.ts'

/** A running assessment keeps its version; a change that alters any decision is a new one beside the old one. */
export const ENGINE_VERSION = 1

// ---- what an assessment is decided by -------------------------------------------------------------------------
export type Compare = 'lt' | 'lte'
export type Effect = 'hard' | 'soft' | 'gate' | 'flag'
export type Metric = 'equity' | 'balance' | 'min'
export interface ProfitTargetRule {
  rule: 'profit_target'
  pct?: string
  amount?: string
  basis: 'balance' | 'equity'
  require_flat: boolean
  sticky: boolean
  effect: 'gate'
}
export interface MaxDailyLossRule {
  rule: 'max_daily_loss'
  anchor: 'balance' | 'equity' | 'max' | 'initial' | 'day_high'
  limit: { amount: string } | { pct: string; of: 'initial' | 'anchor' }
  metric: Metric
  compare: Compare
  tested: 'always' | 'reset'
  effect: 'hard'
}
export interface MaxLossRule {
  rule: 'max_loss'
  mode: 'static'
  limit: { amount: string } | { pct: string }
  lock: null
  metric: Metric
  compare: Compare
  effect: 'hard'
}
export interface MinTradingDaysRule {
  rule: 'min_trading_days'
  n: number
  counts: 'opened' | 'opened_and_closed' | 'moved' | 'won'
  pct?: string
  effect: 'gate'
}
export type Rule = ProfitTargetRule | MaxDailyLossRule | MaxLossRule | MinTradingDaysRule
export interface Phase {
  kind: 'evaluation' | 'funded'
  rules: Rule[]
}

/** Everything that decides an assessment, pinned at its creation; the journal's header cites its parts by hash. */
export interface AccountSpec {
  engine: number
  currency: string
  initial_balance: string
  leverage: string
  position_mode: 'netting'
  reset_zone: string
  /** local wall time HH:MM */
  reset_time: string
  /** the zone's data as pinned at creation: a later table never moves a running assessment's resets; absent: today's table */
  zone?: Zone
  phases: Phase[]
  /** every instrument that may be traded here, commission of the tier already merged in */
  instruments: Instrument[]
  /** market group whose clock is this account's time */
  group: string
}

// ---- commands -------------------------------------------------------------------------------------------------
export interface OrderBody {
  symbol: string
  side: Side
  type: 'market' | 'limit'
  quantity: string
  /** limit orders only */
  price?: string
  /** market orders are always ioc */
  time_in_force?: 'gtc' | 'ioc'
  client_order_id?: string
}
export type Command =
  | { op: 'create' }
  | { op: 'start' }
  | { op: 'abandon' }
  | ({ op: 'order' } & OrderBody)
  /** order: `o<aseq>` or `client:<client_order_id>` */
  | { op: 'cancel'; order: string }
  | { op: 'cancel_all'; symbol?: string }

export interface OrderView {
  id: string
  client_order_id?: string
  symbol: string
  side: Side
  type: 'market' | 'limit'
  time_in_force: 'gtc' | 'ioc'
  quantity: string
  price?: string
  filled: string
  status: 'working' | 'filled' | 'cancelled' | 'rejected'
  reason?: string
  created_at: number
}
export type Answer =
  | { ok: true; order?: OrderView; cancelled?: string[]; status?: string }
  /** a refusal: `code` from contracts/errors.ts, `field` as in the body; retryable answers do not use the client id up */
  | { ok: false; code: string; detail: string; field?: string; retryable?: boolean; nearest?: string }

// ---- journal --------------------------------------------------------------------------------------------------
/** What made a fill. */
export interface FillSource {
  kind: 'quote' | 'levels' | 'trade' | 'slippage'
  venue: string
  mseq: number
  price: string
  size: string
  ts: number
  synthetic?: string
}
export interface Posting {
  /** account:cash | house:capital | house:trading | house:commission */
  ledger: string
  /** in account currency, at its ledger scale; all postings of one record sum to 0 */
  amount: string
}
/** The amount before conversion and what converted it. */
export interface Booked {
  amount: string
  currency: string
  rate: string
  rate_mseq: number[]
  booked: string
}
export interface LimitState {
  rule: string
  index: number
  metric: string
  value: string
  limit: string
  compare: Compare
}

export type Body =
  | {
      kind: 'header'
      engine: number
      docs: Record<string, string>
      currency: string
      initial_balance: string
      leverage: string
      position_mode: string
      reset_zone: string
      reset_time: string
      phases: Phase[]
      group: string
      seeds: string[]
    }
  | { kind: 'command'; command: Command; answer: Answer }
  | { kind: 'phase'; phase: number; status: 'opened' | 'passed' | 'failed'; balance: string; postings: Posting[] }
  | {
      kind: 'fill'
      phase: number
      order: string
      symbol: string
      side: Side
      quantity: string
      price: string
      liquidity: 'maker' | 'taker'
      source: FillSource
      instrument: string
      result: Booked | null
      fee: Booked | null
      postings: Posting[]
      /** spread cost of this fill against the mid of the quote, quote currency; shown, never booked */
      spread_cost: string
      position: { quantity: string; cost: string }
    }
  | { kind: 'order'; phase: number; order: string; status: 'filled' | 'cancelled'; filled: string; reason?: string }
  | { kind: 'floor'; phase: number; rule: string; index: number; floor: string }
  | {
      kind: 'day'
      phase: number
      day: string
      k: number
      balance: string
      equity: string
      anchors: Record<string, string>
      log_head: string | null
    }
  | { kind: 'target'; phase: number; index: number; reached: boolean; value: string }
  | {
      kind: 'violation'
      phase: number
      rule: string
      index: number
      effect: Effect
      value: string
      limit: string
      balance: string
      equity: string
      crossed: LimitState[]
      provisional: boolean
      marks: Mark[]
      /** a provisional breach that became final is dated at its own instant */
      dated?: { mts: number; mseq: number }
    }
  | { kind: 'withdrawn'; phase: number; rule: string; index: number; value: string; limit: string }
  | {
      kind: 'verdict'
      verdict: 'passed' | 'failed' | 'expired' | 'abandoned'
      phase: number
      rule: string | null
      value: string | null
      limit: string | null
      balance: string
      equity: string
      log_head: string | null
      synthetic: string[]
      dated?: { mts: number; mseq: number }
    }
  | { kind: 'checkpoint'; state_hash: string }
  | { kind: 'sealed'; verdict_aseq: number; log_head: string }
export interface Mark {
  symbol: string
  mseq: number
  bid: string
  ask: string
  state: string
}
/** One link of the chain; `aseq` gapless from 0. This object in canonical JSON, with the hash before it, is hashed. */
export type JournalRecord = { aseq: number; mseq: number; mts: number; cseq: number } & Body
