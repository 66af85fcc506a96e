import type { AmendBody, OrderBody, Trail } from '../../domain/engine/types.ts'
import type { Instrument } from '../../domain/instruments/instrument.ts'
import { type Account, type Desk, type Distance, heldIn, instrumentOf, isHedging, type Order } from './account.ts'
import { isExitRefused } from './exits.ts'
import { fillMarketable, reducible } from './fill.ts'
import { isHeldBack } from './news.ts'
import { abs, max, mul, num, ONE } from './number.ts'
import { refusedByRule, riskedTooMuch } from './order-rules.ts'
import { blockedBy, equityOf, marksOf, pathOf, reservedMargin, stopOf, touchOf, usedMargin } from './value.ts'
import { arrive, isStop, restOf, triggerPrice } from './working.ts'

export interface Refusal {
  code: string
  field?: string
}
/** A refusal, or the orders as they are accepted: one, or the two legs of a pair. */
export type Drafted = { refusal: Refusal } | { orders: Order[]; waits: boolean; reduces: boolean }
const refuse = (code: string, field?: string) => ({ refusal: { code, field } })

export function draftOrder(desk: Desk, body: OrderBody): Drafted {
  const { account } = desk
  const instrument = account.spec.instruments.find((i) => i.symbol === body.symbol)
  if (!instrument) return refuse('unknown_symbol', 'symbol')
  if (!pathOf(account.spec, instrument)) return refuse('symbol_not_tradable', 'symbol')
  const badGrid = offGrid(instrument, body)
  if (badGrid) return { refusal: badGrid }
  if (body.expires_at !== undefined && body.expires_at <= desk.at) return refuse('order_expired', 'expires_at')
  const orders = ordersOf(desk, body)
  const [order] = orders as [Order]
  const isTicketed = body.position !== undefined
  if (isTicketed) {
    const ticket = account.book.positions.find((p) => p.id === order.ticket)
    if (!ticket || ticket.symbol !== body.symbol) return refuse('position_not_open', 'position')
    if (ticket.quantity > 0n === (body.side === 'buy')) return refuse('nothing_to_reduce', 'side')
  } else if (isHedging(account) && body.reduce_only) return refuse('validation_failed', 'position')
  const isReducing = reduces(desk, order)
  if (account.provisional && !isReducing) return refuse('account_locked')
  if (account.lock && !isReducing) return refuse('account_locked')
  if (order.reduceOnly && reducible(account, account.book, order) === 0n)
    return refuse('nothing_to_reduce', 'reduce_only')
  const blocked = blockedBy(desk, instrument)
  const isPassing = isReducing && body.type === 'limit' && body.time_in_force !== 'ioc' && body.time_in_force !== 'fok'
  if (blocked && !isPassing) return refuse(blocked)
  const marketRefusal = offMarket(desk, instrument, body, orders, isReducing)
  if (marketRefusal) return { refusal: marketRefusal }
  if (!isReducing) {
    const rule = refusedByRule(desk, orders, body)
    if (rule) return { refusal: rule }
  } else if (orders.some((o) => isExitRefused(desk, [...account.orders, o]))) return refuse('rule_refused', 'stop_loss')
  if (!blocked && orders.some((o) => tradesNow(desk, [o]) && isTradeHeldBack(desk, o)))
    return refuse('rule_refused', 'symbol')
  if (order.postOnly && !blocked && takes(desk, order)) return refuse('would_take', 'price')
  if (!isReducing && !isAffordable(desk, orders)) return refuse('insufficient_margin')
  return { orders, waits: blocked !== null, reduces: isReducing }
}

/** What is left of the position for an order against it, once orders of its side that wait are filled. */
export function roomFor(desk: Desk, order: Order, without?: Order): bigint {
  const { account } = desk
  if (isHedging(account)) return 0n
  const held = heldIn(account.book, order.symbol)
  if (order.side === 'buy' ? held >= 0n : held <= 0n) return 0n
  const waiting = new Map<string, bigint>()
  for (const o of account.orders) {
    if (o === without || o.id === order.partner || o.symbol !== order.symbol || o.side !== order.side) continue
    if (o.reduceOnly) continue
    const pair = o.partner === null ? o.id : [o.id, o.partner].sort().join()
    waiting.set(pair, max(waiting.get(pair) ?? 0n, restOf(o)))
  }
  const used = [...waiting.values()].reduce((a, b) => a + b, 0n)
  return max(abs(held) - used, 0n)
}
const isExit = ({ reduceOnly, ticket }: Order): boolean => reduceOnly || ticket !== null
/** What only reduces, other orders of its side that wait counted as filled before it. */
const reduces = (desk: Desk, order: Order, without?: Order): boolean =>
  isExit(order) || (!isHedging(desk.account) && restOf(order) <= roomFor(desk, order, without))
