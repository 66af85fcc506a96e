import type { MarketEvent } from '../../domain/market/event.ts'
import { type Account, type Book, type Desk, heldIn, instrumentOf, isHedging, type Order, opposite } from './account.ts'
import { displayed, fillMarketable, fillResting, moveUp, reducible } from './fill.ts'
import { entersOrExits, isHeldBack } from './news.ts'
import { min, text } from './number.ts'
import { isOpen, marksOf, stopOf, touchOf } from './value.ts'

export const restOf = (order: Order): bigint => order.quantity - order.filled
export const isStop = ({ type, stop, trail }: Order): boolean =>
  type === 'trailing_stop' ? trail !== null : stop !== null

// ---- what is said of orders ----------------------------------------------------------------------------------------
function say(desk: Desk, order: Order, status: string, more: object = {}): void {
  desk.said.push({
    kind: 'order',
    phase: desk.account.phase,
    order: order.id,
    status,
    filled: text(order.filled),
    ...more,
  })
}
const standing = (order: Order, status: string) => ({
  type: order.type,
  quantity: text(order.quantity),
  price: order.price === null ? undefined : text(order.price),
  stop: status !== 'triggered' && isStop(order) && stopOf(order) !== null ? text(stopOf(order)!) : undefined,
})
export const sayStanding = (desk: Desk, order: Order, status: 'working' | 'triggered' | 'amended'): void =>
  say(desk, order, status, standing(order, status))

export function endOrder(desk: Desk, order: Order, status: 'filled' | 'cancelled' | 'expired', reason?: string): void {
  if (order.status !== 'working' && order.status !== 'pending') return
  const { account } = desk
  order.status = status
  order.reason = reason
  account.orders = account.orders.filter((o) => o !== order)
  say(desk, order, status, { reason })
}
const find = (desk: Desk, id: string | null): Order | undefined => desk.account.orders.find((o) => o.id === id)

// ---- what a fill does to other orders ------------------------------------------------------------------------------
/** After each order's turn: its exits are born or grow, its partner shrinks, it may be over. */
export function afterFills(desk: Desk, order: Order, quantity: bigint): void {
  const isWhole = restOf(order) === 0n
  if (isWhole) endOrder(desk, order, 'filled')
  if (quantity > 0n) {
    if (order.exits) growExits(desk, order, quantity)
    const partner = find(desk, order.partner)
    if (partner) shrink(desk, partner, quantity)
  }
  if (isWhole && order.parent) endEntry(desk, order.parent)
}
function shrink(desk: Desk, partner: Order, quantity: bigint): void {
  partner.quantity -= min(quantity, restOf(partner))
  if (restOf(partner) === 0n) endOrder(desk, partner, 'cancelled', 'oco')
  else sayStanding(desk, partner, 'amended')
}
function endEntry(desk: Desk, id: string): void {
  const entry = find(desk, id)
  if (entry) endOrder(desk, entry, 'cancelled', 'bracket_exited')
}
function growExits(desk: Desk, entry: Order, quantity: bigint): void {
  const exits = entry.exits!
  if (exits.born) {
    for (const child of desk.account.orders.filter((o) => o.parent === entry.id)) {
      child.quantity += quantity
      sayStanding(desk, child, 'amended')
    }
    return
  }
  exits.born = true
  const profit = exits.takeProfit === null ? null : exitOf(desk, entry, 'tp')
  const stop = exits.stop === null && exits.trail === null ? null : exitOf(desk, entry, 'sl')
  if (profit) Object.assign(profit, { type: 'limit', price: exits.takeProfit, partner: stop?.id ?? null })
  if (stop) {
    const type = exits.trail ? 'trailing_stop' : exits.stopLimit !== null ? 'stop_limit' : 'stop'
    const { trail, stop: at, stopLimit: price } = exits
    Object.assign(stop, { type, stop: at, price, trail, partner: profit?.id ?? null })
    if (trail) stop.best = triggerPrice(desk, stop)
  }
  for (const child of [profit, stop]) {
    if (!child) continue
    desk.account.orders.push(child)
    joinQueue(desk, child)
    sayStanding(desk, child, 'working')
  }
}
function exitOf({ account }: Desk, entry: Order, which: 'tp' | 'sl'): Order {
  return {
    ...entry,
    id: `${entry.id}.${which}`,
    side: opposite(entry.side),
    tif: 'gtc',
    quantity: entry.filled,
    filled: 0n,
    price: null,
    stop: null,
    trail: null,
    activation: null,
    best: null,
    reduceOnly: true,
    postOnly: false,
    expiresAt: null,
    arrivesAt: null,
    ahead: null,
    exits: null,
    parent: entry.id,
    partner: null,
    ticket: isHedging(account) ? entry.id : null,
    status: 'working',
  }
}
export function joinQueue(desk: Desk, order: Order): void {
  if (desk.account.spec.queue_model && order.price !== null && !isStop(order))
    order.ahead = displayed(desk, order) ?? 0n
}

