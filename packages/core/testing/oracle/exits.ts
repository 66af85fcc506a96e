import { type Account, type Desk, instrumentOf, isHedging, type Order, type Position, rulesOf } from './account.ts'
import { abs, div, min, mul, num, percentOf } from './number.ts'
import { convert, marksOf, stopOf } from './value.ts'
import { isStop, restOf } from './working.ts'

/** A stop that waits against the position. */
const isAgainst = (account: Account, position: Position, order: Order): boolean =>
  isStop(order) &&
  order.symbol === position.symbol &&
  (order.side === 'buy') === position.quantity < 0n &&
  (!isHedging(account) || order.ticket === position.id)
/** Stops against it cover all of it. */
export function isProtected(account: Account, position: Position, orders = account.orders): boolean {
  let covered = 0n
  for (const order of orders) if (isAgainst(account, position, order)) covered += restOf(order)
  return covered >= abs(position.quantity)
}
/** What the part of the position that a stop closes gives there, against its cost. */
function resultAt(desk: Desk, position: Position, order: Order): bigint {
  const stop = stopOf(order)
  if (stop === null) return 0n
  const { spec } = desk.account
  const instrument = instrumentOf(spec, order.symbol)
  const size = abs(position.quantity)
  const closes = min(restOf(order), size)
  const worth = mul(mul(position.quantity < 0n ? -closes : closes, num(instrument.contract_size)), stop)
  return convert(spec, instrument, worth - div(mul(position.cost, closes), size), marksOf(desk))
}
/** Where a rule refuses: stops moved where they lose too much, needed ones given up, new ones that lose more. */
export function isExitRefused(desk: Desk, after: Order[]): boolean {
  const { account } = desk
  const before = account.orders
  return rulesOf(account).some((rule) => {
    if (rule.rule !== 'max_risk_per_trade' || rule.effect !== 'gate') return false
    const most = -percentOf(num(account.spec.initial_balance), num(rule.pct))
    return account.book.positions.some((position) => {
      const isGivenUp = isProtected(account, position, before) && !isProtected(account, position, after)
      if (rule.needs_stop && isGivenUp) return true
      return after.some((order) => {
        const was = before.find(({ id }) => id === order.id)
        if (!isAgainst(account, position, order) || (!was && !rule.needs_stop)) return false
        const result = resultAt(desk, position, order)
        return result < most && !(was && result >= resultAt(desk, position, was))
      })
    })
  })
}
