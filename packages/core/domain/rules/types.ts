/**
 * Rules as a phase lists them: JSON-native, names and meanings from rules.md. Money is in account currency, `pct` a
 * percentage ("5" is 5 %), `share` and `ratio` a fraction of one.
 */
import type { Side } from '../market/event.ts'

/** `lt`: the limit itself is still allowed; `lte`: reaching it breaches. Mirrored for limits from above. */
export type Compare = 'lt' | 'lte'
/** hard: close out, the phase fails; soft: close out, locked until the next reset; gate: blocks a pass or refuses; flag: for review. */
export type Effect = 'hard' | 'soft' | 'gate' | 'flag'
/** What a breach of a rule that does not refuse may do. */
export type Consequence = Exclude<Effect, 'gate'>
export type Metric = 'equity' | 'balance' | 'min'
export type Anchor = 'balance' | 'equity' | 'max' | 'initial' | 'day_high'

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
  anchor: Anchor
  limit: { amount: string } | { pct: string; of: 'initial' | 'anchor' }
  metric: Metric
  compare: Compare
  tested: 'always' | 'reset'
  effect: Consequence
}
/** The same upward: a cap at A + L, breached above it. */
export interface DailyProfitCapRule extends Omit<MaxDailyLossRule, 'rule'> {
  rule: 'daily_profit_cap'
}
export interface MaxLossRule {
  rule: 'max_loss'
  mode: 'static' | 'eod_balance' | 'eod_equity' | 'closed_balance' | 'intraday_equity'
  /** ratio: the floor is the high-water mark x (1 - ratio) */
  limit: { amount: string } | { pct: string } | { ratio: string }
  /** ceiling of the floor: B0 + offset, or B0 + the phase's profit target */
  lock: null | { at: 'initial'; offset: string } | { at: 'target' }
  metric: Metric
  compare: Compare
  effect: Consequence
}
export interface MinTradingDaysRule {
  rule: 'min_trading_days'
  n: number
  counts: 'opened' | 'opened_and_closed' | 'moved' | 'won'
  pct?: string
  effect: 'gate'
}
/** Days whose booked result is at least `amount`, since the phase opened or the last payout. */
export interface WinningDaysRule {
  rule: 'winning_days'
  n: number
  amount: string
  effect: 'gate'
}
/**
 * calendar: `days` local dates of the reset zone after the start, at its local time; trading: the reset that ends the
 * n-th day, of days in which an instrument of the account has a session. With objectives open then: expired.
 */
export interface TimeLimitRule {
  rule: 'time_limit'
  days: number
  unit: 'calendar' | 'trading'
  from: 'start' | 'first_fill'
  effect: 'hard'
}
/** No fill for `days` x 24 h of unpaused market time. */
export interface InactivityRule {
  rule: 'inactivity'
  days: number
  effect: Consequence
}
/** share: of the total, of the positive days, of the target, per trade of the target; lots: each size within [avg x share, avg / share] of its week and symbol. */
export interface ConsistencyRule {
  rule: 'consistency'
  basis: 'total' | 'positive_days' | 'target' | 'trade' | 'lots'
  share: string
  compare: Compare
  /** results before fees, swap and funding */
  gross: boolean
  effect: 'gate'
}
/** Pending orders count as filled. `symbol`: only that one; `per` all: the sum over symbols. One of quantity and notional. */
export interface MaxPositionSizeRule {
  rule: 'max_position_size'
  per: 'symbol' | 'all'
  symbol?: string
  quantity?: string
  /** account currency */
  notional?: string
  effect: 'gate'
}
export interface MaxOpenPositionsRule {
  rule: 'max_open_positions'
  n: number
  effect: 'gate'
}
export interface MaxOrdersPerDayRule {
  rule: 'max_orders_per_day'
  n: number
  effect: 'gate'
}
export interface MaxTotalExposureRule {
  rule: 'max_total_exposure'
  /** account currency */
  notional: string
  effect: 'gate'
}
/** Largest position in all symbols by the balance at the last reset: `base`, then the highest step whose `above` is below it; `keeps`: a size once reached stays. */
export interface ScalingPlanRule {
  rule: 'scaling_plan'
  base: string
  steps: { above: string; max: string }[]
  keeps: boolean
  effect: 'gate'
}
export interface AllowedSymbolsRule {
  rule: 'allowed_symbols'
  symbols: string[]
  effect: 'gate'
}
export interface AllowedSidesRule {
  rule: 'allowed_sides'
  sides: Side[]
  effect: 'gate'
}
/** Orders that add exposure inside these local windows only; `days` 1 is Monday, of the window's start. */
export interface AllowedSessionsRule {
  rule: 'allowed_sessions'
  zone: string
  windows: { days: number[]; from: string; to: string }[]
  effect: 'gate'
}
/**
 * Loss at the stop against pct of B0; needs_stop: a position not wholly covered by stops `within_s` after an entry into
 * it. gate: the order is refused, with needs_stop one without its stop too; a stop is then neither moved to where more
 * is lost nor, where it is needed, cancelled, alone or with all.
 */