// ---- arrival and triggers --------------------------------------------------------------------------------------------
/** The newest price of an order's trigger side; null: there is none. */
export function triggerPrice(desk: Desk, { symbol, side }: Order): bigint | null {
  const instrument = instrumentOf(desk.account.spec, symbol)
  const { quote, last } = desk.market.of(symbol)
  if (instrument.trigger_price === 'last') return last
  if (!quote) return null
  const { bid, ask } = touchOf(instrument, marksOf(desk))
  return side === 'buy' ? ask : bid
}
const isReached = (order: Order, price: bigint): boolean => {
  const stop = stopOf(order)
  return stop !== null && (order.side === 'buy' ? price >= stop : price <= stop)
}
/** A trailing stop's best price moves in the favourable direction only, from its activation on. Says whether it moved. */
function trails(order: Order, price: bigint): boolean {
  if (order.type !== 'trailing_stop' || !order.trail) return false
  const { side, activation, best } = order
  const favours = (a: bigint, b: bigint) => (side === 'buy' ? a < b : a > b)
  if (best === null) {
    if (activation !== null && favours(activation, price)) return false
  } else if (!favours(price, best)) return false
  order.best = price
  order.activation = null
  return true
}

/** An order that reaches the market: what can trade does, the rest waits or is over. */
export function arrive(desk: Desk, order: Order, waits = false): void {
  const { account } = desk
  if (waits) {
    joinQueue(desk, order)
    return
  }
  if (isStop(order)) {
    const price = triggerPrice(desk, order)
    if (price !== null && isOpen(desk, order.symbol)) {
      trails(order, price)
      if (isReached(order, price) && !isHeldBack(desk, order.symbol, deedOf(desk, order))) trigger(desk, order)
    }
    return
  }
  afterFills(desk, order, fillMarketable(desk, account.book, order))
  rest(desk, order)
}
/** Does what it traded on arrival count as an entry or exit? What triggered has said what it was. */
export function noteArrival(desk: Desk, order: Order, before: { filled: bigint; held: bigint }): void {
  const hasTriggered = desk.said.some((s) => s.kind === 'order' && s.order === order.id && s.status === 'triggered')
  if (order.filled === before.filled || hasTriggered) return
  const { account } = desk
  const traded = order.filled - before.filled
  for (const what of entersOrExits(account, order, { held: before.held, traded }))
    account.deeds.push({ what, symbol: order.symbol })
}
/** A post-only order that meets the other side when it arrives is over. */
export function takesNow(desk: Desk, order: Order): boolean {
  if (!order.postOnly) return false
  const account = structuredClone({ ...desk.account, spec: null }) as unknown as Account
  account.spec = desk.account.spec
  return fillMarketable({ ...desk, account, said: [] }, account.book, { ...order }) > 0n
}
/** What is left: it rests, or it is over. */
function rest(desk: Desk, order: Order): void {
  if (order.status !== 'working') return
  const isLasting = order.price !== null && order.tif !== 'ioc' && order.tif !== 'fok'
  if (isLasting) joinQueue(desk, order)
  else endOrder(desk, order, 'cancelled', 'no_liquidity')
}
function trigger(desk: Desk, order: Order): void {
  const { account } = desk
  account.deeds.push({ what: deedOf(desk, order), symbol: order.symbol })
  order.stop = null
  order.trail = null
  order.activation = null
  order.best = null
  sayStanding(desk, order, 'triggered')
  if (order.price !== null) account.orders = [...account.orders.filter((o) => o !== order), order]
  afterFills(desk, order, fillMarketable(desk, account.book, order))
  rest(desk, order)
}

