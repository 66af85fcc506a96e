/**
 * A second trading core, written from the specification alone: slow and obvious. Every account looks at everything
 * it has at every event and every command; nothing is indexed, remembered or left out. It shares no code with the
 * engine, only the shapes of what both are told.
 */
import type { AccountSpec, Command } from '../../domain/engine/types.ts'
import type { MarketEvent } from '../../domain/market/event.ts'
import {
  type Account,
  type Book,
  type Decision,
  type Desk,
  type Doubt,
  heldIn,
  type Position,
  type Provisional,
  rulesOf,
} from './account.ts'
import {
  anchorOf,
  type Breaches,
  crossedBy,
  initialOf,
  inOrderCrossed,
  isNews,
  type Line,
  linesOf,
  measure,
  ratchet,
  TABLE,
  type Valued,
} from './breach.ts'
import { bookCarry, carryOf, closing, settle } from './carry.ts'
import { DAY, daysAfter, localDay, resetAfter } from './clocks.ts'
import { countTradingDay, cutsAt, nextInstant, setClocks } from './clockwork.ts'
import { isTradeHeldBack, tradesNow } from './command.ts'
import { isProtected } from './exits.ts'
import { fillMarketable, forgetTaken } from './fill.ts'
import { countDay, gatesOpen } from './gates.ts'
import { type Newest, OracleMarket } from './market.ts'
import { newsBroken } from './news.ts'
import { mul, num, text } from './number.ts'
import { obey } from './obey.ts'
import { equityOf, floatingOf, isOpen, isUnknown, marksOf, usedMargin } from './value.ts'
import { arrive, endOrder, meetOrders, noteArrival, sayStanding, sweep, takesNow } from './working.ts'

export interface Told {
  answer: Record<string, unknown>
  decisions: Decision[]
}
interface Ending {
  balance: bigint
  equity: bigint
  first?: Line
}

export class Oracle {
  readonly market = new OracleMarket()
  readonly accounts = new Map<string, Account>()

  add(id: string, spec: AccountSpec): void {
    this.accounts.set(id, blank(id, spec))
  }

  /** Every account's deadlines with the marks before the event, then the event: one evaluation point. */
  event(event: MarketEvent): Map<string, Decision[]> {
    const decisions = new Map<string, Decision[]>()
    for (const account of this.accounts.values()) {
      const said: Decision[] = []
      this.settle(account, event.mts, said)
      decisions.set(account.id, said)
    }
    this.market.apply(event)
    for (const account of this.accounts.values()) {
      const desk = { account, market: this.market, at: event.mts, said: decisions.get(account.id)! }
      meet(desk, event)
      account.settledTo = event.mts
    }
    return decisions
  }
  command(id: string, command: Command): Told {
    const account = this.accounts.get(id)!
    const desk: Desk = { account, market: this.market, at: this.market.mts, said: [] }
    const answer = obey(desk, command)
    return { answer, decisions: desk.said }
  }
  private settle(account: Account, upTo: number, said: Decision[]): void {
    for (;;) {
      const at = nextInstant(account)
      if (at === null || at > upTo) return
      instant({ account, market: this.market, at, said })
      account.settledTo = at
    }
  }
}