export interface MaxRiskPerTradeRule {
  rule: 'max_risk_per_trade'
  pct: string
  needs_stop: boolean
  within_s: number
  effect: Effect
}
/** Realised and floating loss of one idea against pct of B0; same symbol and direction, overlapping or at most `within_s` apart. */
export interface MaxRiskPerIdeaRule {
  rule: 'max_risk_per_idea'
  pct: string
  within_s: number
  compare: Compare
  effect: Consequence
}
/** Floating loss against pct of the day's start balance, or of its profit above B0. */
export interface MaxOpenLossRule {
  rule: 'max_open_loss'
  pct: string
  of: 'balance' | 'day_profit'
  compare: Compare
  effect: Consequence
}
/** Share of closed trades held shorter than `seconds`. */
export interface MinHoldingTimeRule {
  rule: 'min_holding_time'
  seconds: number
  share: string
  compare: Compare
  effect: Effect
}
/** Positions in instruments that close are closed at the cut-off: a local time of a week day (1 is Monday). */
export interface WeekendFlatRule {
  rule: 'weekend_flat'
  day: number
  time: string
  zone: string
  effect: Consequence
}
/** The same, `minutes` before the end of each session of the instrument. */
export interface SessionFlatRule {
  rule: 'session_flat'
  minutes: number
  effect: Consequence
}
/**
 * gate: what is forbidden is refused or held back inside [T - before_s, T + after_s], or cancelled when it arrives there
 * (latency model); else it happens and counts as a breach.
 */
export interface NewsWindowRule {
  rule: 'news_window'
  calendar: string
  before_s: number
  after_s: number
  impact: ('low' | 'medium' | 'high')[]
  /** symbols that a currency's news hits beside those that hold it as base or quote */
  also: Record<string, string[]>
  forbids: ('open' | 'close' | 'activation' | 'stop_trigger')[]
  effect: Effect
}
/** Read by the jobs service from fills, never by the engine. */
export interface DetectorsRule {
  rule: 'detectors'
  detect: ('hedging' | 'martingale' | 'grid' | 'copied' | 'latency')[]
  effect: 'flag'
}
export type Rule =
  | ProfitTargetRule
  | MaxDailyLossRule
  | DailyProfitCapRule
  | MaxLossRule
  | MinTradingDaysRule
  | WinningDaysRule
  | TimeLimitRule
  | InactivityRule
  | ConsistencyRule
  | MaxPositionSizeRule
  | MaxOpenPositionsRule
  | MaxOrdersPerDayRule
  | MaxTotalExposureRule
  | ScalingPlanRule
  | AllowedSymbolsRule
  | AllowedSidesRule
  | AllowedSessionsRule
  | MaxRiskPerTradeRule
  | MaxRiskPerIdeaRule
  | MaxOpenLossRule
  | MinHoldingTimeRule
  | WeekendFlatRule
  | SessionFlatRule
  | NewsWindowRule
  | DetectorsRule
export interface Phase {
  kind: 'evaluation' | 'funded'
  rules: Rule[]
}
