import type { Command, OrderBody } from '../../domain/engine/types.ts'
import { type Desk, heldIn, instrumentOf, isRunning, type Order, opposite } from './account.ts'
import { DAY, sessionEndAfter } from './clocks.ts'
import { amendOrder, draftOrder, offQuantity } from './command.ts'
import { isExitRefused } from './exits.ts'
import { isHeldBack } from './news.ts'
import { abs, num, text } from './number.ts'
import { riskedTooMuch } from './order-rules.ts'
import { pause, resume } from './pauses.ts'
import { finish, open } from './phases.ts'
import { point } from './point.ts'
import { blockedBy, equityOf, marksOf } from './value.ts'
import { arrive, endOrder, noteArrival, sayStanding, sweep } from './working.ts'

type Answer = Record<string, unknown>
const refuse = (code: string, field?: string): Answer => ({ ok: false, code, field })

/** One command, one evaluation point. */
export function obey(desk: Desk, command: Command): Answer {
  const { account } = desk
  switch (command.op) {
    case 'create':
      if (account.status !== 'none') return refuse('conflict')
      account.status = 'created'
      return { ok: true, status: 'created' }
    case 'start':
      if (isRunning(account)) return refuse('assessment_already_started')
      if (account.status !== 'created') return refuse('assessment_ended')
      account.settledTo = desk.at
      open(desk, 0)
      point(desk, [])
      return { ok: true, status: 'started' }
    case 'abandon':
      return abandon(desk)
    case 'cancel_all':
      if (!isRunning(account)) return { ok: true, cancelled: '' }
  }
  if (account.status === 'none' || account.status === 'created') return refuse('assessment_not_started')
  if (!isRunning(account)) return refuse('assessment_ended')
  const answer = trade(desk, command)
  if (answer.ok) point(desk, [])
  return answer
}
function abandon(desk: Desk): Answer {
  const { account } = desk
  if (account.status === 'none') return refuse('assessment_not_started')
  if (account.status !== 'created' && !isRunning(account)) return refuse('assessment_ended')
  const { balance } = account.book
  finish(desk, 'abandoned', { balance, equity: equityOf(account.spec, account.book, marksOf(desk)) })
  return { ok: true, status: 'abandoned' }
}
function trade(desk: Desk, command: Command): Answer {
  const { account } = desk
  switch (command.op) {
    case 'pause':
      return pauseNow(desk)
    case 'resume':
      if (account.status !== 'paused') return refuse('assessment_not_paused')
      resume(desk)
      return { ok: true, status: 'started' }
    case 'order':
      return account.status === 'paused' ? refuse('assessment_paused') : place(desk, command)
    case 'close':
      return account.status === 'paused' ? refuse('assessment_paused') : close(desk, command)
    case 'amend': {
      const order = account.orders.find((o) => o.id === command.order)
      if (!order) return refuse('order_not_working')
      const before = { ...order }
      const refusal = amendOrder(desk, order, command)
      if (refusal) {
        account.risked = []
        return { ok: false, ...refusal }
      }
      const held = heldIn(account.book, order.symbol)
      sayStanding(desk, order, 'amended')
      const moves =
        before.price !== order.price ||
        before.stop !== order.stop ||
        before.trail !== order.trail ||
        order.quantity > before.quantity
      if (order.status === 'working' && moves)
        arrive(desk, order, blockedBy(desk, instrumentOf(account.spec, order.symbol)) !== null)
      noteArrival(desk, order, { filled: before.filled, held })
      sweep(desk)
      return { ok: true, order: viewOf(order), legs: [] }
    }
    case 'cancel':
      return cancel(desk, (o) => o.id === command.order, true)
    case 'cancel_all':
      return cancel(desk, (o) => command.symbol === undefined || command.symbol === o.symbol, false)
  }
  return refuse('assessment_ended')
}
function pauseNow(desk: Desk): Answer {
  const { account } = desk
  const { spec, pauses } = account
  if (account.status === 'paused') return refuse('assessment_paused')
  const isUsedUp = pauses.count >= spec.max_pauses || pauses.total >= spec.max_pause_days * DAY
  if (account.book.positions.length > 0 || isUsedUp) return refuse('pause_not_allowed')
  pause(desk)
  return { ok: true, status: 'paused' }
}
function place(desk: Desk, body: OrderBody): Answer {
  const drafted = draftOrder(desk, body)
  if ('refusal' in drafted) return { ok: false, ...drafted.refusal }
  if (!drafted.reduces) desk.account.risked = riskedTooMuch(desk, drafted.orders)
  return accept(desk, drafted.orders, drafted.waits)
}
function accept(desk: Desk, orders: Order[], waits = false): Answer {
  const { account } = desk
  account.day.orders += 1
  for (const order of orders) {
    if (order.tif === 'day') order.expiresAt = endOfDay(desk, order)
    account.orders.push(order)
  }
  const [order, leg] = orders as [Order, Order?]
  const before = new Set(account.orders)
  if (leg && order.status === 'working') sayStanding(desk, leg, 'working')
  const held = heldIn(account.book, order.symbol)
  for (const one of orders) if (one.status === 'working') arrive(desk, one, waits)
  for (const one of orders) noteArrival(desk, one, { filled: 0n, held })
  sweep(desk)
  const born = account.orders.filter((o) => !before.has(o))
  return { ok: true, order: viewOf(order), legs: (leg ? [leg] : born).map(viewOf) }
}
/** DAY ends at the phase's reset or the session end, whichever is first. */
function endOfDay({ account, at }: Desk, order: Order): number {
  const end = sessionEndAfter(account.spec, instrumentOf(account.spec, order.symbol), at)
  return end === null ? account.day.next : Math.min(end, account.day.next)
}
function close(desk: Desk, command: Extract<Command, { op: 'close' }>): Answer {
  const { account } = desk
  const held = account.book.positions.find(
    (p) => p.id === command.position || (account.spec.position_mode === 'netting' && p.symbol === command.position),
  )
  if (!held) return refuse('position_not_open', 'position')
  const instrument = instrumentOf(account.spec, held.symbol)
  const quantity = command.quantity === undefined ? abs(held.quantity) : num(command.quantity)
  if (command.quantity !== undefined) {
    const bad = offQuantity(instrument, quantity)
    if (bad && (bad.code === 'quantity_off_grid' || quantity <= 0n)) return { ok: false, ...bad }
  }
  const blocked = blockedBy(desk, instrument)
  if (blocked) return refuse(blocked)
  if (isHeldBack(desk, held.symbol, 'close')) return refuse('rule_refused', 'symbol')
  const { latency_ms } = account.spec
  const order: Order = {
    id: command.client_order_id!,
    symbol: held.symbol,
    side: opposite(held.quantity > 0n ? 'buy' : 'sell'),
    type: 'market',
    tif: 'ioc',
    quantity,
    filled: 0n,
    price: null,
    stop: null,
    trail: null,
    activation: null,
    best: null,
    reduceOnly: true,
    postOnly: false,
    expiresAt: null,
    arrivesAt: latency_ms > 0 ? desk.at + latency_ms : null,
    ahead: null,
    exits: null,
    parent: null,
    partner: null,
    ticket: held.id,
    status: latency_ms > 0 ? 'pending' : 'working',
  }
  return accept(desk, [order])
}
function cancel(desk: Desk, isMeant: (order: Order) => boolean, isOne: boolean): Answer {
  const { account } = desk
  const named = account.orders.filter(isMeant)
  if (isOne && named.length === 0) return refuse('order_not_working')
  const cancelled: Order[] = []
  for (const order of named) {
    const partner = account.orders.find((o) => o.id === order.partner)
    const more = isOne && partner && order.parent === null ? [order, partner] : [order]
    const left = account.orders.filter((o) => !cancelled.includes(o) && !more.includes(o))
    if (!isExitRefused(desk, left)) cancelled.push(...more)
    else if (isOne) return refuse('rule_refused', 'stop_loss')
  }
  for (const order of account.orders) if (cancelled.some((o) => o.id === order.partner)) order.partner = null
  for (const order of cancelled) endOrder(desk, order, 'cancelled')
  return { ok: true, cancelled: cancelled.map((order) => order.id).join() }
}
const viewOf = (order: Order) => ({
  id: order.id,
  type: order.type,
  quantity: text(order.quantity),
  filled: text(order.filled),
  ...(order.quantity === 0n ? {} : { status: order.status, reason: order.reason }),
  expires: order.expiresAt,
})
