import { type Account, type Desk, rulesOf } from './account.ts'
import { anchorOf, initialOf, measure, TABLE, type Valued } from './breach.ts'
import { mul, num, text } from './number.ts'

/** Early warnings: each fraction of an allowance, once for each time that the allowance is given. */
export function warn(desk: Desk, valued: Valued): void {
  const { account } = desk
  const rules = rulesOf(account)
  const order = rules
    .map((_, i) => i)
    .sort((a, b) => TABLE.indexOf(rules[a]!.rule) - TABLE.indexOf(rules[b]!.rule) || a - b)
  for (const index of order) {
    const state = account.rules[index]!
    const allowance = allowanceOf(account, index, valued)
    if (allowance === null) continue
    const { used, whole, value, limit } = allowance
    for (; state.warned < account.spec.warnings.length; state.warned += 1) {
      const fraction = account.spec.warnings[state.warned]!
      if (used < mul(num(fraction), whole)) break
      desk.said.push({ kind: 'warning', phase: account.phase, index, fraction, value: text(value), limit: text(limit) })
    }
  }
}
function allowanceOf(account: Account, index: number, { balance, equity }: Valued) {
  const rule = rulesOf(account)[index]!
  const limit = account.rules[index]!.floor
  if (limit === null) return null
  if (rule.rule === 'max_open_loss') return { used: balance - equity, whole: balance - limit, value: equity, limit }
  if (rule.rule !== 'max_daily_loss' && rule.rule !== 'max_loss') return null
  const initial = initialOf(account)
  const value = measure(rule.metric, balance, equity)
  const start =
    rule.rule === 'max_loss' ? (account.rules[index]!.high ?? initial) : anchorOf(rule, initial, account.day)
  return { used: start - value, whole: start - limit, value, limit }
}
