import { byId, type Desk, isRunning, type Position, rulesOf } from './account.ts'
import type { Line } from './breach.ts'
import { closing } from './carry.ts'
import { cutsAt } from './clockwork.ts'
import { fillMarketable } from './fill.ts'
import { num } from './number.ts'
import { endOrder } from './working.ts'

/** What the end of a session or a week finds open. */
export function late(desk: Desk): { facts: Line[]; positions: Position[] } {
  const { account, at } = desk
  const facts: Line[] = []
  const positions = new Set<Position>()
  rulesOf(account).forEach((rule, index) => {
    if (rule.rule !== 'weekend_flat' && rule.rule !== 'session_flat') return
    const open = account.book.positions.filter(({ symbol }) => cutsAt(account, rule, symbol, at))
    if (open.length > 0) facts.push({ index, value: BigInt(open.length) * num('1'), limit: 0n, gap: -1n })
    for (const position of open) positions.add(position)
  })
  return { facts, positions: [...positions].sort(byId) }
}
export function cancelLate(desk: Desk): void {
  const { account, at } = desk
  for (const order of [...account.orders]) {
    const rule = rulesOf(account).find((r) => cutsAt(account, r, order.symbol, at))
    if (rule) endOrder(desk, order, 'cancelled')
  }
}
export function flatten(desk: Desk, positions: Position[]): void {
  const { account } = desk
  if (!isRunning(account)) return
  for (const position of positions) {
    const { id, symbol } = position
    if (!account.book.positions.includes(position)) continue
    fillMarketable(desk, account.book, closing(position, 'flat'))
    account.liquidations = account.liquidations.filter((l) => l.position !== id)
    if (account.book.positions.some((p) => p.id === id))
      account.liquidations.push({ position: id, symbol, order: 'flat' })
  }
}
