/** What an order would do if it were given now. Pure; nothing of it is journalled. */
import { bookFill } from '../../ledger/book-fill.ts'
import { add, type Dec, gt, isZero, mul, str, sub, ZERO } from '../../money/dec.ts'
import { type Facts, isPast } from '../../rules/kind.ts'
import type { FloorEntry } from '../../rules/phase-rules.ts'
import { type Crossed, inTableOrder } from '../breach.ts'
import type { Compiled, Market } from '../compile.ts'
import { factsOf, floorMeasure, gapOf, sortedRules } from '../facts.ts'
import { money as served } from '../live-rules.ts'
import { settle } from '../settle.ts'
import { type AccountState, copyState, type Order } from '../state.ts'
import { newTurn, own, type Turn } from '../turn.ts'
import type { JournalRecord, OrderBody, OrderView } from '../types.ts'
import { equityOf, reservedMargin, usedMargin } from '../valuation.ts'
import type { MarketView } from '../view.ts'
import { admit, standingOf } from './admit.ts'
import { referenceOf } from './check-terms.ts'
import { answerView } from './order-view.ts'
import { draftChecked, enter } from './place-order.ts'
import type { Refusal } from './refusal.ts'

export interface PreviewFill {
  quantity: string
  price: string
  liquidity: 'maker' | 'taker'
  source: 'quote' | 'levels' | 'trade' | 'slippage' | 'settlement'
  /** account currency, negative: paid */
  fee: string
  /** what closing would book, account currency; null: it closes nothing */
  result: string | null
  /** against the mid, quote currency */
  slippage: string
}
/** A floor (or a cap's ceiling) and what is left to it after the order. */
export interface PreviewFloor {
  rule: string
  index: number
  metric: string
  value: string
  floor: string
  distance: string
  /** filled whole and closed at its stop, the account would be beyond it; null: the order has no stop */
  stop_beyond: boolean | null
}
/** A limit that the order would be over as soon as it is placed. */
export interface PreviewBreach {
  rule: string
  index: number
  effect: string
  metric: string
  value: string
  limit: string
}
export interface Preview {
  refusal: { code: string; detail: string; field?: string; nearest?: string } | null
  /** as it would be answered; null when refused */
  order: OrderView | null
  legs: OrderView[]
  fills: PreviewFill[]
  /** after it, account currency: at least the ledger scale's places */
  balance: string
  equity: string
  used_margin: string
  reserved_margin: string
  free_margin: string
  floors: PreviewFloor[]
  breaches: PreviewBreach[]
}

export function previewOrder(state: AccountState, body: OrderBody, view: MarketView, compiled: Compiled): Preview {
  const turn = newTurn(settle(state, view), view, compiled)
  own(turn)
  const placed = place(turn, body)
  if ('ok' in placed) {
    const { ok: _, retryable: _again, ...refusal } = placed
    return { refusal, order: null, legs: [], fills: [], ...accountOf(turn, null), breaches: [] }
  }
  const [order, ...more] = placed.orders
  const exits = turn.state.orders.filter((o) => o.parent === order!.id)
  return {
    refusal: null,
    order: answerView(turn, order!),
    legs: [...(more.length > 0 ? placed.orders : []), ...exits].map((leg) => answerView(turn, leg)),
    fills: turn.records.flatMap((record) => (record.kind === 'fill' ? [fillOf(record)] : [])),
    ...accountOf(turn, placed),
    breaches: breachesOf(turn),
  }
}

/** What its acts and its fills would be over. */
function breachesOf(turn: Turn): PreviewBreach[] {
  const { state, compiled, quoteOf } = turn
  const facts = factsOf(state, compiled, quoteOf, turn.at)
  const { floors, measured } = sortedRules(state, compiled)
  const over: Crossed[] = [...turn.acts]
  for (const entry of floors) {
    const floor = floorNow(entry, facts)
    const measure = floor && entry.kind.testedAt!(entry.rule, 'every') ? floorMeasure(entry, floor, facts) : null
    if (measure && isPast(measure, entry.compare)) over.push({ ...measure, entry })
  }
  for (const entry of measured) {
    const measure = entry.kind.measure!(entry.rule, facts, state.rules[entry.index]!, quoteOf)
    if (measure && isPast(measure, entry.compare)) over.push({ ...measure, entry })
  }
  return over.sort(inTableOrder).map(({ entry, metric, value, limit }) => ({
    rule: entry.rule.rule,
    index: entry.index,
    effect: entry.effect,
    metric,
    value: str(value),
    limit: str(limit),
  }))
}
/** What follows each booking has not been moved by the order's fees yet. */
const floorNow = ({ kind, rule, index }: FloorEntry, facts: Facts): Dec | null => {
  const own = facts.account.rules[index]!
  return kind.followsBalance ? kind.floor!(rule, facts, own) : own.floor
}

