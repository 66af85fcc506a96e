import { type Account, byId, type Desk, isRunning, rulesOf } from './account.ts'
import {
  type Breaches,
  crossedBy,
  floorsOf,
  inOrderCrossed,
  isNews,
  type Line,
  linesOf,
  ratchet,
  type Valued,
  valuedOf,
} from './breach.ts'
import { closing } from './carry.ts'
import { resetAfter } from './clocks.ts'
import { setClocks } from './clockwork.ts'
import { doubtOf, doubtsOf, isLost, keepDeepest } from './doubts.ts'
import { fillMarketable } from './fill.ts'
import { gatesOpen } from './gates.ts'
import type { Newest } from './market.ts'
import { newsBroken } from './news.ts'
import { num, text } from './number.ts'
import { finish } from './phases.ts'
import { stopOut } from './stop-out.ts'
import { isUnknown } from './value.ts'
import { warn } from './warnings.ts'
import { endOrder, sweep } from './working.ts'

/** Mark equity, ratchet floors, compare; stop-out; a breach wins over a target. */
export function point(desk: Desk, facts: Line[]): void {
  const { account } = desk
  if (!isRunning(account)) return
  sweep(desk)
  const { risked } = account
  account.risked = []
  evaluate(desk, [...facts, ...risked, ...newsBroken(desk)])
  if (!isRunning(account)) return
  lineUp(desk)
  if (stopOut(desk)) {
    sweep(desk)
    evaluate(desk, [])
  }
  if (!isRunning(account)) return
  const valued = valuedOf(desk)
  const isOpen = !account.provisional && gatesOpen(desk, valued.equity)
  if (isOpen && account.status === 'started' && !account.lock) {
    finish(desk, 'passed', valued)
    return
  }
  lineUp(desk)
  setClocks(desk)
}
/** Where the lines of the next comparison begin. */
function lineUp(desk: Desk): void {
  const { account } = desk
  account.gaps = linesOf(desk, floorsOf(account), valuedOf(desk)).map((line) => line?.gap ?? 0n)
}
export function evaluate(desk: Desk, facts: Line[]): boolean {
  const { account } = desk
  const { phase } = account
  if (account.provisional) judgeAgain(desk)
  if (account.phase !== phase || !isRunning(account)) return true
  const valued = valuedOf(desk)
  ratchet(account, valued.equity)
  if (!account.provisional) warn(desk, valued)
  return testRules(desk, 'always', valued, [...facts, ...holdingTimes(account)])
}
function holdingTimes(account: Account): Line[] {
  return rulesOf(account).flatMap((rule, index): Line[] => {
    if (rule.rule !== 'min_holding_time' || rule.effect === 'gate' || account.closedTrades === 0) return []
    const value = BigInt(account.rules[index]!.short) * num('1')
    const limit = num(rule.share) * BigInt(account.closedTrades)
    const gap = limit - value
    const crossed = rule.compare === 'lt' ? gap < 0n : gap <= 0n
    return crossed ? [{ index, value, limit, gap }] : []
  })
}
export function testRules(desk: Desk, tested: 'always' | 'reset', valued: Valued, facts: Line[]): boolean {
  const { account } = desk
  const breaches: Breaches = { tested, floors: floorsOf(account), before: account.gaps, facts }
  const crossed = crossedBy(desk, breaches, valued).filter((line) => isNews(account, line))
  const marked = crossed.filter((line) => !facts.includes(line))
  const sure = crossed.filter((line) => facts.includes(line))
  const isDoubtful = marked.length > 0 && isLost(desk, account.book)
  if (!isDoubtful) return conclude(desk, crossed, valued)
  if (account.provisional) {
    for (const line of marked) keepDeepest(desk, line, { ...breaches, facts: [] })
    return conclude(desk, sure, valued)
  }
  // what no mark can change is final whatever feed is lost
  const hard = sure.filter(({ index }) => rulesOf(account)[index]!.effect === 'hard')
  if (hard.length > 0) return conclude(desk, hard, valued)
  const first = sayViolation(desk, desk.at, crossed, breaches.before, valued.equity, true)
  for (const order of [...account.orders]) endOrder(desk, order, 'cancelled')
  account.provisional = { first: doubtOf(desk, first, { ...breaches, facts: sure }), later: [] }
  return true
}
function conclude(desk: Desk, crossed: Line[], valued: Valued): boolean {
  if (crossed.length === 0) return false
  const first = sayViolation(desk, desk.at, crossed, desk.account.gaps, valued.equity, false)
  applyEffect(desk, first, crossed, valued)
  return true
}
function applyEffect(desk: Desk, first: Line, crossed: Line[], valued: Valued): void {
  const { account } = desk
  const rules = rulesOf(account)
  for (const { index } of crossed) account.rules[index]!.saidOn = account.day.k
  if (rules[first.index]!.effect === 'hard') {
    finish(desk, 'failed', { ...valued, first })
    return
  }
  const soft = inOrderCrossed(account, crossed, account.gaps).find(({ index }) => rules[index]!.effect === 'soft')
  if (!soft) return
  lineUp(desk)
  lock(desk, soft.index)
  sweep(desk)
  evaluate(desk, [])
}
export function lock(desk: Desk, index: number): void {
  const { account } = desk
  for (const order of [...account.orders]) endOrder(desk, order, 'cancelled')
  const { reset_zone, reset_time } = account.spec
  const until = account.day.next > desk.at ? account.day.next : resetAfter(reset_zone, reset_time, desk.at)
  account.lock = { rule: index, until }
  desk.said.push({ kind: 'lock', phase: account.phase, index, until })
  for (const position of account.book.positions.toSorted(byId)) {
    const { id, symbol } = position
    fillMarketable(desk, account.book, closing(position, 'lock'))
    account.liquidations = account.liquidations.filter((l) => l.position !== id)
    if (account.book.positions.some((p) => p.id === id))
      account.liquidations.push({ position: id, symbol, order: 'lock' })
  }
}
/** One violation: the first limit crossed, and every other. */
function sayViolation(
  desk: Desk,
  at: number,
  crossed: Line[],
  before: bigint[],
  equity: bigint,
  provisional: boolean,
): Line {
  const [first, ...others] = inOrderCrossed(desk.account, crossed, before) as [Line, ...Line[]]
  desk.said.push({
    kind: 'violation',
    phase: desk.account.phase,
    index: first.index,
    value: text(first.value),
    limit: text(first.limit),
    equity: text(equity),
    provisional,
    at,
    crossed: others
      .map((c) => `${c.index} ${text(c.value)} ${text(c.limit)}`)
      .sort()
      .join(),
  })
  return first
}
/**
 * Each lost feed's first mark since stands in; an instant that has all of its marks is computed again, in order. The
 * first that is a breach is final; after a flag those behind it are still open.
 */
