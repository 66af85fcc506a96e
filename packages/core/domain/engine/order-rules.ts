/** What rules refuse before an order is accepted, what a news window holds back, and acts that are breaches. */
import { markedUp } from '../matching/depth.ts'
import { type Dec, dec, gte, isZero, lte, sub, ZERO } from '../money/dec.ts'
import type { Act, OrderRequest, RuleRefusal } from '../rules/kind.ts'
import type { Entry } from '../rules/phase-rules.ts'
import type { Crossed } from './breach.ts'
import type { Market } from './compile.ts'
import { factsAt, sortedRules } from './facts.ts'
import { marketBar } from './orders/market-bar.ts'
import { type Refusal, refuse } from './orders/refusal.ts'
import { wouldFollow } from './orders/trail.ts'
import { isReached, touchFor, triggerPrice } from './orders/trigger-price.ts'
import type { Order } from './state.ts'
import type { Fill, Turn } from './turn.ts'
import { addingQuantities } from './valuation.ts'

const ONE_ACT = dec('1')

const factsNow = (turn: Turn) => factsAt(turn.state, turn.compiled, ZERO, turn.at)

const others = ({ state }: Turn, order: Order): Order[] => state.orders.filter((o) => o.id !== order.id)
function requestOf(turn: Turn, order: Order, market: Market): OrderRequest | null {
  const quote = turn.quoteOf(order.symbol)
  if (!quote) return null
  const waiting = others(turn, order)
  const own = order.type === 'market' ? null : (order.price ?? order.stop ?? order.trailing?.activation ?? null)
  return {
    order,
    amends: waiting.length < turn.state.orders.length,
    market,
    reference:
      own ??
      (order.side === 'buy' ? markedUp(quote.ask.price, 'ask', market) : markedUp(quote.bid.price, 'bid', market)),
    quoteOf: turn.quoteOf,
    adding: addingQuantities([...waiting, order], turn.state.book, turn.compiled.hedging),
  }
}
/** The order would trade on arrival: it crosses, or its stop is reached already. */
function tradesNow(turn: Turn, order: Order, market: Market): boolean {
  const { type, side, price, stop, trailing } = order
  if (type === 'market') return true
  if (trailing && !stop) return false
  if (stop) {
    const now = triggerPrice(side, market, turn.view)
    if (!now || (trailing && wouldFollow(order, now)) || !isReached(side, now, stop)) return false
  }
  const touch = touchFor(side, market, turn.view)
  if (!price || !touch) return stop !== null && touch !== null
  return side === 'buy' ? gte(price, touch) : lte(price, touch)
}

/** Null: no rule is against it. The order is not among the working ones yet. */
export function refuseByRules(turn: Turn, order: Order, market: Market): Refusal | null {
  const { refusing, forbidding } = sortedRules(turn.state, turn.compiled)
  if (refusing.length === 0 && forbidding.length === 0) return null
  const request = requestOf(turn, order, market)
  if (!request) return null
  const adds = request.adding.get(order.id) ?? ZERO
  const refuseTrade = () => (marketBar(turn, market) ? null : refuseByNews(turn, order, market, adds))
  if (isZero(adds)) return refuseExits(turn, [...others(turn, order), order]) ?? refuseTrade()
  const facts = factsNow({
    ...turn,
    state: { ...turn.state, orders: others(turn, order) },
  })
  for (const entry of refusing) {
    const against = entry.kind.refuse!(entry.rule, request, facts, turn.state.rules[entry.index]!)
    if (!against) continue
    if (entry.effect === 'gate' || !against.measure) return refused(entry, against)
    noteRisk(turn, { ...against.measure, entry, atOnce: true })
  }
  return refuseTrade()
}
/** Of the two legs of a pair the worse one counts. */
function noteRisk(turn: Turn, act: Crossed): void {
  const other = turn.acts.find((a) => a.entry.index === act.entry.index)
  if (other && gte(other.value, act.value)) return
  turn.acts = [...turn.acts.filter((a) => a !== other), act]
}
/** Exits as they would be: against those that stood before this command. */
export function refuseExits(turn: Turn, after: readonly Order[]): Refusal | null {
  const { refusing } = sortedRules(turn.state, turn.compiled)
  for (const entry of refusing) {
    if (entry.effect !== 'gate' || !entry.kind.refuseExit) continue
    const change = { before: turn.origin.orders, after, quoteOf: turn.quoteOf }
    const against = entry.kind.refuseExit(entry.rule, change, factsNow(turn))
    if (against) return refused(entry, against)
  }
  return null
}
const refused = ({ rule }: Entry, { detail, field }: RuleRefusal): Refusal =>
  refuse('rule_refused', `${rule.rule}: ${detail}.`, { field })

