/**
 * The rule table. A rule is one file and one line here; its place is the table order that breaks ties. Each works on
 * one account's facts at one evaluation point and has no other input.
 */
import type { Rule } from '../engine/types.ts'
import type { RuleKind } from './kind.ts'
import { maxDailyLoss } from './max-daily-loss.ts'
import { maxLoss } from './max-loss.ts'
import { minTradingDays } from './min-trading-days.ts'
import { profitTarget } from './profit-target.ts'

const KINDS: { [K in Rule['rule']]?: RuleKind<Extract<Rule, { rule: K }>> } = {
  profit_target: profitTarget,
  max_daily_loss: maxDailyLoss,
  max_loss: maxLoss,
  min_trading_days: minTradingDays,
}
/** Names in table order. */
export const RULE_NAMES = Object.keys(KINDS) as Rule['rule'][]
export const kindOf = (rule: Rule): RuleKind<Rule> => (KINDS[rule.rule] ?? {}) as RuleKind<Rule>
export const tableOrder = (rule: Rule): number => RULE_NAMES.indexOf(rule.rule)
