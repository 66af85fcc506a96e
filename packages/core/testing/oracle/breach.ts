import type {
  Compare,
  DailyProfitCapRule,
  Effect,
  MaxDailyLossRule,
  MaxLossRule,
  Metric,
  ProfitTargetRule,
  Rule,
} from '../../domain/engine/types.ts'
import { type Account, type Book, type Day, type Desk, type Position, type RuleState, rulesOf } from './account.ts'
import { max, min, mul, num, ONE, percentOf } from './number.ts'
import { ideaResult } from './trades.ts'
import { equityOf, type Marks, marksOf } from './value.ts'

/** Order of the table in rules.md. */
export const TABLE: Rule['rule'][] = [
  'profit_target',
  'max_daily_loss',
  'daily_profit_cap',
  'max_loss',
  'min_trading_days',
  'winning_days',
  'time_limit',
  'inactivity',
  'consistency',
  'max_position_size',
  'max_open_positions',
  'max_orders_per_day',
  'max_total_exposure',
  'scaling_plan',
  'allowed_symbols',
  'allowed_sides',
  'allowed_sessions',
  'max_risk_per_trade',
  'max_risk_per_idea',
  'max_open_loss',
  'min_holding_time',
  'weekend_flat',
  'session_flat',
  'news_window',
  'detectors',
]
export const initialOf = (account: Account): bigint => num(account.spec.initial_balance)
export const measure = (metric: Metric, balance: bigint, equity: bigint): bigint =>
  metric === 'equity' ? equity : metric === 'balance' ? balance : min(equity, balance)

