/**
 * What the engine is told, what it answers and what it writes down. Everything here is JSON-native (decimals are
 * strings, times integer ms of market time), so it is the same in the journal, on the wire and in the proof.
 */
import type { Calendar } from '../calendars/calendar.ts'
import type { Instrument } from '../instruments/instrument.ts'
import type { Side } from '../market/event.ts'
import type { Compare, Effect, Phase } from '../rules/types.ts'
import type { Zone } from '../time/zone.ts'

export type * from '../rules/types.ts'

/** A running assessment keeps its version; a change that alters any decision is a new one beside the old one. */
export const ENGINE_VERSION = 1

// ---- what an assessment is decided by -------------------------------------------------------------------------
/** Everything that decides an assessment, pinned at its creation; the journal's header cites its parts by hash. */
export interface AccountSpec {
  engine: number
  currency: string
  initial_balance: string
  leverage: string
  position_mode: 'netting' | 'hedging'
  /** positions are closed while equity < stop_out x used margin; null: never */
  stop_out: string | null
  /** a resting order also fills at its own price, after the size that stood there when it came */
  queue_model: boolean
  /** market time from an order's acceptance to its arrival at the market; 0: at once */
  latency_ms: number
  max_pauses: number
  max_pause_days: number
  /** fractions of an allowance at whose use an early warning is written, ascending */
  warnings: string[]
  reset_zone: string
  /** local wall time HH:MM */
  reset_time: string
  /** the zone's data as pinned at creation: a later table never moves a running assessment's resets; absent: today's table */
  zone?: Zone
  /** the same for the zones of calendars, swap schedules and rules (zones.ts) */
  zones?: Zone[]
  phases: Phase[]
  /** every instrument that may be traded here, commission of the tier already merged in */
  instruments: Instrument[]
  /** news, sessions and holidays as pinned at creation, by name */
  calendars: Calendar[]
  /** market group whose clock is this account's time */
  group: string
}

// ---- commands -------------------------------------------------------------------------------------------------
export type OrderType = 'market' | 'limit' | 'stop' | 'stop_limit' | 'trailing_stop'
export type TimeInForce = 'gtc' | 'ioc' | 'fok' | 'day' | 'gtd'
/** Distance of a trailing stop from the best price of its trigger side: in price, or a percentage of that price. */
export type Trail = { offset: string } | { pct: string }
export interface OrderBody {
  symbol: string
  side: Side
  /** `oco`: a limit leg at `price` and a stop leg at `stop_price` (a stop-limit with `stop_limit_price`) of one side and quantity */
  type: OrderType | 'oco'
  quantity: string
  /** limit, stop_limit, oco */
  price?: string
  /** stop, stop_limit, oco */
  stop_price?: string
  /** oco only */
  stop_limit_price?: string
  /** trailing_stop only */
  trail?: Trail
  /** trailing_stop: it follows the price from here on; absent: at once */
  activation_price?: string
  /** market: ioc (default) or fok; stops: gtc, day, gtd; limit: all; oco: gtc, day, gtd */
  time_in_force?: TimeInForce
  /** gtd only: ms of market time */
  expires_at?: number
  reduce_only?: boolean
  /** limit only: refused when it would take */
  post_only?: boolean
  /** bracket: children born with the first entry fill, sized to what is filled, reduce-only, each the other's OCO */
  take_profit?: { price: string }
  stop_loss?: { stop_price: string; price?: string } | { trail: Trail }
  /** hedging accounts: the ticket that this order reduces */
  position?: string
  client_order_id?: string
}
/** What an amendment changes; what is left out stays. */
export interface AmendBody {
  /** total quantity, above what is filled */
  quantity?: string
  price?: string
  stop_price?: string
  trail?: Trail
  expires_at?: number
}
export type Command =
  | { op: 'create' }
  | { op: 'start' }
  | { op: 'pause' }
  | { op: 'resume' }
  | { op: 'abandon' }
  | ({ op: 'order' } & OrderBody)
  /** order: `o<aseq>` or `client:<client_order_id>` */
  | ({ op: 'amend'; order: string } & AmendBody)
  | { op: 'cancel'; order: string }
  | { op: 'cancel_all'; symbol?: string }
  /** position: its id (the order that opened it) or, netting, its symbol; quantity: all of it when absent */
  | { op: 'close'; position: string; quantity?: string; client_order_id?: string }

