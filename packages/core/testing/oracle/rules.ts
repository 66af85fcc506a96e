import type { MaxDailyLossRule, Metric, Rule } from '../../domain/engine/types.ts'
import { type Account, type Day, rulesOf } from './account.ts'
import { abs, max, min, mul, num, ONE, percentOf } from './number.ts'

/** Order of the table in rules.md. */
const TABLE = ['profit_target', 'max_daily_loss', 'max_loss', 'min_trading_days']
type FloorRule = Extract<Rule, { rule: 'max_daily_loss' | 'max_loss' }>
export const isFloorRule = (rule: Rule): rule is FloorRule => rule.rule === 'max_daily_loss' || rule.rule === 'max_loss'

export const measure = (metric: Metric, balance: bigint, equity: bigint): bigint =>
  metric === 'equity' ? equity : metric === 'balance' ? balance : min(equity, balance)
export const isBelow = (rule: FloorRule, value: bigint, floor: bigint): boolean =>
  rule.compare === 'lt' ? value < floor : value <= floor

function anchorOf(rule: MaxDailyLossRule, initial: bigint, day: Day): bigint {
  switch (rule.anchor) {
    case 'balance':
      return day.balance
    case 'equity':
      return day.equity
    case 'max':
      return max(day.balance, day.equity)
    case 'initial':
      return initial
    case 'day_high':
      return day.high
  }
}
export function floorOf(rule: FloorRule, initial: bigint, day: Day): bigint {
  const { limit } = rule
  const anchor = rule.rule === 'max_loss' ? initial : anchorOf(rule, initial, day)
  if ('amount' in limit) return anchor - num(limit.amount)
  if ('ratio' in limit) return mul(anchor, ONE - num(limit.ratio))
  return anchor - percentOf('of' in limit && limit.of === 'anchor' ? anchor : initial, num(limit.pct))
}

/** A limit that the metric has crossed, and the metric's distance to it before the point and after it. */
export interface Crossed {
  index: number
  floor: bigint
  before: bigint
  after: bigint
}
/** When limits are tested, where they lie, and how far the metrics were from them before the point. */
export interface Test {
  tested: 'always' | 'reset'
  floors: (bigint | null)[]
  before: bigint[]
}
export function crossedIn(rules: Rule[], { tested, floors, before }: Test, balance: bigint, equity: bigint): Crossed[] {
  return rules.flatMap((rule, index) => {
    if (!isFloorRule(rule) || (rule.rule === 'max_daily_loss' ? rule.tested : 'always') !== tested) return []
    const floor = floors[index]!
    const value = measure(rule.metric, balance, equity)
    return isBelow(rule, value, floor) ? [{ index, floor, before: before[index]!, after: value - floor }] : []
  })
}
/** Straight lines from before to after: the one that gets to its limit first stands first; ties by the order of the table. */
export function inOrderCrossed(account: Account, crossed: Crossed[]): Crossed[] {
  const rules = rulesOf(account)
  return crossed.toSorted((a, b) => {
    // before / (before - after), without dividing
    const [left, right] = [a, b].map((c) => (c.before <= 0n ? [0n, 1n] : [c.before, c.before - c.after]))
    const order = left![0]! * right![1]! - right![0]! * left![1]!
    if (order !== 0n) return order < 0n ? -1 : 1
    return TABLE.indexOf(rules[a.index]!.rule) - TABLE.indexOf(rules[b.index]!.rule) || a.index - b.index
  })
}

/** Is the ending (or running) day one that the rule counts? */
export function counts(
  rule: Extract<Rule, { rule: 'min_trading_days' }>,
  day: Day,
  balance: bigint,
  initial: bigint,
): boolean {
  const result = balance - day.balance
  const asked = percentOf(initial, num(rule.pct ?? '0'))
  switch (rule.counts) {
    case 'opened':
      return day.opened
    case 'opened_and_closed':
      return day.openedAndClosed
    case 'moved':
      return abs(result) >= asked
    case 'won':
      return result >= asked
  }
}