/** Do news forbid what the order would do if it traded now? */
export function isTradeHeldBack(desk: Desk, order: Order, without = order): boolean {
  const isReducing = reduces(desk, order, without)
  const closes = isReducing || roomFor(desk, order, without) > 0n
  const forbids = (what: 'open' | 'close') => isHeldBack(desk, order.symbol, what)
  return (!isReducing && forbids('open')) || (closes && forbids('close'))
}

// ---- grids -----------------------------------------------------------------------------------------------------------
function offGrid(instrument: Instrument, body: OrderBody): Refusal | null {
  return offQuantity(instrument, num(body.quantity)) ?? offPrices(instrument, pricesOf(body))
}
export function offQuantity(instrument: Instrument, quantity: bigint): Refusal | null {
  if (quantity % num(instrument.quantity_step) !== 0n) return { code: 'quantity_off_grid', field: 'quantity' }
  if (quantity < num(instrument.min_quantity)) return { code: 'quantity_too_small', field: 'quantity' }
  if (quantity > num(instrument.max_quantity)) return { code: 'quantity_too_large', field: 'quantity' }
  return null
}
const offsetOf = (trail?: Trail): string | undefined => (trail && 'offset' in trail ? trail.offset : undefined)
function pricesOf(body: OrderBody): [string, string | undefined][] {
  const stop = body.stop_loss
  return [
    ['price', body.type === 'market' ? undefined : body.price],
    ['stop_price', body.stop_price],
    ['stop_limit_price', body.stop_limit_price],
    ['trail.offset', offsetOf(body.trail)],
    ['activation_price', body.activation_price],
    ['take_profit.price', body.take_profit?.price],
    ['stop_loss.stop_price', stop && 'stop_price' in stop ? stop.stop_price : undefined],
    ['stop_loss.price', stop && 'stop_price' in stop ? stop.price : undefined],
    ['stop_loss.trail.offset', stop && 'trail' in stop ? offsetOf(stop.trail) : undefined],
  ]
}
export function offPrices(instrument: Instrument, prices: [string, string | undefined][]): Refusal | null {
  for (const [field, value] of prices) {
    if (value === undefined) continue
    const price = num(value)
    const isDistance = field.endsWith('offset')
    const isOver = instrument.kind === 'outcome' && price > ONE
    const isUnder = instrument.kind === 'outcome' && !isDistance ? price < 0n : price <= 0n
    if (isUnder || isOver || price % num(instrument.price_tick) !== 0n) return { code: 'price_off_grid', field }
  }
  return null
}

// ---- drafts ----------------------------------------------------------------------------------------------------------
export const distanceOf = (trail: Trail): Distance => ({
  offset: 'offset' in trail ? num(trail.offset) : null,
  pct: 'pct' in trail ? num(trail.pct) : null,
})
const numOr = (value?: string): bigint | null => (value === undefined ? null : num(value))
function ordersOf({ account, at }: Desk, body: OrderBody): Order[] {
  const isPair = body.type === 'oco'
  const stop = body.stop_loss
  const hasExits = body.take_profit !== undefined || stop !== undefined
  const { latency_ms } = account.spec
  const order: Order = {
    id: body.client_order_id!,
    symbol: body.symbol,
    side: body.side,
    type: body.type === 'oco' ? 'limit' : body.type,
    tif: body.time_in_force ?? (body.type === 'market' ? 'ioc' : 'gtc'),
    quantity: num(body.quantity),
    filled: 0n,
    price: body.type === 'market' ? null : numOr(body.price),
    stop: isPair ? null : numOr(body.stop_price),
    trail: body.trail ? distanceOf(body.trail) : null,
    activation: numOr(body.activation_price),
    best: null,
    reduceOnly: body.reduce_only ?? false,
    postOnly: body.post_only ?? false,
    expiresAt: body.expires_at ?? null,
    arrivesAt: latency_ms > 0 ? at + latency_ms : null,
    ahead: null,
    exits: hasExits
      ? {
          takeProfit: numOr(body.take_profit?.price),
          stop: stop && 'stop_price' in stop ? num(stop.stop_price) : null,
          stopLimit: stop && 'stop_price' in stop ? numOr(stop.price) : null,
          trail: stop && 'trail' in stop ? distanceOf(stop.trail) : null,
          born: false,
        }
      : null,
    parent: null,
    partner: isPair ? `${body.client_order_id}.stop` : null,
    ticket: body.position ?? null,
    status: latency_ms > 0 ? 'pending' : 'working',
  }
  if (!isPair) return [order]
  const limit = numOr(body.stop_limit_price)
  const type = limit === null ? 'stop' : 'stop_limit'
  const id = `${order.id}.stop`
  return [
    order,
    {
      ...order,
      exits: order.exits && { ...order.exits },
      id,
      type,
      price: limit,
      stop: num(body.stop_price!),
      partner: order.id,
    },
  ]
}

