import { type Desk, type Idea, type Order, type Position, rulesOf, type Trade } from './account.ts'
import { DAY, datePlus, localDay, weekDay } from './clocks.ts'
import { max } from './number.ts'
import { floatingOf, type Marks } from './value.ts'

interface Noted {
  order: Order
  before: Position
  after: Position
  closes: bigint
  opens: bigint
  result: bigint
  fee: bigint
}
/** What rules count of fills: trades from their opening to their end, ideas, days, when the last fill was. */
export function noteFill(desk: Desk, fill: Noted): void {
  const { account, at } = desk
  account.firstFill ??= at
  account.lastFill = at
  account.day.gross += fill.result
  rulesOf(account).forEach((rule, i) => {
    if (rule.rule === 'inactivity') account.rules[i]!.due = at + rule.days * DAY
  })
  account.entries = account.entries.filter((e) => account.book.positions.some((p) => p.id === e.position))
  if (fill.opens > 0n) enter(desk, fill.after.id)
  if (fill.closes > 0n) closePart(desk, fill)
  if (fill.opens > 0n) openPart(desk, fill)
}
/** One look for a stop is owed for each instant of entry; a hundred at most of one position. */
function enter({ account, at }: Desk, position: string): void {
  rulesOf(account).forEach((rule, index) => {
    if (rule.rule !== 'max_risk_per_trade' || !rule.needs_stop || rule.effect === 'gate') return
    const own = account.entries.filter((e) => e.index === index && e.position === position)
    const last = own.at(-1)
    if (last && (last.at === at || own.length >= 100)) account.entries.splice(account.entries.indexOf(last), 1)
    account.entries.push({ index, position, at })
  })
}
function closePart(desk: Desk, { before, after, closes, opens, result, fee, order }: Noted): void {
  const { account, at } = desk
  const side = before.quantity > 0n ? 'buy' : 'sell'
  const trade = account.trades.find((t) => t.position === before.id)!
  trade.gross += result
  trade.net += result + fee
  for (const idea of account.ideas) {
    if (idea.symbol === order.symbol && idea.side === side && idea.flatSince === null) idea.realised += result + fee
  }
  const isOver = opens > 0n || after.quantity === 0n
  if (!isOver || closes === 0n) return
  endTrade(desk, trade)
  const stillHeld = account.book.positions.some(
    (p) => p.symbol === order.symbol && p !== after && p.quantity > 0n === (side === 'buy'),
  )
  for (const idea of account.ideas) {
    if (idea.symbol === order.symbol && idea.side === side && !stillHeld) idea.flatSince ??= at
  }
}
function endTrade(desk: Desk, trade: Trade): void {
  const { account, at } = desk
  account.trades = account.trades.filter((t) => t !== trade)
  account.closedTrades += 1
  rulesOf(account).forEach((rule, i) => {
    const state = account.rules[i]!
    if (rule.rule === 'min_holding_time' && at - trade.openedAt < rule.seconds * 1000) state.short += 1
    if (rule.rule === 'consistency' && rule.basis === 'trade') {
      const profit = rule.gross ? trade.gross : trade.net
      state.best = state.best === null ? profit : max(state.best, profit)
    }
  })
}
function openPart(desk: Desk, { before, after, closes, opens, fee, order }: Noted): void {
  const { account, at } = desk
  const own = closes > 0n ? 0n : fee
  let trade = account.trades.find((t) => t.position === after.id && (closes === 0n || before.id === after.id))
  if (!trade || (closes > 0n && opens > 0n)) {
    trade = { position: after.id, symbol: order.symbol, side: order.side, openedAt: at, gross: 0n, net: 0n }
    account.trades.push(trade)
  }
  trade.net += own
  const spans = new Set(rulesOf(account).flatMap((r) => (r.rule === 'max_risk_per_idea' ? [r.within_s] : [])))
  for (const withinS of spans) {
    const idea = ideaFor(account.ideas, withinS, order)
    if (idea && (idea.flatSince === null || at - idea.flatSince <= withinS * 1000)) {
      idea.flatSince = null
      idea.realised += own
    } else {
      account.ideas = account.ideas.filter((i) => i !== idea)
      account.ideas.push({ withinS, symbol: order.symbol, side: order.side, realised: own, flatSince: null })
    }
  }
  noteLot(desk, order, opens)
}
const ideaFor = (ideas: Idea[], withinS: number, { symbol, side }: Order): Idea | undefined =>
  ideas.find((i) => i.withinS === withinS && i.symbol === symbol && i.side === side)
/** The size of each entry counts in the week in which it first filled. */
function noteLot({ account, at }: Desk, order: Order, opens: bigint): void {
  const lot = account.lots.find((l) => l.order === order.id)
  if (lot) lot.size += opens
  else
    account.lots.push({ order: order.id, symbol: order.symbol, week: weekOf(account.spec.reset_zone, at), size: opens })
}
const weekOf = (zone: string, at: number): number => {
  const date = localDay(zone, at)
  return Date.parse(`${datePlus(date, 1 - weekDay(date))}T00:00:00Z`) / DAY
}

/** Result of an idea so far, what it holds counted as closed at the touch. */
export function ideaResult({ account }: Desk, idea: Idea, positions: Position[], marks: Marks): bigint {
  let sum = idea.realised
  for (const p of positions) {
    if (p.symbol === idea.symbol && p.quantity > 0n === (idea.side === 'buy')) sum += floatingOf(account.spec, p, marks)
  }
  return sum
}
