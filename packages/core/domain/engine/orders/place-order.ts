import type { Market } from '../compile.ts'
import type { Order } from '../state.ts'
import { fork, type Turn, takeBack } from '../turn.ts'
import type { Answer } from '../types.ts'
import { accountBar, admit, marginBar, type Standing, standingOf } from './admit.ts'
import { arrive, wouldTake } from './arrive.ts'
import { checkNumbers } from './check-terms.ts'
import { draftOrders, type OrderCommand } from './draft.ts'
import { dayEnd } from './expire.ts'
import { answerView, writeStanding } from './order-view.ts'
import { cancelIdle } from './reducing.ts'
import { type Refusal, refuse } from './refusal.ts'

/** The market of an order; a refusal where this account cannot trade it. */
function tradableMarket({ compiled }: Turn, symbol: string): Market | Refusal {
  const market = compiled.markets.get(symbol)
  const about = { field: 'symbol' }
  if (!market) return refuse('unknown_symbol', `${symbol} is not an instrument of this account.`, about)
  if (market.path) return market
  return refuse('symbol_not_tradable', `${symbol} has no conversion path to ${compiled.spec.currency}.`, about)
}

/** The orders that a command asks for, their numbers checked. */
export function draftChecked(
  turn: Turn,
  command: OrderCommand,
  id: string,
): { orders: Order[]; market: Market } | Refusal {
  const account = accountBar(turn.state)
  if (account) return account
  const market = tradableMarket(turn, command.symbol)
  if ('ok' in market) return market
  const orders = draftOrders(turn, command, id, () => dayEnd(turn, market))
  for (const order of orders) {
    const off = checkNumbers(order, market)
    if (off) return off
  }
  return { orders, market }
}

/**
 * Accepts or refuses an order and trades its marketable part, or sends it on its way. `id` is its name in the chain. On
 * a refusal nothing of the state has changed.
 */
export function placeOrder(turn: Turn, command: OrderCommand, id: string): Answer {
  const drafted = draftChecked(turn, command, id)
  if ('ok' in drafted) return drafted
  return submit(turn, drafted.orders, drafted.market)
}

/** Closes come this way too: each counts as one order of the day, both legs of a pair as one. */
export function submit(turn: Turn, orders: Order[], market: Market): Answer {
  const standing = standingOf(turn, orders, market)
  const refusal = admit(turn, orders, market, standing)
  if (refusal) return refusal
  const sent = turn.compiled.spec.latency_ms > 0 ? send : enter
  const against = sent(turn, orders, market, standing)
  if (against) return against
  turn.state.day!.orders += 1
  return accepted(turn, orders)
}

/** Orders arrive at once; a refusal takes all of it back. */
export function enter(turn: Turn, orders: Order[], market: Market, { bar, reduces }: Standing): Refusal | null {
  const barred = bar !== null
  const written = turn.records.length
  if (!barred && wouldTake(turn, orders[0]!, market))
    return refuse('would_take', 'A post-only order may not trade on arrival.', { field: 'price' })
  for (const order of orders) {
    if (order !== orders[0]) writeStanding(turn, order, 'working')
    arrive(turn, order, market, barred)
  }
  const refusal = reduces ? null : marginBar(turn, orders, market)
  if (refusal) takeBack(turn, written)
  else cancelIdle(turn)
  return refusal
}
/** Latency model: accepted where they would be if they arrived now, then on their way. */
function send(turn: Turn, orders: Order[], market: Market, standing: Standing): Refusal | null {
  const trial = fork(turn)
  const refusal = enter(trial, structuredClone(orders), market, standing)
  if (refusal) return refusal
  for (const order of orders) {
    order.arrivesAt = turn.at + turn.compiled.spec.latency_ms
    turn.state.orders.push(order)
  }
  return null
}

function accepted(turn: Turn, orders: readonly Order[]): Answer {
  const order = answerView(turn, orders[0]!)
  const exits = turn.state.orders.filter((o) => o.parent === order.id)
  const legs = [...(orders.length > 1 ? orders : []), ...exits]
  return { ok: true, order, ...(legs.length > 0 ? { legs: legs.map((leg) => answerView(turn, leg)) } : {}) }
}
