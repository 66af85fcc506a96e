import { type Desk, rulesOf } from './account.ts'
import { ratchet, valuedOf } from './breach.ts'
import { localDay, resetAfter } from './clocks.ts'
import { countTradingDay } from './clockwork.ts'
import { countDay } from './gates.ts'
import { text } from './number.ts'
import { setScale } from './phases.ts'
import { testRules } from './point.ts'

/** What is tested at a reset with the ending day's floors, then the snapshot and the new day. */
export function reset(desk: Desk): void {
  const { account, at } = desk
  const { day, book, spec } = account
  testRules(desk, 'reset', valuedOf(desk), [])
  const valued = valuedOf(desk)
  if (account.status !== 'started' && account.status !== 'paused') return
  countDay(account)
  countTradingDay(desk)
  account.day = {
    k: day.k + 1,
    start: at,
    next: resetAfter(spec.reset_zone, spec.reset_time, at),
    balance: book.balance,
    equity: valued.equity,
    high: valued.equity,
    opened: false,
    openedAndClosed: false,
    orders: 0,
    gross: 0n,
  }
  rulesOf(account).forEach((rule, i) => {
    const state = account.rules[i]!
    if (rule.rule === 'max_daily_loss' || rule.rule === 'max_open_loss') state.warned = 0
    if (rule.rule === 'max_loss' && rule.mode === 'eod_balance') state.high = larger(state.high, book.balance)
    if (rule.rule === 'max_loss' && rule.mode === 'eod_equity') state.high = larger(state.high, valued.equity)
    if (rule.rule === 'scaling_plan') setScale(account, i)
  })
  desk.said.push({
    kind: 'day',
    phase: account.phase,
    at,
    day: localDay(spec.reset_zone, at),
    k: day.k + 1,
    balance: text(book.balance),
    equity: text(valued.equity),
  })
  ratchet(account, valued.equity)
  if (account.lock?.until === at) {
    account.lock = null
    desk.said.push({ kind: 'lock', phase: account.phase, index: null, until: null })
  }
}
const larger = (a: bigint | null, b: bigint): bigint => (a === null || b > a ? b : a)