/** Null: it rests, or no rule is against its trade. */
function refuseByNews(turn: Turn, order: Order, market: Market, adds: Dec): Refusal | null {
  if (!tradesNow(turn, order, market)) return null
  const reduces = !isZero(sub(sub(order.quantity, order.filled), adds))
  const act = !isZero(adds) && forbidder(turn, 'open', order.symbol, true) ? 'open' : 'close'
  const entry = act === 'open' || reduces ? forbidder(turn, act, order.symbol, true) : undefined
  if (!entry) return null
  return refused(entry, {
    detail: `no position is ${act === 'open' ? 'opened' : 'closed'} in this window`,
    field: 'symbol',
  })
}
/** Latency model: what would trade now, but was accepted before this window. */
export function arrivesInNews(turn: Turn, order: Order, market: Market): boolean {
  if (sortedRules(turn.state, turn.compiled).forbidding.length === 0) return false
  const request = requestOf(turn, order, market)
  return request !== null && refuseByNews(turn, order, market, request.adding.get(order.id) ?? ZERO) !== null
}
/** The first rule that forbids an act now: those that refuse, or those whose breach has an effect. */
function forbidder(turn: Turn, act: Act, symbol: string, gates: boolean): Entry | undefined {
  const { forbidding } = sortedRules(turn.state, turn.compiled)
  if (forbidding.length === 0) return undefined
  const facts = factsNow(turn)
  return forbidding.find(
    ({ kind, rule, effect }) => (effect === 'gate') === gates && kind.isForbidden!(rule, act, symbol, facts),
  )
}
/** activation: an entry that waited would trade now; stop_trigger: an exit would. */
export const isHeldBack = (turn: Turn, order: Order, what: 'activation' | 'stop_trigger'): boolean =>
  forbidder(turn, what, order.symbol, true) !== undefined

/** An act that a news window may forbid has happened: a breach of each rule that it is against. */
export function noteAct(turn: Turn, what: Act, symbol: string): void {
  const { forbidding } = sortedRules(turn.state, turn.compiled)
  if (forbidding.length === 0) return
  const facts = factsNow(turn)
  for (const entry of forbidding) {
    if (entry.effect === 'gate' || !entry.kind.isForbidden!(entry.rule, what, symbol, facts)) continue
    if (turn.acts.some((a) => a.entry.index === entry.index)) continue
    turn.acts.push({ metric: what, value: ONE_ACT, limit: ZERO, side: 'above', entry, atOnce: true })
  }
}
/** A fill of the trader's own order that traded on arrival; what waited says so itself when it is reached. */
export function noteTrade(turn: Turn, fill: Fill, symbol: string, did: { opens: boolean; closes: boolean }): void {
  if (fill.liquidity !== 'taker' || !fill.order.startsWith('o')) return
  if (turn.records.some((r) => r.kind === 'order' && r.order === fill.order && r.status === 'triggered')) return
  if (did.opens) noteAct(turn, 'open', symbol)
  if (did.closes) noteAct(turn, 'close', symbol)
}
