import type { ConsistencyRule, MinTradingDaysRule, Rule } from '../../domain/engine/types.ts'
import { type Account, type Desk, phaseOf, type RuleState, rulesOf } from './account.ts'
import { amountOf, initialOf, targetOf } from './breach.ts'
import { abs, max, mul, num, percentOf, text } from './number.ts'

/** Is the ending (or running) day one that the rule counts? */
function countsDay(account: Account, rule: MinTradingDaysRule): boolean {
  const { day, book } = account
  const result = book.balance - day.balance
  const asked = percentOf(initialOf(account), num(rule.pct ?? '0'))
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
const dayResult = ({ book, day }: Account, gross: boolean): bigint => (gross ? day.gross : book.balance - day.balance)

/** What the ending day adds to rules that count days. */
export function countDay(account: Account): void {
  rulesOf(account).forEach((rule, i) => {
    const state = account.rules[i]!
    if (rule.rule === 'min_trading_days' && countsDay(account, rule)) state.days += 1
    if (rule.rule === 'winning_days' && dayResult(account, false) >= num(rule.amount)) state.days += 1
    if (rule.rule === 'consistency') {
      const result = dayResult(account, rule.gross)
      if (rule.basis !== 'trade') state.best = state.best === null ? result : max(state.best, result)
      state.sum += result
      state.positive += max(result, 0n)
    }
  })
}

/** What a phase can be passed by; the other gates refuse orders. */
const OBJECTIVES: Rule['rule'][] = [
  'profit_target',
  'min_trading_days',
  'winning_days',
  'consistency',
  'min_holding_time',
]
/** Do all gates of the phase stand open? Says when a target is met. */
export function gatesOpen(desk: Desk, equity: bigint): boolean {
  const { account, at } = desk
  const { book, orders } = account
  let open = phaseOf(account).kind === 'evaluation'
  let hasGate = false
  rulesOf(account).forEach((rule, i) => {
    const state = account.rules[i]!
    if (OBJECTIVES.includes(rule.rule) && rule.effect === 'gate') hasGate = true
    if (rule.rule === 'profit_target') {
      const gained = (rule.basis === 'equity' ? equity : book.balance) - initialOf(account) >= amountOf(account, rule)
      const met = gained && (!rule.require_flat || (book.positions.length === 0 && orders.length === 0))
      if (met && state.reachedAt === null) {
        state.reachedAt = at
        desk.said.push({ kind: 'target', phase: account.phase, index: i, reached: true })
      }
      if (!(rule.sticky ? state.reachedAt !== null : met)) open = false
    }
    if (rule.rule === 'min_trading_days') {
      // a day's result is known when it ends; that something was opened stands at once
      const isKnown = rule.counts === 'opened' || rule.counts === 'opened_and_closed'
      if (state.days + (isKnown && countsDay(account, rule) ? 1 : 0) < rule.n) open = false
    }
    if (rule.rule === 'winning_days' && state.days < rule.n) open = false
    if (rule.rule === 'consistency' && !isConsistent(account, rule, state)) open = false
    if (rule.rule === 'min_holding_time' && rule.effect === 'gate' && account.closedTrades > 0) {
      const short = BigInt(state.short)
      const allowed = mul(num(rule.share), BigInt(account.closedTrades) * 10n ** 72n)
      const value = short * 10n ** 72n
      if (rule.compare === 'lt' ? value > allowed : value >= allowed) open = false
    }
  })
  return open && hasGate
}
function isConsistent(account: Account, rule: ConsistencyRule, state: RuleState): boolean {
  const within = (best: bigint, whole: bigint) => {
    const allowed = mul(num(rule.share), whole)
    return rule.compare === 'lt' ? best <= allowed : best < allowed
  }
  const today = dayResult(account, rule.gross)
  const total = state.sum + today
  if (total <= 0n) return false
  if (rule.basis === 'lots') return lotsWithin(account, rule)
  if (rule.basis === 'trade') return within(state.best ?? 0n, targetOf(account) ?? 0n)
  const best = state.best === null ? today : max(state.best, today)
  if (rule.basis === 'target') return within(best, targetOf(account) ?? 0n)
  return within(best, rule.basis === 'total' ? total : state.positive + max(today, 0n))
}
function lotsWithin(account: Account, rule: ConsistencyRule): boolean {
  const share = num(rule.share)
  const groups = Map.groupBy(account.lots, ({ symbol, week }) => `${symbol} ${week}`)
  return [...groups.values()].every((lots) => {
    const n = BigInt(lots.length)
    let sum = 0n
    for (const { size } of lots) sum += size
    // share x avg <= size <= avg / share, both sides times n
    return lots.every(({ size }) => {
      const low = mul(share, sum)
      const high = mul(share, size * n)
      return rule.compare === 'lt' ? low <= size * n && high <= sum : low < size * n && high < sum
    })
  })
}
export const shown = (value: bigint | null): string | null => (value === null ? null : text(value))