// ---- against the market ----------------------------------------------------------------------------------------------
function offMarket(
  desk: Desk,
  instrument: Instrument,
  body: OrderBody,
  orders: Order[],
  isReducing: boolean,
): Refusal | null {
  const { quote } = desk.market.of(body.symbol)
  if (!quote) return null
  const { bid, ask } = touchOf(instrument, marksOf(desk))
  const taking = body.side === 'buy' ? ask : bid
  const own = body.price ?? body.stop_price
  const reference = body.type === 'market' || own === undefined ? taking : num(own)
  const notional = mul(mul(num(body.quantity), num(instrument.contract_size)), reference)
  if (!isReducing && notional < num(instrument.min_notional)) return { code: 'notional_too_small', field: 'quantity' }
  const sign = body.side === 'buy' ? 1n : -1n
  for (const order of orders) {
    const field = offExits(order, order.price ?? order.stop ?? taking)
    if (field) return { code: 'bracket_inconsistent', field }
  }
  if (body.type === 'oco') {
    if ((num(body.price!) - taking) * sign >= 0n) return { code: 'oco_inconsistent', field: 'price' }
    if ((num(body.stop_price!) - taking) * sign <= 0n) return { code: 'oco_inconsistent', field: 'stop_price' }
  }
  return null
}

/** The exit that lies on the wrong side of its entry. */
function offExits({ exits, side }: Order, reference: bigint): string | null {
  const sign = side === 'buy' ? 1n : -1n
  if (exits === null) return null
  if (exits.takeProfit !== null && (exits.takeProfit - reference) * sign <= 0n) return 'take_profit.price'
  if (exits.stop !== null && (exits.stop - reference) * sign >= 0n) return 'stop_loss.stop_price'
  return null
}
function copyOf(desk: Desk, without?: Order): Desk {
  const account = structuredClone({ ...desk.account, spec: null }) as unknown as Account
  account.spec = desk.account.spec
  if (without) account.orders = account.orders.filter((o) => o.id !== without.id)
  return { ...desk, account, said: [] }
}
function takes(desk: Desk, order: Order): boolean {
  const copy = copyOf(desk, order)
  return fillMarketable(copy, copy.account.book, { ...order }) > 0n
}
/** Would it trade as soon as it is there: at the touch, whatever is left of its depth? */
export function tradesNow(desk: Desk, orders: Order[]): boolean {
  return orders.some((order) => {
    const price = triggerPrice(desk, order)
    const { bid, ask } = touchOf(instrumentOf(desk.account.spec, order.symbol), marksOf(desk))
    const isBuy = order.side === 'buy'
    const crosses = order.price === null || (isBuy ? ask <= order.price : bid >= order.price)
    if (!isStop(order)) return crosses
    const stop = stopOf(order)
    const hasMoved = order.best !== null && price !== null && (isBuy ? price < order.best : price > order.best)
    return stop !== null && price !== null && !hasMoved && (isBuy ? price >= stop : price <= stop) && crosses
  })
}
/** Filled as it would be now, in a copy of the account, fees and spread paid. */
export function isAffordable(desk: Desk, orders: Order[], without?: Order): boolean {
  const copy = copyOf(desk, without)
  const { account } = copy
  let hasTraded = false
  let waits = false
  for (const drafted of orders) {
    const order = structuredClone(drafted)
    order.status = 'working'
    account.orders.push(order)
    arrive(copy, order)
    if (order.filled > 0n) hasTraded = true
    if (order.status === 'working') waits = true
  }
  if (!hasTraded && !waits) return true
  return freeMargin(copy) >= 0n
}
export function freeMargin(desk: Desk): bigint {
  const { account } = desk
  const marks = marksOf(desk)
  const equity = equityOf(account.spec, account.book, marks)
  return equity - usedMargin(account, account.book, marks) - reservedMargin(desk)
}

