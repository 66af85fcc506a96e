import type { OrderBody } from '../../domain/engine/types.ts'
import { type Desk, heldIn, instrumentOf, isHedging, type Order, rulesOf } from './account.ts'
import type { Line } from './breach.ts'
import { localDay, wall, weekDay } from './clocks.ts'
import { isCutOff } from './clockwork.ts'
import { type Refusal, roomFor } from './command.ts'
import { abs, max, mul, num, percentOf } from './number.ts'
import { convert, markOf, marksOf, ownPrice } from './value.ts'
import { restOf } from './working.ts'

/** The first rule, in the order of the table, that refuses what would add exposure. */
export function refusedByRule(
  desk: Desk,
  orders: Order[],
  body: Pick<OrderBody, 'symbol' | 'side'>,
  isNew = true,
): Refusal | null {
  const { account } = desk
  const [order] = orders as [Order]
  const no = (field: string): Refusal => ({ code: 'rule_refused', field })
  for (const name of ORDER) {
    for (const [i, rule] of rulesOf(account).entries()) {
      if (rule.rule !== name) continue
      if (rule.rule === 'max_position_size') {
        if (rule.symbol !== undefined && rule.symbol !== body.symbol) continue
        const sizes = exposures(desk, orders, rule.notional === undefined ? 'quantity' : 'notional')
        const one =
          rule.per === 'symbol' ? (sizes.get(body.symbol) ?? 0n) : [...sizes.values()].reduce((a, b) => a + b, 0n)
        if (one > num(rule.notional ?? rule.quantity!)) return no('quantity')
      }
      if (rule.rule === 'max_open_positions') {
        const open = openAfter(desk, orders)
        if (open > rule.n && open > openAfter(desk, [])) return no('symbol')
      }
      if (rule.rule === 'max_orders_per_day' && isNew && account.day.orders + 1 > rule.n) return no('quantity')
      if (rule.rule === 'max_total_exposure') {
        const sum = [...exposures(desk, orders, 'notional').values()].reduce((a, b) => a + b, 0n)
        if (sum > num(rule.notional)) return no('quantity')
      }
      if (rule.rule === 'scaling_plan') {
        const sum = [...exposures(desk, orders, 'quantity').values()].reduce((a, b) => a + b, 0n)
        if (sum > account.rules[i]!.allowed!) return no('quantity')
      }
      if (rule.rule === 'allowed_symbols' && !rule.symbols.includes(body.symbol)) return no('symbol')
      if (rule.rule === 'allowed_sides' && !rule.sides.includes(body.side)) return no('side')
      if (rule.rule === 'allowed_sessions' && !inWindows(rule, desk.at)) return no('symbol')
      if (rule.rule === 'max_risk_per_trade' && rule.effect === 'gate') {
        const losses = orders.flatMap((o) => lossAtStop(desk, o) ?? [])
        if (losses.length === 0 && rule.needs_stop) return no('stop_loss')
        if (losses.some((loss) => loss > percentOf(num(account.spec.initial_balance), num(rule.pct))))
          return no('quantity')
      }
      if (isCutOff(account, rule, order.symbol, desk.at)) return no('symbol')
    }
  }
  return null
}
/** What an order would lose if it were stopped at its own stop; null: it brings none. */
function lossAtStop(desk: Desk, order: Order): bigint | null {
  const { spec } = desk.account
  const instrument = instrumentOf(spec, order.symbol)
  const entry = ownPrice(desk, order)
  const trail = order.exits?.trail
  const distance = trail && (trail.offset ?? percentOf(entry, trail.pct!))
  const stop = order.exits?.stop ?? (distance ? entry + (order.side === 'buy' ? -distance : distance) : null)
  if (stop === null) return null
  const adds = max(restOf(order) - roomFor(desk, order), 0n)
  const away = order.side === 'buy' ? entry - stop : stop - entry
  const lost = mul(mul(adds, num(instrument.contract_size)), max(away, 0n))
  return -convert(spec, instrument, -lost, marksOf(desk))
}
/** Orders that risk more than a rule allows but are not refused by it. */
export function riskedTooMuch(desk: Desk, orders: Order[]): Line[] {
  const { account } = desk
  return rulesOf(account).flatMap((rule, index): Line[] => {
    if (rule.rule !== 'max_risk_per_trade' || rule.effect === 'gate') return []
    const limit = percentOf(num(account.spec.initial_balance), num(rule.pct))
    const value = orders.map((order) => lossAtStop(desk, order) ?? 0n).reduce(max)
    return value > limit ? [{ index, value, limit, gap: limit - value }] : []
  })
}
const ORDER = [
  'max_position_size',
  'max_open_positions',
  'max_orders_per_day',
  'max_total_exposure',
  'scaling_plan',
  'allowed_symbols',
  'allowed_sides',
  'allowed_sessions',
  'max_risk_per_trade',
  'weekend_flat',
  'session_flat',
]
function inWindows(
  { zone, windows }: { zone: string; windows: { days: number[]; from: string; to: string }[] },
  at: number,
): boolean {
  const [date, time] = wall(zone, at).split(' ') as [string, string]
  const today = weekDay(date)
  const yesterday = weekDay(localDay('UTC', Date.parse(`${date}T00:00:00Z`) - 1))
  return windows.some(({ days, from, to }) =>
    from < to
      ? days.includes(today) && from <= time && time < to
      : (days.includes(today) && from <= time) || (days.includes(yesterday) && time < to),
  )
}
/** Largest position of each symbol if all that wait on one side were filled: the worse side. */
function exposures(desk: Desk, orders: Order[], by: 'quantity' | 'notional'): Map<string, bigint> {
  const { account } = desk
  const { spec, book } = account
  const sizes = new Map<string, bigint>()
  for (const { symbol } of spec.instruments) {
    const instrument = instrumentOf(spec, symbol)
    const worth = (quantity: bigint, price: bigint) => {
      if (by === 'quantity') return quantity
      const notional = mul(mul(quantity, num(instrument.contract_size)), price)
      return convertSigned(desk, symbol, notional)
    }
    const held = book.positions.filter((p) => p.symbol === symbol)
    const waiting = [...account.orders, ...orders].filter(
      (o) => o.symbol === symbol && !o.reduceOnly && o.ticket === null,
    )
    if (held.length + waiting.length === 0) continue
    const side = (sign: 1 | -1): bigint => {
      let sum = 0n
      let room = 0n
      for (const p of held) {
        if (p.quantity > 0n === sign > 0) sum += worth(abs(p.quantity), markOf(instrument, p.quantity, marksOf(desk)))
        else if (!isHedging(account)) room += abs(p.quantity)
      }
      const pairs = new Map<string, { adds: bigint; size: bigint }>()
      for (const o of waiting) {
        if ((o.side === 'buy' ? 1 : -1) !== sign) continue
        // of a pair only one leg is ever filled: the larger
        const pair = o.partner === null ? o.id : o.id.replace(/\.stop$/, '')
        const other = pairs.get(pair)
        const adds = other?.adds ?? max(restOf(o) - room, 0n)
        if (!other) room = max(room - restOf(o), 0n)
        pairs.set(pair, { adds, size: max(other?.size ?? 0n, worth(adds, ownPrice(desk, o))) })
      }
      for (const { size } of pairs.values()) sum += size
      return sum
    }
    sizes.set(symbol, isHedging(account) ? max(side(1), 0n) + max(side(-1), 0n) : max(side(1), side(-1)))
  }
  return sizes
}
function convertSigned(desk: Desk, symbol: string, amount: bigint): bigint {
  const { spec } = desk.account
  const size = -convert(spec, instrumentOf(spec, symbol), -abs(amount), marksOf(desk))
  return amount < 0n ? -size : size
}
function openAfter(desk: Desk, orders: Order[]): number {
  const { account } = desk
  const { book } = account
  const opening = [...account.orders, ...orders].filter((o) => !o.reduceOnly && o.ticket === null)
  if (isHedging(account)) {
    const ids = new Set([...book.positions.map((p) => p.id), ...opening.map((o) => o.id.replace(/\.stop$/, ''))])
    return ids.size
  }
  const symbols = new Set(
    [...book.positions.filter((p) => heldIn(book, p.symbol) !== 0n), ...opening].map((x) => x.symbol),
  )
  return symbols.size
}
