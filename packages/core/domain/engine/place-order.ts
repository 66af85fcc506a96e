import { marketable } from '../matching/marketable.ts'
import {
  abs,
  add,
  ceilTo,
  type Dec,
  dec,
  eq,
  floorTo,
  gt,
  isMultiple,
  isZero,
  lt,
  mul,
  sign,
  str,
  sub,
} from '../money/dec.ts'
import type { Market } from './compile.ts'
import type { Order } from './state.ts'
import { copyState } from './state.ts'
import { type Turn, takeDepth, write } from './turn.ts'
import type { Answer, Command, OrderType, OrderView } from './types.ts'
import { addingQuantities, equityOf, reservedMargin, usedMargin } from './valuation.ts'

type OrderCommand = Extract<Command, { op: 'order' }>
type Refusal = Extract<Answer, { ok: false }>
const refuse = (code: string, detail: string, more: Partial<Refusal> = {}): Refusal => ({
  ok: false,
  code,
  detail,
  ...more,
})

/** Working orders an account may have. */
export const MAX_WORKING_ORDERS = 200

/** The legal value nearest to a number off its grid; never below the grid's first step. */
function nearest(value: Dec, step: Dec): string {
  const below = floorTo(value, step)
  const above = ceilTo(value, step)
  const pick = gt(sub(value, below), sub(above, value)) || !gt(below, { n: 0n, s: 0 }) ? above : below
  return str(pick)
}

function checkShape(command: OrderCommand, market: Market): Refusal | null {
  const quantity = dec(command.quantity)
  if (!gt(quantity, { n: 0n, s: 0 }))
    return refuse('quantity_too_small', 'The quantity must be above zero.', { field: 'quantity' })
  if (!isMultiple(quantity, market.step)) {
    const legal = nearest(quantity, market.step)
    return refuse(
      'quantity_off_grid',
      `The quantity must be a multiple of ${str(market.step)}; the nearest is ${legal}.`,
      { field: 'quantity', nearest: legal },
    )
  }
  if (lt(quantity, market.minQuantity))
    return refuse('quantity_too_small', `The least quantity is ${str(market.minQuantity)}.`, {
      field: 'quantity',
      nearest: str(market.minQuantity),
    })
  if (gt(quantity, market.maxQuantity))
    return refuse('quantity_too_large', `The largest quantity is ${str(market.maxQuantity)}.`, {
      field: 'quantity',
      nearest: str(market.maxQuantity),
    })
  if (command.type === 'limit') {
    const price = dec(command.price!)
    if (!gt(price, { n: 0n, s: 0 }))
      return refuse('price_off_grid', 'The price must be above zero.', { field: 'price', nearest: str(market.tick) })
    if (!isMultiple(price, market.tick)) {
      const legal = nearest(price, market.tick)
      return refuse('price_off_grid', `The price must be a multiple of ${str(market.tick)}; the nearest is ${legal}.`, {
        field: 'price',
        nearest: legal,
      })
    }
  }
  return null
}

/** What keeps a symbol from trading now, conversion symbols included; null when it trades. */
function marketBar(turn: Turn, market: Market): Refusal | null {
  const symbols = [market.symbol, ...market.path!.filter((leg) => !leg.peg).map((leg) => leg.symbol)]
  for (const symbol of symbols) {
    const view = turn.view.symbol(symbol)
    const about = { field: 'symbol' }
    if (view?.status === 'closed' || view?.status === 'settled')
      return refuse('market_closed', `${symbol} is closed.`, about)
    if (view?.status === 'halted') return refuse('market_halted', `${symbol} is halted.`, about)
    const limit = turn.compiled.markets.get(symbol)?.staleLimitMs ?? null
    const old = view && limit !== null && turn.at - view.lastMts > limit
    if (!view?.quote || view.status === 'unknown' || old) {
      return refuse('market_stale', `There is no valid quote of ${symbol} now.`, { ...about, retryable: true })
    }
  }
  return null
}

/** True when the order can only make the position smaller, working orders of its side counted first. */
function onlyReduces(turn: Turn, command: OrderCommand): boolean {
  const position = turn.state.book.positions.find((p) => p.symbol === command.symbol)
  if (!position || sign(position.quantity) > 0 === (command.side === 'buy')) return false
  const waiting = turn.state.orders
    .filter((o) => o.symbol === command.symbol && o.side === command.side)
    .reduce((total, o) => add(total, sub(o.quantity, o.filled)), { n: 0n, s: 0 } as Dec)
  return !gt(add(waiting, dec(command.quantity)), abs(position.quantity))
}

function orderView(order: Order, command: OrderCommand, status: OrderView['status'], reason?: string): OrderView {
  return {
    id: order.id,
    ...(order.clientId === null ? {} : { client_order_id: order.clientId }),
    symbol: order.symbol,
    side: order.side,
    type: command.type as OrderType,
    time_in_force: command.type === 'market' ? 'ioc' : (command.time_in_force ?? 'gtc'),
    quantity: str(order.quantity),
    ...(command.type === 'limit' ? { price: str(order.price!) } : {}),
    filled: str(order.filled),
    status,
    ...(reason ? { reason } : {}),
    created_at: order.createdAt,
  }
}

