import type { AccountSpec } from '../../domain/engine/types.ts'
import { type Account, type Book, byId, type Desk, rulesOf } from './account.ts'
import { floorsOf, initialOf, type Line, linesOf, ratchet } from './breach.ts'
import { closing } from './carry.ts'
import { DAY, daysAfter, resetAfter } from './clocks.ts'
import { fillMarketable } from './fill.ts'
import { num, text } from './number.ts'
import { marksOf } from './value.ts'
import { endOrder } from './working.ts'

interface Ending {
  balance: bigint
  equity: bigint
  first?: Line
}
export function setScale(account: Account, index: number): void {
  const rule = rulesOf(account)[index]!
  if (rule.rule !== 'scaling_plan') return
  const state = account.rules[index]!
  let allowed = num(rule.base)
  for (const step of rule.steps) if (account.day.balance > num(step.above)) allowed = num(step.max)
  state.allowed = rule.keeps && state.allowed !== null && state.allowed > allowed ? state.allowed : allowed
}
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
export function closePositions(desk: Desk, book: Book, symbol?: string | null): void {
  for (const position of book.positions.toSorted(byId)) {
    if (symbol === undefined || position.symbol === symbol) fillMarketable(desk, book, closing(position, 'close'))
  }
}
export function blank(id: string, spec: AccountSpec): Account {
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