// ---- a market event ------------------------------------------------------------------------------------------------
/** Trailing stops move, stops that are reached trigger, then resting limits fill, by arrival; of a pair one leg. */
export function meetOrders(desk: Desk, event: MarketEvent): void {
  if (!('symbol' in event) || !isOpen(desk, event.symbol)) return
  const { account } = desk
  const here = account.orders.filter((o) => o.symbol === event.symbol && o.status === 'working')
  const spent = new Set<string>()
  const turn = (order: Order, act: () => void): void => {
    if (order.status !== 'working' || spent.has(order.id)) return
    const before = order.filled
    act()
    if (order.filled > before && order.partner) spent.add(order.partner)
  }
  for (const order of stopsReached(desk, here, event)) {
    const what = deedOf(desk, order)
    if (isHeldBack(desk, order.symbol, what)) continue
    turn(order, () => trigger(desk, order))
  }
  const size = event.kind === 'trade' ? numOf(event.size) : 0n
  const print = event.kind === 'trade' ? { symbol: event.symbol, price: numOf(event.price), size, left: size } : null
  for (const order of account.orders.filter((o) => here.includes(o))) {
    if (order.price === null || isStop(order) || order.status !== 'working') continue
    const what = deedOf(desk, order)
    const { filled } = order
    if (!isHeldBack(desk, order.symbol, what))
      turn(order, () => afterFills(desk, order, fillResting(desk, order, print)))
    if (order.filled > filled) account.deeds.push({ what, symbol: order.symbol })
    moveUp(desk, order, print)
  }
}
const numOf = (value: string): bigint => BigInt(0) + parse(value)

import { num as parse } from './number.ts'

/** What a waiting order does when its price comes: it enters, or it exits. */
function deedOf({ account }: Desk, order: Order): 'activation' | 'stop_trigger' {
  const isExit = order.reduceOnly || order.ticket !== null || (!isHedging(account) && opposes(account.book, order))
  return isExit ? 'stop_trigger' : 'activation'
}
function stopsReached(desk: Desk, here: Order[], event: MarketEvent): Order[] {
  const { account } = desk
  const reached: Order[] = []
  for (const order of here.filter(isStop)) {
    const instrument = instrumentOf(account.spec, order.symbol)
    if (instrument.trigger_price === 'last' && event.kind !== 'trade') continue
    const price = triggerPrice(desk, order)
    if (price === null || trails(order, price)) continue
    if (isReached(order, price)) reached.push(order)
  }
  const protects = (o: Order) => o.reduceOnly || o.ticket !== null || opposes(account.book, o)
  return [...reached.filter(protects), ...reached.filter((o) => !protects(o))]
}
function opposes(book: Book, { symbol, side }: Order): boolean {
  const held = heldIn(book, symbol)
  return side === 'buy' ? held < 0n : held > 0n
}
/** At the end of a point: reducing orders that have nothing left to reduce. */
export function sweep(desk: Desk): void {
  const { account } = desk
  const left: string[] = []
  for (const order of [...account.orders]) {
    if (!(order.reduceOnly || order.ticket !== null)) continue
    if (order.status !== 'working' && order.status !== 'pending') continue
    if (reducible(account, account.book, order) > 0n) continue
    endOrder(desk, order, 'cancelled', 'nothing_to_reduce')
    if (order.parent) left.push(order.parent)
  }
  for (const parent of left) if (!account.orders.some((o) => o.parent === parent)) endEntry(desk, parent)
}