/**
 * Accepts or refuses an order and trades its marketable part. `id` is the order's name in the chain. On a refusal
 * nothing of the state has changed.
 */
export function placeOrder(turn: Turn, command: OrderCommand, id: string): Answer {
  const { state, compiled } = turn
  if (state.status === 'created') return refuse('assessment_not_started', 'Start the assessment first.')
  if (state.status !== 'started') return refuse('assessment_ended', `The assessment has ended: ${state.status}.`)
  const market = compiled.markets.get(command.symbol)
  if (!market)
    return refuse('unknown_symbol', `${command.symbol} is not an instrument of this account.`, { field: 'symbol' })
  if (market.path === null)
    return refuse('symbol_not_tradable', `${command.symbol} has no conversion path to ${compiled.spec.currency}.`, {
      field: 'symbol',
    })
  const shape = checkShape(command, market)
  if (shape) return shape
  const reduces = onlyReduces(turn, command)
  if (state.provisional && !reduces)
    return refuse(
      'account_locked',
      'A provisional breach is being decided: only orders that reduce exposure are accepted.',
    )
  const bar = marketBar(turn, market)
  const rests = command.type === 'limit' && command.time_in_force !== 'ioc'
  if (bar && !(reduces && rests)) return bar
  if (state.orders.length >= MAX_WORKING_ORDERS)
    return refuse('too_many_orders', `At most ${MAX_WORKING_ORDERS} orders may work at once.`)

  const quantity = dec(command.quantity)
  const view = turn.view.symbol(command.symbol)!
  const limit = command.type === 'limit' ? dec(command.price!) : null
  const reference = limit ?? (command.side === 'buy' ? view.quote!.ask.price : view.quote!.bid.price)
  const notional = mul(mul(quantity, market.contract), reference)
  if (!reduces && lt(notional, market.minNotional)) {
    return refuse('notional_too_small', `The least notional is ${str(market.minNotional)} ${market.doc.quote}.`, {
      field: 'quantity',
    })
  }

  const saved = copyState(state)
  const written = turn.records.length
  const order: Order = {
    id,
    clientId: command.client_order_id ?? null,
    symbol: command.symbol,
    side: command.side,
    type: command.type as OrderType,
    timeInForce: command.time_in_force ?? (command.type === 'market' ? 'ioc' : 'gtc'),
    price: reference,
    stop: null,
    trailing: null,
    quantity,
    filled: { n: 0n, s: 0 },
    reduceOnly: false,
    postOnly: false,
    expiresAt: null,
    createdAt: turn.at,
    arrivesAt: null,
    ahead: null,
    bracket: null,
    parent: null,
    oco: null,
    position: null,
  }
  // a market that does not trade takes a reducing limit as it stands
  const executions = bar ? [] : marketable(command.side, quantity, limit, view, state.book, market)
  order.filled = takeDepth(turn, state.book, market, id, command.side, executions)
  const done = eq(order.filled, quantity)
  if (!done && rests) state.orders.push(order)
  const refusal = reduces ? null : marginRefusal(turn, order, market)
  if (refusal) {
    Object.assign(state, saved)
    turn.records.length = written
    return refusal
  }
  if (done) {
    write(turn, { kind: 'order', phase: state.phase, order: id, status: 'filled', filled: str(order.filled) })
    return { ok: true, order: orderView(order, command, 'filled') }
  }
  if (rests) return { ok: true, order: orderView(order, command, 'working') }
  write(turn, {
    kind: 'order',
    phase: state.phase,
    order: id,
    status: 'cancelled',
    filled: str(order.filled),
    reason: 'no_liquidity',
  })
  return { ok: true, order: orderView(order, command, 'cancelled', 'no_liquidity') }
}

/** After the order traded and rests as it would: E - used - reserved must not be below zero, unless it added nothing. */
function marginRefusal(turn: Turn, order: Order, market: Market): Refusal | null {
  const { state, compiled, quoteOf } = turn
  if (isZero(order.filled) && isZero(addingQuantities(state.orders, state.book).get(order.id) ?? { n: 0n, s: 0 }))
    return null
  const held = equityOf(state.book, compiled, quoteOf)
  const used = usedMargin(state.book, compiled, quoteOf)
  const reserved = reservedMargin(state.orders, state.book, compiled, quoteOf)
  const free = sub(held, add(used, reserved))
  if (sign(free) >= 0) return null
  return refuse(
    'insufficient_margin',
    `After this order ${str(abs(free))} ${compiled.spec.currency} of margin would be missing for ${market.symbol}.`,
    { field: 'quantity' },
  )
}
