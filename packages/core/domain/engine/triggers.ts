/**
 * What prices would change something about an account: all that an index needs to leave it alone until then. The
 * account must be looked at when any of these is reached; a look too many is invisible.
 */
import type { ConversionLeg } from '../instruments/instrument.ts'
import type { Side } from '../market/event.ts'
import { add, type Dec, gt, gte, lt, lte } from '../money/dec.ts'
import { targetAmount } from '../rules/profit-target.ts'
import type { Compiled } from './compile.ts'
import { rulesOf } from './facts.ts'
import type { AccountState } from './state.ts'
import { equity, sizeOf } from './valuation.ts'
import type { MarketView } from './view.ts'

export interface Leg {
  symbol: string
  /** the side of the quote that marks it: longs bid, shorts ask */
  side: 'bid' | 'ask'
  /** signed quantity x contract size */
  quantity: Dec
  cost: Dec
  path: readonly ConversionLeg[]
}
export interface Triggers {
  balance: Dec
  legs: Leg[]
  /** the highest floor under equity; `strict`: reached only below it */
  floor: { value: Dec; strict: boolean } | null
  /** equity above (`strict`) or at this changes something: a target, a new high of the day */
  ceiling: { value: Dec; strict: boolean } | null
  /** working limit orders: a buy is touched when ask <= price or a trade prints below it; sells mirrored */
  orders: { symbol: string; side: Side; price: Dec }[]
  /** every event of these symbols must touch the account */
  always: string[]
  /** status changes and gaps of these symbols must touch the account */
  symbols: string[]
}

function floorOf(state: AccountState, compiled: Compiled): Triggers['floor'] {
  let best: Triggers['floor'] = null
  rulesOf(state, compiled).forEach((rule, i) => {
    const floor = state.rules[i]!.floor
    if (!floor || (rule.rule !== 'max_daily_loss' && rule.rule !== 'max_loss')) return
    if (rule.metric === 'balance' || (rule.rule === 'max_daily_loss' && rule.tested === 'reset')) return
    const strict = rule.compare === 'lt'
    if (!best || gt(floor, best.value) || (gte(floor, best.value) && !strict)) best = { value: floor, strict }
  })
  return best
}

function ceilingOf(state: AccountState, compiled: Compiled, view: MarketView): Triggers['ceiling'] {
  let best: Triggers['ceiling'] = null
  const lower = (value: Dec, strict: boolean): void => {
    if (!best || lt(value, best.value) || (lte(value, best.value) && !strict)) best = { value, strict }
  }
  for (const rule of rulesOf(state, compiled)) {
    if (rule.rule === 'max_daily_loss' && rule.anchor === 'day_high') lower(state.day!.high, true)
    if (rule.rule === 'profit_target' && !state.provisional && rule.basis === 'equity' && !rule.require_flat) {
      const target = add(compiled.initial, targetAmount(rule, compiled.initial))
      if (lt(equity(state, compiled, view), target)) lower(target, false)
    }
  }
  return best
}

export function triggers(state: AccountState, compiled: Compiled, view: MarketView): Triggers {
  const symbols = new Set<string>()
  const always = new Set<string>()
  const legs: Leg[] = []
  for (const p of state.book.positions) {
    const market = compiled.markets.get(p.symbol)!
    const long = p.quantity.n > 0n
    legs.push({
      symbol: p.symbol,
      side: long ? 'bid' : 'ask',
      quantity: sizeOf(p.quantity, market),
      cost: p.cost,
      path: market.path!,
    })
    symbols.add(p.symbol)
    for (const leg of market.path!) if (!leg.peg) symbols.add(leg.symbol)
  }
  for (const o of state.orders) {
    symbols.add(o.symbol)
    const quote = view.symbol(o.symbol)?.quote
    // depth at its price is used up already: any event may bring more
    if (!quote || (o.side === 'buy' ? lte(quote.ask.price, o.price!) : gte(quote.bid.price, o.price!)))
      always.add(o.symbol)
  }
  for (const book of state.closing) for (const p of book.positions) always.add(p.symbol)
  if (state.provisional) for (const s of state.provisional.waiting) always.add(s)
  const isStarted = state.status === 'started'
  return {
    balance: state.book.balance,
    legs,
    floor: isStarted && !state.provisional ? floorOf(state, compiled) : null,
    ceiling: isStarted && legs.length > 0 ? ceilingOf(state, compiled, view) : null,
    orders: state.orders.map((o) => ({ symbol: o.symbol, side: o.side, price: o.price! })),
    always: [...always],
    symbols: [...symbols],
  }
}