// ---- amendments ------------------------------------------------------------------------------------------------------
export function amendOrder(desk: Desk, order: Order, body: AmendBody): Refusal | null {
  const { account } = desk
  const instrument = instrumentOf(account.spec, order.symbol)
  const not = (field: string): Refusal => ({ code: 'not_amendable', field })
  const isLeg = order.parent !== null || order.partner !== null
  const isTrailing = order.type === 'trailing_stop'
  if (body.quantity !== undefined) {
    if (isLeg) return not('quantity')
    const bad = offQuantity(instrument, num(body.quantity))
    if (bad) return bad
    if (num(body.quantity) <= order.filled) return { code: 'quantity_too_small', field: 'quantity' }
  }
  const prices: [string, string | undefined, boolean][] = [
    ['price', body.price, order.price !== null],
    ['stop_price', body.stop_price, isStop(order) && !isTrailing],
    ['trail', body.trail && (offsetOf(body.trail) ?? instrument.price_tick), isStop(order) && isTrailing],
  ]
  for (const [field, value, has] of prices) {
    if (value === undefined) continue
    if (!has) return not(field)
    const bad = offPrices(instrument, [[field === 'trail' ? 'trail.offset' : field, value]])
    if (bad) return bad
  }
  if (body.expires_at !== undefined) {
    if (order.tif !== 'gtd') return not('expires_at')
    if (body.expires_at <= desk.at) return { code: 'order_expired', field: 'expires_at' }
  }
  const amended: Order = { ...order }
  if (body.quantity !== undefined) amended.quantity = num(body.quantity)
  if (body.price !== undefined) amended.price = num(body.price)
  if (body.stop_price !== undefined) amended.stop = num(body.stop_price)
  if (body.trail !== undefined) amended.trail = distanceOf(body.trail)
  if (body.expires_at !== undefined) amended.expiresAt = body.expires_at
  const moves = amended.price !== order.price || amended.stop !== order.stop || body.trail !== undefined
  const isAnew = moves || amended.quantity > order.quantity
  const isReducing = reduces(desk, amended, order)
  const blocked = blockedBy(desk, instrument)
  if (isAnew && !isReducing && (account.provisional || account.lock)) return { code: 'account_locked' }
  if (isAnew && blocked && !(isReducing && order.price !== null && !isStop(order))) return { code: blocked }
  const { bid, ask } = touchOf(instrument, marksOf(desk))
  const reference = amended.price ?? stopOf(amended) ?? (order.side === 'buy' ? ask : bid)
  const notional = mul(mul(amended.quantity, num(instrument.contract_size)), reference)
  const isSized = isAnew || body.quantity !== undefined
  if (isSized && !isReducing && notional < num(instrument.min_notional))
    return { code: 'notional_too_small', field: 'quantity' }
  if (isAnew && !isTrailing && amended.exits && !amended.exits.born) {
    const field = offExits(amended, reference)
    if (field) return { code: 'bracket_inconsistent', field }
  }
  if (isAnew && !isReducing) {
    const without = { ...account, orders: account.orders.filter((o) => o !== order) }
    const alone = { ...desk, account: without }
    const rule = refusedByRule(alone, [amended], order, false)
    if (rule) return rule
    account.risked = riskedTooMuch(alone, [amended])
  }
  const after = account.orders.map((o) => (o === order ? amended : o))
  if (isSized && isReducing && isExitRefused(desk, after)) return { code: 'rule_refused', field: 'stop_loss' }
  if (isAnew && !blocked && tradesNow(desk, [amended]) && isTradeHeldBack(desk, amended, order))
    return { code: 'rule_refused', field: 'symbol' }
  if (isAnew && order.postOnly && !blocked && takes(desk, amended)) return { code: 'would_take', field: 'price' }
  if (isAnew && !isReducing && !isAffordable(desk, [amended], order)) return { code: 'insufficient_margin' }
  const losesPlace = amended.price !== order.price || amended.quantity > order.quantity
  Object.assign(order, amended)
  if (losesPlace && order.status === 'working') {
    account.orders = [...account.orders.filter((o) => o !== order), order]
    order.ahead = null
  }
  return null
}