function judgeAgain(desk: Desk): void {
  const { account, market } = desk
  const doubts = doubtsOf(account.provisional!)
  for (const { marks } of doubts) {
    for (const [symbol, then] of marks) {
      const isMarked = (market.of(symbol).quote?.mseq ?? 0) > (then.quote?.mseq ?? 0)
      if (then.state === 'unknown' && isMarked)
        marks.set(symbol, { ...structuredClone(market.of(symbol)), state: 'open' })
    }
  }
  for (const doubt of doubts) {
    const { at, book, ideas, breaches, marks } = doubt
    const { provisional } = account
    const then = (symbol: string): Newest => marks.get(symbol)!
    if (book.positions.some((p) => isUnknown(account.spec, p.symbol, then))) return
    const past = { ...desk, at, account: { ...account, ideas, book } }
    const valued = valuedOf(past, book, then)
    const isFirst = doubt === provisional!.first
    const crossed = crossedBy(past, breaches, valued).filter((line) => isFirst || isNews(account, line))
    if (crossed.length === 0) continue
    if (!isFirst && provisional!.first) desk.said.push({ kind: 'withdrawn', phase: account.phase })
    account.provisional = null
    const first = sayViolation(desk, at, crossed, breaches.before, valued.equity, false)
    applyEffect(desk, first, crossed, { ...valued, balance: account.book.balance })
    if (crossed.some(({ index }) => rulesOf(account)[index]?.effect !== 'flag')) return
    account.provisional = { first: null, later: doubts.slice(doubts.indexOf(doubt) + 1) }
  }
  if (account.provisional?.first) desk.said.push({ kind: 'withdrawn', phase: account.phase })
  account.provisional = null
}