export interface OrderView {
  id: string
  client_order_id?: string
  symbol: string
  side: Side
  type: OrderType
  time_in_force: TimeInForce
  quantity: string
  price?: string
  /** a trailing stop's own moves with the market */
  stop_price?: string
  trail?: Trail
  activation_price?: string
  expires_at?: number
  reduce_only?: boolean
  post_only?: boolean
  /** the entry order of a bracket's child */
  parent?: string
  /** the other leg */
  oco?: string
  position?: string
  filled: string
  status: 'pending' | 'working' | 'filled' | 'cancelled' | 'rejected' | 'expired'
  reason?: string
  created_at: number
}
export type Answer =
  | { ok: true; order?: OrderView; legs?: OrderView[]; cancelled?: string[]; status?: string }
  /** a refusal: `code` from contracts/errors.ts, `field` as in the body; retryable answers do not use the client id up */
  | { ok: false; code: string; detail: string; field?: string; retryable?: boolean; nearest?: string }

// ---- journal --------------------------------------------------------------------------------------------------
/** What made a fill. */
export interface FillSource {
  kind: 'quote' | 'levels' | 'trade' | 'slippage' | 'settlement'
  venue: string
  mseq: number
  price: string
  size: string
  ts: number
  synthetic?: string
}
export interface Posting {
  /** account:cash | house:capital | house:trading | house:commission | house:swap | house:funding | house:payout */
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
      stop_out: string | null
      queue_model: boolean
      latency_ms: number
      max_pauses: number
      max_pause_days: number
      warnings: string[]
      reset_zone: string
      reset_time: string
      phases: Phase[]
      group: string
      seeds: string[]
    }
  | { kind: 'command'; command: Command; answer: Answer }
  | {
      kind: 'phase'
      phase: number
      status: 'opened' | 'passed' | 'failed' | 'expired'
      balance: string
      postings: Posting[]
    }
  | {
      kind: 'fill'
      phase: number
      /** `o<aseq>`, a child's or leg's name, or `close`, `stop_out`, `lock`, `flat`, `settlement` */
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
      position: { id: string; quantity: string; cost: string }
    }
  | {
      kind: 'order'
      phase: number
      order: string
      /** working: a child was born, a leg was placed, or a pending order arrived; amended: by the trader, an OCO partner's fill or an entry's */
      status: 'working' | 'triggered' | 'amended' | 'filled' | 'cancelled' | 'expired'
      filled: string
      reason?: string
      /** as it stands now; with working, triggered and amended */
      view?: OrderView
    }
  | {
      /** swap or funding booked on one position */
      kind: 'carry'
      phase: number
      what: 'swap' | 'funding'
      position: string
      symbol: string
      quantity: string
      mark: string
      /** as in the instrument or the event that set it */
      rate: string
      rate_mseq: number | null
      booked: Booked
      postings: Posting[]
    }
  /** the next position that a stop-out closes */
  | { kind: 'stop_out'; phase: number; position: string; symbol: string; equity: string; used: string; level: string }
  /** a soft breach or a cap locked the account until that instant; a null rule: unlocked */
  | { kind: 'lock'; phase: number; rule: string | null; index: number | null; until: number | null }
  | { kind: 'warning'; phase: number; rule: string; index: number; fraction: string; value: string; limit: string }
  | { kind: 'pause'; phase: number; paused: boolean; count: number; reason?: string }
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
