/**
 * The rule table. A rule is one file and one line here; its place is the table order that breaks ties. Each works on
 * one account's facts at one evaluation point and has no other input.
 */
import type { Rule } from '../engine/types.ts'
import { allowedSessions } from './allowed-sessions.ts'
import { allowedSides } from './allowed-sides.ts'
import { allowedSymbols } from './allowed-symbols.ts'
import { consistency } from './consistency.ts'
import { dailyProfitCap } from './daily-profit-cap.ts'
import { detectors } from './detectors.ts'
import { inactivity } from './inactivity.ts'
import type { RuleKind } from './kind.ts'
import { maxDailyLoss } from './max-daily-loss.ts'
import { maxLoss } from './max-loss.ts'
import { maxOpenLoss } from './max-open-loss.ts'
import { maxOpenPositions } from './max-open-positions.ts'
import { maxOrdersPerDay } from './max-orders-per-day.ts'
import { maxPositionSize } from './max-position-size.ts'
import { maxRiskPerIdea } from './max-risk-per-idea.ts'
import { maxRiskPerTrade } from './max-risk-per-trade.ts'
import { maxTotalExposure } from './max-total-exposure.ts'
import { minHoldingTime } from './min-holding-time.ts'
import { minTradingDays } from './min-trading-days.ts'
import { newsWindow } from './news-window.ts'
import { profitTarget } from './profit-target.ts'
import { scalingPlan } from './scaling-plan.ts'
import { sessionFlat } from './session-flat.ts'
import { timeLimit } from './time-limit.ts'
import { weekendFlat } from './weekend-flat.ts'
import { winningDays } from './winning-days.ts'

const KINDS: { [K in Rule['rule']]: RuleKind<Extract<Rule, { rule: K }>> } = {
  profit_target: profitTarget,
  max_daily_loss: maxDailyLoss,
  daily_profit_cap: dailyProfitCap,
  max_loss: maxLoss,
  min_trading_days: minTradingDays,
  winning_days: winningDays,
  time_limit: timeLimit,
  inactivity,
  consistency,
  max_position_size: maxPositionSize,
  max_open_positions: maxOpenPositions,
  max_orders_per_day: maxOrdersPerDay,
  max_total_exposure: maxTotalExposure,
  scaling_plan: scalingPlan,
  allowed_symbols: allowedSymbols,
  allowed_sides: allowedSides,
  allowed_sessions: allowedSessions,
  max_risk_per_trade: maxRiskPerTrade,
  max_risk_per_idea: maxRiskPerIdea,
  max_open_loss: maxOpenLoss,
  min_holding_time: minHoldingTime,
  weekend_flat: weekendFlat,
  session_flat: sessionFlat,
  news_window: newsWindow,
  detectors,
}
/** Names in table order. */
export const RULE_NAMES = Object.keys(KINDS) as Rule['rule'][]
export const kindOf = (rule: Rule): RuleKind<Rule> => KINDS[rule.rule] as unknown as RuleKind<Rule>
export const tableOrder = (rule: Rule): number => RULE_NAMES.indexOf(rule.rule)
