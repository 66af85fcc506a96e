import { convert, type QuoteOf } from '../instruments/convert.ts'
import { abs, add, type Dec, dec, div, fixed, gt, isZero, mul, str, sub } from '../money/dec.ts'
import { metricOf } from '../rules/kind.ts'
import { daysCounted } from '../rules/min-trading-days.ts'
import { targetAmount } from '../rules/profit-target.ts'
import { kindOf } from '../rules/table.ts'
import { valuingSymbols } from './breach.ts'
import type { Compiled } from './compile.ts'
import { factsOf, rulesOf } from './facts.ts'
import { viewOf } from './orders/order-view.ts'
import { priceAt, type Reach } from './reach.ts'
import type { AccountState } from './state.ts'
import type { OrderView } from './types.ts'
import { floating, quotesOf, reservedMargin, usedMargin } from './valuation.ts'
import type { MarketView } from './view.ts'

/** One rule as served live: where it stands, its limit, what is left and how much of the allowance is used (0 to 1). */
export interface RuleView {
  rule: string
  index: number
  effect: string
  metric: string | null
  value: string
  /** floor, target or number of days */
  limit: string
  remaining: string
  /** share of the way to the limit, 0 to 1, four places */
  fraction: string
  met: boolean | null
  compare: string | null
  reached_at: number | null
  /** rules on equity: where each held symbol would have to trade for the limit to be reached, if nothing else moved */
  prices: Reach[]
}
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
  day: { k: number; start: number; next_reset: number; balance: string; equity: string } | null
  positions: PositionView[]
  /** pending and working */
  orders: OrderView[]
  rules: RuleView[]
  unknown_symbols: string[]
}

/** At least the currency's places, more where the value has them. */
export const money = (value: Dec, scale: number): string =>
  (str(value).split('.')[1]?.length ?? 0) > scale ? str(value) : fixed(value, scale)

const share = (part: Dec, whole: Dec): string => (isZero(whole) ? '1' : clamp(div(part, whole, 4)))
const clamp = (d: Dec): string => (d.n < 0n ? '0' : gt(d, { n: 1n, s: 0 }) ? '1' : str(d))

const reaches = (state: AccountState, compiled: Compiled, quoteOf: QuoteOf, floor: Dec): Reach[] =>
  state.book.positions.flatMap(({ symbol }) => {
    const price = priceAt(state.book, compiled, quoteOf, symbol, floor)
    return price ? [{ symbol, price: str(price) }] : []
  })

function ruleViews(state: AccountState, compiled: Compiled, view: MarketView): RuleView[] {
  if (!state.day) return []
  const quoteOf = quotesOf(view)
  const facts = factsOf(state, compiled, quoteOf, view.mts)
  return rulesOf(state, compiled).map((rule, index): RuleView => {
    const own = state.rules[index]!
    const shared = { rule: rule.rule, index, effect: rule.effect, reached_at: own.reachedAt, prices: [] as Reach[] }
    if (rule.rule === 'max_loss' || rule.rule === 'max_daily_loss') {
      const value = metricOf(rule.metric, facts)
      const floor = own.floor!
      const start = kindOf(rule).anchor?.(rule, facts) ?? compiled.initial
      return {
        ...shared,
        metric: rule.metric,
        value: money(value, compiled.scale),
        limit: money(floor, compiled.scale),
        remaining: money(sub(value, floor), compiled.scale),
        fraction: share(sub(start, value), sub(start, floor)),
        met: null,
        compare: rule.compare,
        prices: rule.metric === 'balance' ? [] : reaches(state, compiled, quoteOf, floor),
      }
    }
    if (rule.rule === 'profit_target') {
      const target = targetAmount(rule, compiled.initial)
      const made = sub(rule.basis === 'equity' ? facts.equity : facts.balance, compiled.initial)
      return {
        ...shared,
        metric: rule.basis,
        value: money(made, compiled.scale),
        limit: money(target, compiled.scale),
        remaining: money(sub(target, made), compiled.scale),
        fraction: share(made, target),
        met: !gt(target, made) && (!rule.require_flat || facts.flat),
        compare: null,
      }
    }
    if (rule.rule !== 'min_trading_days') throw new Error(`${rule.rule} is not served yet`)
    const days = daysCounted(rule, facts, own)
    return {
      ...shared,
      metric: null,
      value: String(days),
      limit: String(rule.n),
      remaining: String(Math.max(0, rule.n - days)),
      fraction: share(dec(String(days)), dec(String(rule.n))),
      met: days >= rule.n,
      compare: null,
    }
  })
}

/** What is served live about an account, settled to the view's mseq. Money strings have at least the ledger scale's places. */
export function liveView(state: AccountState, compiled: Compiled, view: MarketView): LiveView {
  const quoteOf = quotesOf(view)
  const { scale } = compiled
  const positions = state.book.positions.map((p): PositionView => {
    const market = compiled.markets.get(p.symbol)!
    const quote = quoteOf(p.symbol)!
    const mark = p.quantity.n > 0n ? quote.bid.price : quote.ask.price
    const result = convert(
      floating(p.quantity, p.cost, market, quote.bid.price, quote.ask.price),
      market.path!,
      quoteOf,
    )!
    return {
      id: p.id,
      symbol: p.symbol,
      quantity: str(p.quantity),
      cost: str(p.cost),
      average_price: str(abs(div(p.cost, mul(p.quantity, market.contract)))),
      mark: str(mark),
      unrealised: money(result.value, scale),
      opened_at: p.openedAt,
    }
  })
  const unrealised = state.book.positions.reduce((total, p) => {
    const market = compiled.markets.get(p.symbol)!
    const quote = quoteOf(p.symbol)!
    return add(
      total,
      convert(floating(p.quantity, p.cost, market, quote.bid.price, quote.ask.price), market.path!, quoteOf)!.value,
    )
  }, dec('0'))
  const held = add(state.book.balance, unrealised)
  const used = usedMargin(state.book, compiled, quoteOf)
  const reserved = reservedMargin(state.orders, state.book, compiled, quoteOf)
  return {
    account: state.account,
    status: state.status,
    phase: state.phase,
    currency: compiled.spec.currency,
    mseq: view.mseq,
    mts: view.mts,
    aseq: state.aseq - 1,
    balance: money(state.book.balance, scale),
    equity: money(held, scale),
    unrealised: money(unrealised, scale),
    used_margin: money(used, scale),
    reserved_margin: money(reserved, scale),
    free_margin: money(sub(held, add(used, reserved)), scale),
    provisional: state.provisional !== null,
    day: state.day && {
      k: state.day.k,
      start: state.day.start,
      next_reset: state.day.next,
      balance: money(state.day.balance, scale),
      equity: money(state.day.equity, scale),
    },
    positions,
    orders: state.orders.map((order) => viewOf(order, order.arrivesAt === null ? 'working' : 'pending')),
    rules: ruleViews(state, compiled, view),
    unknown_symbols: valuingSymbols(state, compiled).filter((s) => view.symbol(s)?.status === 'unknown'),
  }
}
