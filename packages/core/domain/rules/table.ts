/**
 * The rule table. A rule is one file and one line here; its place is the table order that breaks ties. Each works on
 * one account's facts at one evaluation point and has no other input.
 */
import { type Dec, min } from '../money/dec.ts'
import type { Day, RuleState } from '../engine/state.ts'
import type { Metric, Rule } from '../engine/types.ts'
import { maxDailyLoss } from './max-daily-loss.ts'
import { maxLoss } from './max-loss.ts'
import { minTradingDays } from './min-trading-days.ts'
import { profitTarget } from './profit-target.ts'

/** What a rule may look at, account currency, exact. */
export interface Facts {
  initial: Dec
  balance: Dec
  equity: Dec
  day: Day
  flat: boolean
  at: number
}
export interface RuleKind<R extends Rule> {
  /** loss rules: the floor under these facts */
  floor?: (rule: R, facts: Facts) => Dec
  /** loss rules: is the floor tested at this kind of point */
  testedAt?: (rule: R, point: 'every' | 'reset') => boolean
  /** the amount the day's floor hangs on, for the day's row */
  anchor?: (rule: R, facts: Facts) => Dec
  /** objectives: open when this is true */
  met?: (rule: R, facts: Facts, state: RuleState) => boolean
  /** at a reset, before the new day: counts the day that ends */
  endDay?: (rule: R, facts: Facts, state: RuleState) => void
}
const KINDS: { [K in Rule['rule']]: RuleKind<Extract<Rule, { rule: K }>> } = {
  profit_target: profitTarget,
  max_daily_loss: maxDailyLoss,
  max_loss: maxLoss,
  min_trading_days: minTradingDays,
}
/** Names in table order. */
export const RULE_NAMES = Object.keys(KINDS) as Rule['rule'][]
export const kindOf = (rule: Rule): RuleKind<Rule> => KINDS[rule.rule] as RuleKind<Rule>
export const tableOrder = (rule: Rule): number => RULE_NAMES.indexOf(rule.rule)

export function metricOf(metric: Metric, facts: Facts): Dec {
  if (metric === 'equity') return facts.equity
  return metric === 'balance' ? facts.balance : min(facts.equity, facts.balance)
}