// ---- one instant, one event ------------------------------------------------------------------------------------------
/** Funding and swap; expiry; flats; the reset; clocks; the end of a pause; arrivals. */
function instant(desk: Desk): void {
  const { account, at } = desk
  if (account.status === 'started') bookCarry(desk)
  for (const order of [...account.orders]) if (order.expiresAt === at) endOrder(desk, order, 'expired')
  const { phase } = account
  const { facts, positions } = late(desk)
  if (facts.length > 0) evaluate(desk, facts)
  if (account.phase === phase) {
    cancelLate(desk)
    flatten(desk, positions)
  }
  if (account.day.next === at) reset(desk)
  point(desk, [])
  const clocks = overdue(desk)
  if (clocks.length > 0) point(desk, clocks)
  expire(desk)
  if (account.pauses.until === at) {
    resume(desk, 'max_pause_days')
    point(desk, [])
  }
  const arriving = account.orders.filter((o) => o.arrivesAt === at)
  for (const order of arriving) {
    if (order.status !== 'pending') continue
    account.orders = [...account.orders.filter((o) => o !== order), order]
    order.status = 'working'
    order.arrivesAt = null
    if (takesNow(desk, order)) {
      endOrder(desk, order, 'cancelled')
      continue
    }
    if (isOpen(desk, order.symbol) && tradesNow(desk, [order]) && isTradeHeldBack(desk, order)) {
      const partner = account.orders.find((o) => o.id === order.partner)
      for (const leg of partner ? [order, partner] : [order]) endOrder(desk, leg, 'cancelled', 'news_window')
      continue
    }
    sayStanding(desk, order, 'working')
    const held = heldIn(account.book, order.symbol)
    const { filled } = order
    arrive(desk, order)
    noteArrival(desk, order, { filled, held })
  }
  if (arriving.length > 0) point(desk, [])
}
function meet(desk: Desk, event: MarketEvent): void {
  const { account, market } = desk
  for (const book of [account.book, ...account.closing]) forgetTaken(account, book, market)
  if (account.status === 'started') carryOf(desk, event)
  settle(desk, event)
  const symbol = 'symbol' in event ? event.symbol : null
  for (const book of account.closing) closePositions(desk, book, symbol)
  account.closing = account.closing.filter((book) => book.positions.length > 0)
  if (account.status !== 'started') return
  liquidate(desk, symbol)
  meetOrders(desk, event)
  point(desk, [])
}
function liquidate(desk: Desk, heard: string | null): void {
  const { account } = desk
  for (const { position, symbol, order } of account.liquidations) {
    if (symbol !== heard) continue
    const held = account.book.positions.find((p) => p.id === position)
    if (held) fillMarketable(desk, account.book, closing(held, order))
  }
  account.liquidations = account.liquidations.filter((l) => account.book.positions.some((p) => p.id === l.position))
}

/** What the end of a session or a week finds open. */
function late(desk: Desk): { facts: Line[]; positions: Position[] } {
  const { account, at } = desk
  const facts: Line[] = []
  const positions = new Set<Position>()
  rulesOf(account).forEach((rule, index) => {
    if (rule.rule !== 'weekend_flat' && rule.rule !== 'session_flat') return
    const open = account.book.positions.filter(({ symbol }) => cutsAt(account, rule, symbol, at))
    if (open.length > 0) facts.push({ index, value: BigInt(open.length) * num('1'), limit: 0n, gap: -1n })
    for (const position of open) positions.add(position)
  })
  return { facts, positions: [...positions].sort(byId) }
}
function cancelLate(desk: Desk): void {
  const { account, at } = desk
  for (const order of [...account.orders]) {
    const rule = rulesOf(account).find((r) => cutsAt(account, r, order.symbol, at))
    if (rule) endOrder(desk, order, 'cancelled')
  }
}
function flatten(desk: Desk, positions: Position[]): void {
  const { account } = desk
  if (!running(account)) return
  for (const position of positions) {
    const { id, symbol } = position
    if (!account.book.positions.includes(position)) continue
    fillMarketable(desk, account.book, closing(position, 'flat'))
    account.liquidations = account.liquidations.filter((l) => l.position !== id)
    if (account.book.positions.some((p) => p.id === id))
      account.liquidations.push({ position: id, symbol, order: 'flat' })
  }
}
const byId = (a: Position, b: Position): number => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0)

