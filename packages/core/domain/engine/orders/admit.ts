/** Whether orders are accepted, before anything trades: null says yes. */
import { abs, add, type Dec, isZero, lt, mul, sign, str, sub, toNumber, ZERO } from '../../money/dec.ts'
import type { Market } from '../compile.ts'
import { refuseByRules } from '../order-rules.ts'
import type { AccountState, Order } from '../state.ts'
import type { Turn } from '../turn.ts'
import { addingQuantities, equityOf, mostReserved, reservedMargin, usedMargin } from '../valuation.ts'
import { mayRest } from './arrive.ts'
import { checkBracket, checkExpiry, checkLegs, checkReducing, referenceOf } from './check-terms.ts'
import { marketBar } from './market-bar.ts'
import { onlyReduces } from './reducing.ts'
import { type Refusal, refuse } from './refusal.ts'

/** Working orders an account may have, exits that are not born yet counted. */
export const MAX_WORKING_ORDERS = 200

/** What keeps an account from giving orders at all. */
export function accountBar({ status }: AccountState): Refusal | null {
  if (status === 'started') return null
  if (status === 'created') return refuse('assessment_not_started', 'Start the assessment first.')
  if (status === 'paused') return refuse('assessment_paused', 'Resume the assessment first.')
  return refuse('assessment_ended', `The assessment has ended: ${status}.`)
}
export const lockBar = ({ provisional, lock }: AccountState): Refusal | null => {
  if (provisional)
    return refuse(
      'account_locked',
      'A provisional breach is being decided: only orders that reduce exposure are accepted.',
    )
  return (
    lock &&
    refuse(
      'account_locked',
      'The account is locked until its next reset: only orders that reduce exposure are accepted.',
    )
  )
}
const notionalOf = (order: Order, reference: Dec, { contract }: Market): Dec =>
  mul(mul(order.quantity, contract), reference)
export function checkNotional(order: Order, reference: Dec | null, market: Market): Refusal | null {
  if (!reference || !lt(notionalOf(order, reference, market), market.minNotional)) return null
  const detail = `The least notional is ${str(market.minNotional)} ${market.doc.quote}.`
  return refuse('notional_too_small', detail, { field: 'quantity' })
}

const placesOf = ({ bracket }: Order): number =>
  1 +
  (bracket && !bracket.born
    ? Number(bracket.takeProfit !== null) + Number((bracket.stop ?? bracket.trail) !== null)
    : 0)
function hasRoom(turn: Turn, orders: readonly Order[]): boolean {
  const waits = turn.compiled.spec.latency_ms > 0 || orders.some((o) => mayRest(o) || o.bracket)
  const places = (list: readonly Order[]): number => list.reduce((total, o) => total + placesOf(o), 0)
  return !waits || places(turn.state.orders) + places(orders) <= MAX_WORKING_ORDERS
}

/** Where orders meet account and market. */
export interface Standing {
  /** what keeps the market from trading; null when it trades: a reducing limit order stands there until it does */
  bar: Refusal | null
  /** they can only make a position smaller */
  reduces: boolean
}
export const standingOf = (turn: Turn, orders: readonly Order[], market: Market): Standing => ({
  bar: marketBar(turn, market),
  reduces: orders.every((order) => onlyReduces(turn, order)),
})

export function admit(
  turn: Turn,
  orders: readonly Order[],
  market: Market,
  { bar, reduces }: Standing,
): Refusal | null {
  const { state } = turn
  const first = orders[0]!
  const asked = checkExpiry(turn, first) ?? checkReducing(turn, first)
  if (asked) return asked
  const locked = reduces ? null : lockBar(state)
  if (locked) return locked
  if (bar && !(reduces && orders.length === 1 && first.type === 'limit' && mayRest(first))) return bar
  if (!hasRoom(turn, orders)) return refuse('too_many_orders', `At most ${MAX_WORKING_ORDERS} orders may work at once.`)
  for (const order of orders) {
    const reference = referenceOf(turn, order, market)
    const wrong = (reduces ? null : checkNotional(order, reference, market)) ?? checkBracket(order, reference)
    if (wrong) return wrong
  }
  const legs = checkLegs(turn, orders, market)
  if (legs) return legs
  for (const order of orders) {
    const refusal = refuseByRules(turn, order, market)
    if (refusal) return refusal
  }
  return null
}

/** More than the roundings of the doubles compared can add up to. */
const DOUBT = 1e-9
/** True is a proof that margin is left: by far more than doubles are off, and by all that orders could reserve. */
const isAmple = (held: number, used: number, reserved: number): boolean =>
  held - used - reserved > DOUBT * (1 + Math.abs(held) + Math.abs(used) + reserved)

/** After orders traded and rest as they would: E - used - reserved must not be below zero, unless they added nothing. */
export function marginBar(turn: Turn, orders: readonly Order[], market: Market): Refusal | null {
  const { state, compiled, quoteOf } = turn
  const held = equityOf(state.book, compiled, quoteOf)
  const used = usedMargin(state.book, compiled, quoteOf)
  if (isAmple(toNumber(held), toNumber(used), mostReserved(state.orders, compiled, quoteOf))) return null
  const adding = addingQuantities(state.orders, state.book, compiled.hedging)
  if (orders.every((o) => isZero(o.filled) && isZero(adding.get(o.id) ?? ZERO))) return null
  const reserved = reservedMargin(state.orders, state.book, compiled, quoteOf, adding)
  const free = sub(held, add(used, reserved))
  if (sign(free) >= 0) return null
  const missing = `${str(abs(free))} ${compiled.spec.currency}`
  const detail = `After this order ${missing} of margin would be missing for ${market.symbol}.`
  return refuse('insufficient_margin', detail, { field: 'quantity' })
}
