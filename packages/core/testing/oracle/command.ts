import type { OrderBody } from '../../domain/engine/types.ts'
import type { Instrument } from '../../domain/instruments/instrument.ts'
import { type Account, type Order, positionOf } from './account.ts'
import { fillMarketable } from './fill.ts'
import type { OracleMarket } from './market.ts'
import { abs, mul, num } from './number.ts'
import { equityOf, pathOf, reservedMargin, usedMargin } from './value.ts'

/** A refusal, or the order as it is accepted; it `waits` when it may not trade yet. */
export function decideOrder(
  account: Account,
  body: OrderBody,
  market: OracleMarket,
): { refusal?: string; order?: Order; waits?: boolean } {
  const { spec, book } = account
  const _marks = (symbol: string) => market.of(symbol)
  const instrument = spec.instruments.find((i) => i.symbol === body.symbol)
  if (!instrument) return { refusal: 'unknown_symbol' }
  const path = pathOf(spec, instrument)
  if (!path) return { refusal: 'symbol_not_tradable' }
  const quantity = num(body.quantity)
  if (quantity % num(instrument.quantity_step) !== 0n) return { refusal: 'quantity_off_grid' }
  if (quantity < num(instrument.min_quantity)) return { refusal: 'quantity_too_small' }
  if (quantity > num(instrument.max_quantity)) return { refusal: 'quantity_too_large' }
  const price = body.type === 'limit' ? num(body.price!) : null
  if (price !== null && (price <= 0n || price % num(instrument.price_tick) !== 0n)) return { refusal: 'price_off_grid' }

  const held = positionOf(book, body.symbol)?.quantity ?? 0n
  const opposes = body.side === 'buy' ? held < 0n : held > 0n
  let waiting = 0n
  for (const order of account.orders) {
    if (order.symbol === body.symbol && order.side === body.side) waiting += order.quantity - order.filled
  }
  const isReducing = opposes && quantity + waiting <= abs(held)
  if (account.provisional && !isReducing) return { refusal: 'account_locked' }
  const isLasting = body.type === 'limit' && body.time_in_force !== 'ioc'
  const blocked = blockedBy(account, instrument, market)
  if (blocked && !(isReducing && isLasting)) return { refusal: blocked }
  const { quote } = market.of(body.symbol)
  const touch = price ?? (body.side === 'buy' ? quote!.ask : quote!.bid)
  const notional = mul(mul(quantity, num(instrument.contract_size)), touch)
  if (!isReducing && notional < num(instrument.min_notional)) return { refusal: 'notional_too_small' }

  const order: Order = {
    id: body.client_order_id!,
    symbol: body.symbol,
    side: body.side,
    type: body.type,
    lasting: isLasting,
    quantity,
    filled: 0n,
    price,
    status: 'working',
  }
  if (!isReducing && !isAffordable(account, order, market)) return { refusal: 'insufficient_margin' }
  return { order, waits: blocked !== null }
}
/** Why nothing that adds risk can be traded now: of the symbol itself, then of each symbol that converts for it. */
function blockedBy({ spec }: Account, instrument: Instrument, market: OracleMarket): string | null {
  const legs = pathOf(spec, instrument)!.filter(({ peg }) => !peg)
  for (const symbol of [instrument.symbol, ...legs.map((leg) => leg.symbol)]) {
    const { state, quote, heardAt } = market.of(symbol)
    const limit = symbol === instrument.symbol ? instrument.stale_limit_ms : null
    if (state === 'halted') return 'market_halted'
    if (state === 'closed') return 'market_closed'
    if (state === 'unknown' || !quote || (limit !== null && market.mts - heardAt > limit)) return 'market_stale'
  }
  return null
}
/** Filled as it would be now, in a copy of the account, fees and spread paid. */
function isAffordable(account: Account, order: Order, market: OracleMarket): boolean {
  const marks = (symbol: string) => market.of(symbol)
  const after = structuredClone({ ...account, spec: null }) as unknown as Account
  after.spec = account.spec
  const trial = { ...order }
  fillMarketable(after, after.book, trial, market)
  if (trial.lasting && trial.filled < trial.quantity) after.orders.push(trial)
  else if (trial.filled === 0n) return true
  const equity = equityOf(after.spec, after.book, marks)
  return equity - usedMargin(after.spec, after.book, marks) - reservedMargin(after, marks) >= 0n
}
