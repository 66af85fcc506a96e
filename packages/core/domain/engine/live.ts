import { valueIn } from '../instruments/convert.ts'
import { abs, add, div, mul, str, sub } from '../money/dec.ts'
import { valuingSymbols } from './breach.ts'
import type { Compiled } from './compile.ts'
import { factsOf, rulesOf } from './facts.ts'
import { money, type RuleView, ruleViews } from './live-rules.ts'
import { viewOf, waitingStatus } from './orders/order-view.ts'
import type { AccountState } from './state.ts'
import type { OrderView } from './types.ts'
import { equityOf, floating, markOf, quotesOf, reservedMargin, usedMargin } from './valuation.ts'
import type { MarketView } from './view.ts'

export { money, type RuleView } from './live-rules.ts'

export interface PositionView {
  /** the order that opened it */
  id: string
  symbol: string
  quantity: string
  cost: string
  average_price: string
  mark: string
  unrealised: string
  opened_at: number
}
export interface LiveView {
  account: string
  status: string
  phase: number
  currency: string
  mseq: number
  mts: number
  aseq: number
  balance: string
  equity: string
  unrealised: string
  used_margin: string
  reserved_margin: string
  free_margin: string
  provisional: boolean
  /** orders that add exposure are refused until then */
  lock: { rule: string; index: number; until: number } | null
  /** `until`: when the running one ends by itself */
  pauses: { count: number; until: number | null }
  day: { k: number; start: number; next_reset: number; balance: string; equity: string } | null
  positions: PositionView[]
  orders: OrderView[]
  rules: RuleView[]
  unknown_symbols: string[]
}

function positionViews(state: AccountState, compiled: Compiled, view: MarketView): PositionView[] {
  const quoteOf = quotesOf(view)
  return state.book.positions.map((p) => {
    const market = compiled.markets.get(p.symbol)!
    const quote = quoteOf(p.symbol)!
    const result = floating(p.quantity, p.cost, market, quote.bid.price, quote.ask.price)
    return {
      id: p.id,
      symbol: p.symbol,
      quantity: str(p.quantity),
      cost: str(p.cost),
      average_price: str(abs(div(p.cost, mul(p.quantity, market.contract)))),
      mark: str(markOf(p.quantity, market, quote)),
      unrealised: money(valueIn(result, market.path!, quoteOf)!, compiled.scale),
      opened_at: p.openedAt,
    }
  })
}

/** What is served live about an account, settled to the view's mseq. Money strings have at least the ledger scale's places. */
export function liveView(state: AccountState, compiled: Compiled, view: MarketView): LiveView {
  const quoteOf = quotesOf(view)
  const { scale } = compiled
  const { book, day, lock, pauses } = state
  const held = equityOf(book, compiled, quoteOf)
  const used = usedMargin(book, compiled, quoteOf)
  const reserved = reservedMargin(state.orders, book, compiled, quoteOf)
  return {
    account: state.account,
    status: state.status,
    phase: state.phase,
    currency: compiled.spec.currency,
    mseq: view.mseq,
    mts: view.mts,
    aseq: state.aseq - 1,
    balance: money(book.balance, scale),
    equity: money(held, scale),
    unrealised: money(sub(held, book.balance), scale),
    used_margin: money(used, scale),
    reserved_margin: money(reserved, scale),
    free_margin: money(sub(held, add(used, reserved)), scale),
    provisional: state.provisional !== null,
    lock: lock && { rule: rulesOf(state, compiled)[lock.rule]!.rule, index: lock.rule, until: lock.until },
    pauses: { count: pauses.count, until: pauses.until },
    day: day && {
      k: day.k,
      start: day.start,
      next_reset: day.next,
      balance: money(day.balance, scale),
      equity: money(day.equity, scale),
    },
    positions: positionViews(state, compiled, view),
    orders: state.orders.map((order) => viewOf(order, waitingStatus(order))),
    rules: day ? ruleViews(factsOf(state, compiled, quoteOf, view.mts), quoteOf) : [],
    unknown_symbols: valuingSymbols(state, compiled).filter((s) => view.symbol(s)?.status === 'unknown'),
  }
}