// ---- floors --------------------------------------------------------------------------------------------------------
type DayRule = MaxDailyLossRule | DailyProfitCapRule
export function anchorOf(rule: DayRule, initial: bigint, day: Day): bigint {
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
function dayLimit(rule: DayRule, initial: bigint, day: Day): bigint {
  const { limit } = rule
  const anchor = anchorOf(rule, initial, day)
  const allowance =
    'amount' in limit ? num(limit.amount) : percentOf(limit.of === 'anchor' ? anchor : initial, num(limit.pct))
  return rule.rule === 'daily_profit_cap' ? anchor + allowance : anchor - allowance
}
export const amountOf = (account: Account, rule: ProfitTargetRule): bigint =>
  rule.amount !== undefined ? num(rule.amount) : percentOf(initialOf(account), num(rule.pct!))
/** The phase's profit target: the first that it lists. */
export function targetOf(account: Account): bigint | null {
  const rule = rulesOf(account).find((r) => r.rule === 'profit_target')
  return rule?.rule === 'profit_target' ? amountOf(account, rule) : null
}
function ceilingOf(account: Account, { lock }: MaxLossRule): bigint | null {
  if (lock === null) return null
  if (lock.at === 'initial') return initialOf(account) + num(lock.offset)
  const target = targetOf(account)
  return target === null ? null : initialOf(account) + target
}
/** Floor under a high-water mark; it never falls, and never lies above its lock. */
function trailFloor(account: Account, rule: MaxLossRule, state: RuleState): bigint {
  const initial = initialOf(account)
  const high = state.high ?? initial
  const { limit } = rule
  const below =
    'ratio' in limit
      ? mul(high, ONE - num(limit.ratio))
      : high - ('amount' in limit ? num(limit.amount) : percentOf(initial, num(limit.pct)))
  const ceiling = ceilingOf(account, rule)
  const floor = ceiling === null ? below : min(ceiling, below)
  return state.floor === null ? floor : max(state.floor, floor)
}
/** High-water marks of this instant, then the floors that hang on them. */
export function ratchet(account: Account, equity: bigint): void {
  const { day, book } = account
  const initial = initialOf(account)
  day.high = max(day.high, equity)
  rulesOf(account).forEach((rule, i) => {
    const state = account.rules[i]!
    if (rule.rule === 'max_daily_loss' || rule.rule === 'daily_profit_cap') state.floor = dayLimit(rule, initial, day)
    if (rule.rule === 'max_loss') {
      if (rule.mode === 'closed_balance') state.high = max(state.high ?? initial, book.balance)
      if (rule.mode === 'intraday_equity') state.high = max(state.high ?? initial, equity)
      state.floor = trailFloor(account, rule, state)
    }
    if (rule.rule === 'max_open_loss') {
      const base = rule.of === 'balance' ? day.balance : day.balance - initial
      state.floor = base > 0n ? book.balance - percentOf(base, num(rule.pct)) : null
    }
  })
}

// ---- limits and what crosses them ------------------------------------------------------------------------------------
/** How a rule stands: `gap` is what is left to its limit. */
export interface Line {
  index: number
  value: bigint
  limit: bigint
  gap: bigint
}
/** When limits are tested, where they lie, how far metrics were from them before the point, and what time decided. */
export interface Breaches {
  tested: 'always' | 'reset'
  floors: (bigint | null)[]
  before: bigint[]
  facts: Line[]
}
export interface Valued {
  balance: bigint
  equity: bigint
  positions: Position[]
  marks: Marks
}
export function linesOf(
  desk: Desk,
  floors: (bigint | null)[],
  { balance, equity, positions, marks }: Valued,
): (Line | null)[] {
  const { account } = desk
  return rulesOf(account).map((rule, index): Line | null => {
    const limit = floors[index] ?? null
    if (rule.rule === 'max_daily_loss' || rule.rule === 'max_loss') {
      const value = measure(rule.metric, balance, equity)
      return { index, value, limit: limit!, gap: value - limit! }
    }
    if (rule.rule === 'daily_profit_cap') {
      const value = measure(rule.metric, balance, equity)
      return { index, value, limit: limit!, gap: limit! - value }
    }
    if (rule.rule === 'max_open_loss')
      return limit === null ? null : { index, value: equity, limit, gap: equity - limit }
    if (rule.rule === 'max_risk_per_idea') {
      const allowed = percentOf(initialOf(account), num(rule.pct))
      let worst: bigint | null = null
      for (const idea of account.ideas) {
        if (idea.withinS !== rule.within_s) continue
        // what lies behind was looked at when it ended
        if (idea.flatSince !== null && idea.flatSince !== desk.at) continue
        const result = ideaResult(desk, idea, positions, marks)
        worst = worst === null ? result : min(worst, result)
      }
      return { index, value: -(worst ?? 0n), limit: allowed, gap: (worst ?? 0n) + allowed }
    }
    return null
  })
}
const compareOf = (rule: Rule): Compare => ('compare' in rule ? rule.compare : 'lt')
export const isCrossed = (rule: Rule, gap: bigint): boolean => (compareOf(rule) === 'lt' ? gap < 0n : gap <= 0n)
const testedAt = (rule: Rule): 'always' | 'reset' =>
  rule.rule === 'max_daily_loss' || rule.rule === 'daily_profit_cap' ? rule.tested : 'always'

/** Limits that are crossed at this kind of point. */
export function crossedBy(desk: Desk, { tested, floors, facts }: Breaches, valued: Valued): Line[] {
  const rules = rulesOf(desk.account)
  const lines = linesOf(desk, floors, valued).filter((line) => line !== null)
  return [
    ...lines.filter(({ index, gap }) => testedAt(rules[index]!) === tested && isCrossed(rules[index]!, gap)),
    ...facts,
  ]
}
/** What is not said again: flags of this day; soft breaches while locked. */
export function isNews(account: Account, { index }: Line): boolean {
  const { effect } = rulesOf(account)[index]!
  if (effect === 'flag') return account.rules[index]!.saidOn !== account.day.k
  if (effect === 'soft') return account.lock === null
  return true
}
/**
 * Straight lines from before to after: the one that gets to its limit first stands first; ties by the order of the
 * table. A hard one goes before all others.
 */
export function inOrderCrossed(account: Account, crossed: Line[], before: bigint[]): Line[] {
  const rules = rulesOf(account)
  const rank = (effect: Effect) => (effect === 'hard' ? 0 : 1)
  const isLine = ({ index }: Line) => LINES.includes(rules[index]!.rule)
  const tied = (a: Line, b: Line) =>
    TABLE.indexOf(rules[a.index]!.rule) - TABLE.indexOf(rules[b.index]!.rule) || a.index - b.index
  return crossed.toSorted((a, b) => {
    const effects = rank(rules[a.index]!.effect) - rank(rules[b.index]!.effect)
    if (effects !== 0) return effects
    // before / (before - after), without dividing
    const [left, right] = [a, b].map((line) => {
      const { index, gap, value, limit } = line
      // what had no line before the point comes from nothing
      if (!isLine(line)) return value > 0n ? [limit, value] : [0n, 1n]
      const from = before[index] ?? 0n
      return from <= 0n ? [0n, 1n] : [from, from - gap]
    })
    const order = left![0]! * right![1]! - right![0]! * left![1]!
    if (order !== 0n) return order < 0n ? -1 : 1
    return tied(a, b)
  })
}
/** Rules whose metric runs a straight line to its limit. */
const LINES: Rule['rule'][] = ['max_daily_loss', 'daily_profit_cap', 'max_loss', 'max_risk_per_idea', 'max_open_loss']
/** What a book is worth at the marks of now. */
export function valuedOf(desk: Desk, book: Book = desk.account.book, marks = marksOf(desk)): Valued {
  const equity = equityOf(desk.account.spec, book, marks)
  return { balance: book.balance, equity, positions: book.positions, marks }
}
export const floorsOf = (account: Account) => account.rules.map(({ floor }) => floor)
