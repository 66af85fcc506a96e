/** What leaves an account for the bus: a projection of its journal, one aggregate per account, gapless. Pure. */

import * as assessment from '@assay/core/contracts/topics/assessment'
import * as rules from '@assay/core/contracts/topics/rules'
import type { Topic } from '@assay/core/contracts/topics/topic'
import * as trading from '@assay/core/contracts/topics/trading'
import type { Booked, JournalRecord, OrderView } from '@assay/core/domain/engine/types'
import { add, dec, isZero, sub } from '@assay/core/domain/money/dec'

export interface OutboxEvent {
  topic: string
  data: unknown
}
type RecordOf<K extends JournalRecord['kind']> = Extract<JournalRecord, { kind: K }>
const event = <T>(topic: Topic<T>, data: T): OutboxEvent => ({ topic: topic.name, data })

/** Events of consecutive records of one account, in their order. */
export function eventsOf(account: string, records: readonly JournalRecord[]): OutboxEvent[] {
  let header: RecordOf<'header'> | null = null
  return records.flatMap((r): OutboxEvent[] => {
    const place = { assessment_id: account, aseq: r.aseq, mseq: r.mseq, mts: r.mts }
    switch (r.kind) {
      case 'header':
        header = r
        return []
      case 'command':
        return commandEvents(place, r, header)
      case 'fill':
        return fillEvents(place, r)
      case 'order':
        return orderEvents(place, r)
      case 'warning':
        return [
          event(rules.ruleWarning, {
            ...place,
            rule: r.rule,
            index: r.index,
            value: r.value,
            limit: r.limit,
            phase: r.phase,
            fraction: r.fraction,
          }),
        ]
      case 'lock':
        return [event(rules.ruleLocked, { ...place, phase: r.phase, rule: r.rule, index: r.index, until: r.until })]
      case 'pause':
        return [pauseEvent(place, r)]
      case 'phase':
        return [
          event(assessment.assessmentPhaseChanged, { ...place, phase: r.phase, status: r.status, balance: r.balance }),
        ]
      case 'violation': {
        const broken = { ...place, rule: r.rule, index: r.index, value: r.value, limit: r.limit, phase: r.phase }
        return r.provisional
          ? [event(rules.violationProvisional, { ...broken, status: 'suspected' })]
          : [event(rules.violationDetected, { ...broken, effect: r.effect, balance: r.balance, equity: r.equity })]
      }
      case 'withdrawn': {
        const cleared = { ...place, rule: r.rule, index: r.index, value: r.value, limit: r.limit, phase: r.phase }
        return [event(rules.violationProvisional, { ...cleared, status: 'withdrawn' })]
      }
      case 'verdict':
        return [verdictEvent(place, r)]
      default:
        return []
    }
  })
}

type Placed = { assessment_id: string; aseq: number; mseq: number; mts: number }
function commandEvents(place: Placed, r: RecordOf<'command'>, header: RecordOf<'header'> | null): OutboxEvent[] {
  const { command, answer } = r
  if (command.op === 'create' && answer.ok && header) {
    return [
      event(assessment.assessmentCreated, {
        ...place,
        currency: header.currency,
        initial_balance: header.initial_balance,
      }),
    ]
  }
  if (command.op === 'start' && answer.ok) return [event(assessment.assessmentStarted, place)]
  if (command.op === 'close' && answer.ok && answer.order)
    return [event(trading.orderPlaced, { ...place, ...askedOf(answer.order) })]
  if (command.op !== 'order') return []
  const { op: _, ...asked } = command
  if (!answer.ok)
    return [event(trading.orderRejected, { ...place, ...asked, code: answer.code, detail: answer.detail })]
  return [event(trading.orderPlaced, { ...place, order: answer.order!.id, ...asked })]
}

const ORDER_TOPICS = {
  triggered: trading.orderTriggered,
  amended: trading.orderAmended,
  cancelled: trading.orderCancelled,
  expired: trading.orderExpired,
} as const
/** A child's birth is told as an order that was placed; that an order filled is told by its fills. */
function orderEvents(place: Placed, r: RecordOf<'order'>): OutboxEvent[] {
  if (r.status === 'filled') return []
  if (r.status === 'working')
    return r.view?.parent ? [event(trading.orderPlaced, { ...place, ...askedOf(r.view) })] : []
  const { quantity, price, stop_price } = r.view ?? {}
  return [
    event(ORDER_TOPICS[r.status], {
      ...place,
      order: r.order,
      filled: r.filled,
      ...(quantity === undefined ? {} : { quantity }),
      ...(price === undefined ? {} : { price }),
      ...(stop_price === undefined ? {} : { stop_price }),
      ...(r.reason ? { reason: r.reason } : {}),
    }),
  ]
}
const askedOf = ({
  id,
  parent: _,
  oco: _o,
  filled: _f,
  status: _s,
  reason: _r,
  created_at: _c,
  ...asked
}: OrderView) => ({
  order: id,
  ...asked,
})
function pauseEvent(place: Placed, { phase, paused, count, reason }: RecordOf<'pause'>): OutboxEvent {
  if (paused) return event(assessment.assessmentPaused, { ...place, phase, count })
  return event(assessment.assessmentResumed, { ...place, phase, ...(reason ? { reason } : {}) })
}

function fillEvents(place: Placed, r: RecordOf<'fill'>): OutboxEvent[] {
  const { order, phase, symbol, side, quantity, price, liquidity, position } = r
  const after = dec(position.quantity)
  const before = side === 'buy' ? sub(after, dec(quantity)) : add(after, dec(quantity))
  const moved = isZero(after)
    ? trading.positionClosed
    : isZero(before)
      ? trading.positionOpened
      : trading.positionChanged
  return [
    event(trading.orderFilled, {
      ...place,
      order,
      phase,
      symbol,
      side,
      quantity,
      price,
      liquidity,
      result: bookedOf(r.result),
      fee: bookedOf(r.fee),
    }),
    event(moved, { ...place, position: position.id, symbol, quantity: position.quantity, cost: position.cost }),
  ]
}
const bookedOf = (b: Booked | null) => b && { amount: b.amount, currency: b.currency, rate: b.rate, booked: b.booked }

function verdictEvent(place: Placed, r: RecordOf<'verdict'>): OutboxEvent {
  const { verdict, phase, rule, value, limit, balance, equity } = r
  if (verdict === 'abandoned') return event(assessment.assessmentAbandoned, { ...place, balance, equity })
  return event(assessment.assessmentCompleted, {
    ...place,
    outcome: verdict,
    phase,
    rule,
    value,
    limit,
    balance,
    equity,
  })
}