interface Placed {
  orders: Order[]
  market: Market
}
/** As if it arrived now, whatever the latency model. */
function place(turn: Turn, body: OrderBody): Placed | Refusal {
  const drafted = draftChecked(turn, { op: 'order', ...body }, `o${turn.state.aseq}`)
  if ('ok' in drafted) return drafted
  const { orders, market } = drafted
  const standing = standingOf(turn, orders, market)
  return admit(turn, orders, market, standing) ?? enter(turn, orders, market, standing) ?? drafted
}

const fillOf = (record: Extract<JournalRecord, { kind: 'fill' }>): PreviewFill => ({
  quantity: record.quantity,
  price: record.price,
  liquidity: record.liquidity,
  source: record.source.kind,
  fee: record.fee?.booked ?? '0',
  result: record.result?.booked ?? null,
  slippage: record.spread_cost,
})

type Account = Pick<Preview, 'balance' | 'equity' | 'used_margin' | 'reserved_margin' | 'free_margin' | 'floors'>
function accountOf(turn: Turn, placed: Placed | null): Account {
  const { state, compiled, quoteOf } = turn
  const money = (value: Dec): string => served(value, compiled.scale)
  const equity = equityOf(state.book, compiled, quoteOf)
  const used = usedMargin(state.book, compiled, quoteOf)
  const reserved = reservedMargin(state.orders, state.book, compiled, quoteOf)
  return {
    balance: money(state.book.balance),
    equity: money(equity),
    used_margin: money(used),
    reserved_margin: money(reserved),
    free_margin: money(sub(equity, add(used, reserved))),
    floors: floorsOf(turn, placed && stoppedOut(turn, placed), money),
  }
}

function floorsOf(turn: Turn, stopped: AccountState | null, money: (value: Dec) => string): PreviewFloor[] {
  const { state, compiled, quoteOf } = turn
  if (!state.day) return []
  const facts = factsOf(state, compiled, quoteOf, turn.at)
  const then = stopped && factsOf(stopped, compiled, quoteOf, turn.at)
  const { floors } = sortedRules(state, compiled)
  return floors.flatMap((entry): PreviewFloor[] => {
    const { rule, index, metric, side } = entry
    const floor = floorNow(entry, facts)
    if (!floor) return []
    const measure = floorMeasure(entry, floor, facts)
    const atStop = then && side === 'below' ? floorMeasure(entry, floor, then) : null
    return [
      {
        rule: rule.rule,
        index,
        metric,
        value: money(measure.value),
        floor: money(floor),
        distance: money(gapOf(measure)),
        stop_beyond: atStop && isPast(atStop, entry.compare),
      },
    ]
  })
}

/** The account once the order were filled whole at its price and its position closed at its stop; null: it has none. */
function stoppedOut(turn: Turn, { orders, market }: Placed): AccountState | null {
  const order = orders[0]!
  const reference = referenceOf(turn, order, market)
  const stop = reference && stopOf(order, reference)
  if (!stop || orders.length > 1) return null
  const state = copyState(turn.state)
  const { compiled } = turn
  const ticket = compiled.hedging ? { ticket: order.id } : {}
  const trade = (side: Order['side'], quantity: Dec, price: Dec): void => {
    const fill = {
      order: order.id,
      side,
      quantity,
      price,
      liquidity: 'taker' as const,
      day: -1,
      at: turn.at,
      ...ticket,
    }
    bookFill(state.book, market, fill, compiled.scale, turn.quoteOf)
  }
  const rest = sub(order.quantity, order.filled)
  if (!isZero(rest)) trade(order.side, rest, reference)
  trade(order.side === 'buy' ? 'sell' : 'buy', order.quantity, stop)
  return state
}
function stopOf(order: Order, reference: Dec): Dec | null {
  const { bracket } = order
  if (!bracket?.trail) return bracket?.stop ?? null
  const away = bracket.trail.offset ?? mul(reference, bracket.trail.share!)
  const stop = order.side === 'buy' ? sub(reference, away) : add(reference, away)
  return gt(stop, ZERO) ? stop : null
}
