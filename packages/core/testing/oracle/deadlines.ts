import { type Account, type Desk, rulesOf } from './account.ts'
import { type Line, valuedOf } from './breach.ts'
import { isProtected } from './exits.ts'
import { gatesOpen } from './gates.ts'
import { num } from './number.ts'
import { finish } from './phases.ts'

/** What clocks that run out at this instant break. */
export function overdue(desk: Desk): Line[] {
  const { account, at } = desk
  if (account.status !== 'started') return []
  return rulesOf(account).flatMap((rule, index): Line[] => {
    const state = account.rules[index]!
    if (state.due !== at) return []
    if (rule.rule === 'inactivity') {
      state.due = null
      const days = BigInt(rule.days) * num('1')
      return [{ index, value: days, limit: days, gap: -1n }]
    }
    if (rule.rule === 'max_risk_per_trade') {
      const isDue = (e: Account['entries'][number]) => e.index === index && e.at + rule.within_s * 1000 <= at
      const due = account.entries.filter(isDue)
      account.entries = account.entries.filter((e) => !isDue(e))
      const late = account.book.positions.filter(
        (p) => due.some((e) => e.position === p.id) && !isProtected(account, p),
      )
      return late.length > 0 ? [{ index, value: BigInt(late.length) * num('1'), limit: 0n, gap: -1n }] : []
    }
    return []
  })
}
/** A deadline with objectives open. */
export function expire(desk: Desk): void {
  const { account, at } = desk
  if (account.status !== 'started') return
  const index = rulesOf(account).findIndex((rule, i) => rule.rule === 'time_limit' && account.rules[i]!.due === at)
  const rule = rulesOf(account)[index]
  if (rule?.rule !== 'time_limit') return
  const days = BigInt(rule.days) * num('1')
  const valued = valuedOf(desk)
  if (!account.provisional && gatesOpen(desk, valued.equity)) finish(desk, 'passed', valued)
  else finish(desk, 'expired', { ...valued, first: { index, value: days, limit: days, gap: 0n } })
}