// ---- rules -------------------------------------------------------------------------------------------------------------
function valuedOf(desk: Desk, book: Book = desk.account.book, marks = marksOf(desk)): Valued {
  const equity = equityOf(desk.account.spec, book, marks)
  return { balance: book.balance, equity, positions: book.positions, marks }
}
/** What is tested at a reset with the ending day's floors, then the snapshot and the new day. */
function reset(desk: Desk): void {
  const { account, at } = desk
  const { day, book, spec } = account
  test(desk, 'reset', valuedOf(desk), [])
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
function setScale(account: Account, index: number): void {
  const rule = rulesOf(account)[index]!
  if (rule.rule !== 'scaling_plan') return
  const state = account.rules[index]!
  let allowed = num(rule.base)
  for (const step of rule.steps) if (account.day.balance > num(step.above)) allowed = num(step.max)
  state.allowed = rule.keeps && state.allowed !== null && state.allowed > allowed ? state.allowed : allowed
}

/** Mark equity, ratchet floors, compare; stop-out; a breach wins over a target. */
export function point(desk: Desk, facts: Line[]): void {
  const { account } = desk
  if (!running(account)) return
  sweep(desk)
  const { risked } = account
  account.risked = []
  evaluate(desk, [...facts, ...risked, ...newsBroken(desk)])
  if (!running(account)) return
  lineUp(desk)
  if (stopOut(desk)) {
    sweep(desk)
    evaluate(desk, [])
  }
  if (!running(account)) return
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
const running = ({ status }: Account): boolean => status === 'started' || status === 'paused'
const floorsOf = (account: Account) => account.rules.map(({ floor }) => floor)

function evaluate(desk: Desk, facts: Line[]): boolean {
  const { account } = desk
  const { phase } = account
  if (account.provisional) judgeAgain(desk)
  if (account.phase !== phase || !running(account)) return true
  const valued = valuedOf(desk)
  ratchet(account, valued.equity)
  if (!account.provisional) warn(desk, valued)
  return test(desk, 'always', valued, [...facts, ...holdingTimes(account)])
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
function test(desk: Desk, tested: 'always' | 'reset', valued: Valued, facts: Line[]): boolean {
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
/** A feed that an account's value hangs on is lost, until it says a price again. */
function isLost(desk: Desk, book: Book): boolean {
  const marks = doubtfulMarks(desk)
  return book.positions.some((p) => isUnknown(desk.account.spec, p.symbol, (symbol) => marks.get(symbol)!))
}
function doubtfulMarks({ account, market }: Desk): Map<string, Newest> {
  const doubts = account.provisional ? doubtsOf(account.provisional) : []
  return new Map(
    account.spec.instruments.map(({ symbol }) => {
      const mark = structuredClone(market.of(symbol))
      const isAwaited = doubts.some((d) => d.marks.get(symbol)!.state === 'unknown')
      return [symbol, isAwaited ? { ...mark, state: 'unknown' } : mark]
    }),
  )
}
const doubtsOf = ({ first, later }: Provisional): Doubt[] => (first ? [first, ...later] : later)
function doubtOf(desk: Desk, { index, gap }: Line, breaches: Breaches): Doubt {
  const { account, at } = desk
  const ideas = structuredClone(account.ideas)
  return { at, book: copy(account.book), ideas, breaches, marks: doubtfulMarks(desk), index, gap }
}
function keepDeepest(desk: Desk, line: Line, breaches: Breaches): void {
  const { provisional } = desk.account
  const kept = provisional!.later.find((d) => d.index === line.index)
  if (kept && kept.gap <= line.gap) return
  // no deeper than at the point before
  if (breaches.tested === 'always' && breaches.before[line.index]! <= line.gap) return
  const doubt = doubtOf(desk, line, breaches)
  provisional!.later = [...provisional!.later.filter((d) => d !== kept), doubt]
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
function lock(desk: Desk, index: number): void {
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
/** Early warnings: each fraction of an allowance, once for each time that the allowance is given. */
function warn(desk: Desk, valued: Valued): void {
  const { account } = desk
  const rules = rulesOf(account)
  const order = rules
    .map((_, i) => i)
    .sort((a, b) => TABLE.indexOf(rules[a]!.rule) - TABLE.indexOf(rules[b]!.rule) || a - b)
  for (const index of order) {
    const state = account.rules[index]!
    const allowance = allowanceOf(account, index, valued)
    if (allowance === null) continue
    const { used, whole, value, limit } = allowance
    for (; state.warned < account.spec.warnings.length; state.warned += 1) {
      const fraction = account.spec.warnings[state.warned]!
      if (used < mul(num(fraction), whole)) break
      desk.said.push({ kind: 'warning', phase: account.phase, index, fraction, value: text(value), limit: text(limit) })
    }
  }
}
function allowanceOf(account: Account, index: number, { balance, equity }: Valued) {
  const rule = rulesOf(account)[index]!
  const limit = account.rules[index]!.floor
  if (limit === null) return null
  if (rule.rule === 'max_open_loss') return { used: balance - equity, whole: balance - limit, value: equity, limit }
  if (rule.rule !== 'max_daily_loss' && rule.rule !== 'max_loss') return null
  const initial = initialOf(account)
  const value = measure(rule.metric, balance, equity)
  const start =
    rule.rule === 'max_loss' ? (account.rules[index]!.high ?? initial) : anchorOf(rule, initial, account.day)
  return { used: start - value, whole: start - limit, value, limit }
}

/** While equity is under the share of used margin: the largest loss is closed whole. Says whether anything was. */
function stopOut(desk: Desk): boolean {
  const { account } = desk
  const { spec, book } = account
  if (spec.stop_out === null || account.provisional) return false
  const marks = marksOf(desk)
  const tried = new Set<string>()
  let filled = false
  for (;;) {
    if (book.positions.some((p) => isUnknown(spec, p.symbol, marks))) return filled
    const used = usedMargin(account, book, marks)
    const equity = equityOf(spec, book, marks)
    const level = mul(num(spec.stop_out), used)
    if (book.positions.length === 0 || equity >= level) return filled
    const [worst] = book.positions
      .filter((p) => !tried.has(p.id) && isOpen(desk, p.symbol))
      .map((p) => ({ p, loss: floatingOf(spec, p, marks) }))
      .sort((a, b) => (a.loss < b.loss ? -1 : a.loss > b.loss ? 1 : byId(a.p, b.p)))
    if (!worst) return filled
    const { p } = worst
    tried.add(p.id)
    if (fillMarketable(desk, book, closing(p, 'stop_out')) === 0n) continue
    filled = true
    desk.said.push({
      kind: 'stop_out',
      phase: account.phase,
      position: p.id,
      symbol: p.symbol,
      equity: text(equity),
      used: text(used),
      level: spec.stop_out,
    })
  }
}

// ---- clocks ------------------------------------------------------------------------------------------------------------
function overdue(desk: Desk): Line[] {
  const { account, at } = desk
  if (account.status !== 'started') return []
  return rulesOf(account).flatMap((rule, index): Line[] => {
    const state = account.rules[index]!
    if (state.due !== at) return []
    if (rule.rule === 'inactivity') {
      state.due = null
      const days = BigInt(rule.days) * num('1')
      return [{ index, value: days, limit: days, gap: -1n }]
    }
    if (rule.rule === 'max_risk_per_trade') {
      const isDue = (e: Account['entries'][number]) => e.index === index && e.at + rule.within_s * 1000 <= at
      const due = account.entries.filter(isDue)
      account.entries = account.entries.filter((e) => !isDue(e))
      const late = account.book.positions.filter(
        (p) => due.some((e) => e.position === p.id) && !isProtected(account, p),
      )
      return late.length > 0 ? [{ index, value: BigInt(late.length) * num('1'), limit: 0n, gap: -1n }] : []
    }
    return []
  })
}
/** A deadline with objectives open. */
function expire(desk: Desk): void {
  const { account, at } = desk
  if (account.status !== 'started') return
  const index = rulesOf(account).findIndex((rule, i) => rule.rule === 'time_limit' && account.rules[i]!.due === at)
  const rule = rulesOf(account)[index]
  if (rule?.rule !== 'time_limit') return
  const days = BigInt(rule.days) * num('1')
  const valued = valuedOf(desk)
  if (!account.provisional && gatesOpen(desk, valued.equity)) finish(desk, 'passed', valued)
  else finish(desk, 'expired', { ...valued, first: { index, value: days, limit: days, gap: 0n } })
}
export function resume(desk: Desk, reason?: string): void {
  const { account, at } = desk
  const { pauses } = account
  pauses.total += at - pauses.since!
  for (const state of account.rules) {
    if (state.left !== null) state.due = at + state.left
    state.left = null
  }
  pauses.since = null
  pauses.until = null
  account.status = 'started'
  desk.said.push({ kind: 'pause', phase: account.phase, paused: false, count: pauses.count, reason })
}
export function pause(desk: Desk): void {
  const { account, at } = desk
  const { pauses, spec } = account
  for (const order of [...account.orders]) endOrder(desk, order, 'cancelled')
  account.status = 'paused'
  pauses.count += 1
  pauses.since = at
  pauses.until = at + spec.max_pause_days * DAY - pauses.total
  for (const state of account.rules) {
    if (state.due !== null) state.left = state.due - at
    state.due = null
  }
  desk.said.push({ kind: 'pause', phase: account.phase, paused: true, count: pauses.count })
}

// ---- phases ------------------------------------------------------------------------------------------------------------
export function open(desk: Desk, phase: number): void {
  const { account, at } = desk
  const initial = initialOf(account)
  const { reset_zone, reset_time } = account.spec
  Object.assign(account, blank(account.id, account.spec), {
    status: 'started',
    phase,
    closing: account.closing,
    pauses: account.pauses,
    settledTo: account.settledTo,
  })
  account.book = { phase, balance: initial, positions: [], taken: [] }
  account.day = {
    k: 0,
    start: at,
    next: resetAfter(reset_zone, reset_time, at),
    balance: initial,
    equity: initial,
    high: initial,
    opened: false,
    openedAndClosed: false,
    orders: 0,
    gross: 0n,
  }
  account.rules = rulesOf(account).map(() => ({
    floor: null,
    high: null,
    reachedAt: null,
    days: 0,
    short: 0,
    best: null,
    sum: 0n,
    positive: 0n,
    allowed: null,
    due: null,
    left: null,
    warned: 0,
    saidOn: null,
  }))
  rulesOf(account).forEach((rule, i) => {
    const state = account.rules[i]!
    if (rule.rule === 'max_loss' && rule.mode !== 'static') state.high = initial
    if (rule.rule === 'scaling_plan') setScale(account, i)
    if (rule.rule === 'inactivity') state.due = at + rule.days * DAY
    if (rule.rule === 'time_limit' && rule.unit === 'calendar' && rule.from === 'start')
      state.due = daysAfter(reset_zone, at, rule.days)
  })
  ratchet(account, initial)
  const valued = { balance: initial, equity: initial, positions: [], marks: marksOf(desk) }
  account.gaps = linesOf(desk, floorsOf(account), valued).map((line) => line?.gap ?? 0n)
  desk.said.push({ kind: 'phase', phase, status: 'opened', balance: text(initial) })
}
/** Working orders are cancelled, positions closed at once; what cannot be closed now is closed when it can. */
export function finish(
  desk: Desk,
  verdict: 'passed' | 'failed' | 'abandoned' | 'expired',
  { balance, equity, first }: Ending,
): void {
  const { account } = desk
  const { phase } = account
  account.provisional = null
  account.lock = null
  account.liquidations = []
  const next = account.spec.phases[phase + 1]
  if (verdict !== 'passed' || next?.kind !== 'evaluation') {
    desk.said.push({
      kind: 'verdict',
      verdict,
      phase,
      balance: text(balance),
      equity: text(equity),
      rule: first ? rulesOf(account)[first.index]!.rule : null,
      value: first ? text(first.value) : null,
      limit: first ? text(first.limit) : null,
    })
  }
  for (const order of [...account.orders]) endOrder(desk, order, 'cancelled')
  closePositions(desk, account.book)
  if (account.book.positions.length > 0) account.closing.push(account.book)
  if (verdict !== 'abandoned') {
    desk.said.push({ kind: 'phase', phase, status: verdict, balance: text(account.book.balance) })
  }
  if (verdict === 'passed' && next) open(desk, phase + 1)
  else account.status = verdict
}
/** All of them, or those of the symbol that something was heard of. */
function closePositions(desk: Desk, book: Book, symbol?: string | null): void {
  for (const position of book.positions.toSorted(byId)) {
    if (symbol === undefined || position.symbol === symbol) fillMarketable(desk, book, closing(position, 'close'))
  }
}
const copy = (book: Book): Book => ({ ...book, positions: book.positions.map((p) => ({ ...p })), taken: [] })

function blank(id: string, spec: AccountSpec): Account {
  return {
    id,
    spec,
    status: 'none',
    phase: 0,
    book: { phase: 0, balance: 0n, positions: [], taken: [] },
    orders: [],
    day: {
      k: 0,
      start: 0,
      next: 0,
      balance: 0n,
      equity: 0n,
      high: 0n,
      opened: false,
      openedAndClosed: false,
      orders: 0,
      gross: 0n,
    },
    rules: [],
    trades: [],
    closedTrades: 0,
    ideas: [],
    lots: [],
    firstFill: null,
    lastFill: null,
    lock: null,
    liquidations: [],
    pauses: { count: 0, total: 0, since: null, until: null },
    gaps: [],
    provisional: null,
    closing: [],
    deeds: [],
    risked: [],
    entries: [],
    settledTo: 0,
  }
}
