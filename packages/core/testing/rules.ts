import type { MaxLossRule, Rule } from '../domain/engine/types.ts'

type Of<Name extends Rule['rule']> = Extract<Rule, { rule: Name }>
type Goal = { amount: string } | { pct: string }

/** A static loss of the whole, hard under `lt`, unless told. */
export const maxLoss = (limit: MaxLossRule['limit'], more: Partial<MaxLossRule> = {}): Rule => ({
  rule: 'max_loss',
  mode: 'static',
  limit,
  lock: null,
  metric: 'equity',
  compare: 'lt',
  effect: 'hard',
  ...more,
})
/** A loss of the day from its first balance, hard under `lt`, unless told. */
export const maxDailyLoss = (limit: Of<'max_daily_loss'>['limit'], more: Partial<Of<'max_daily_loss'>> = {}): Rule => ({
  rule: 'max_daily_loss',
  anchor: 'balance',
  limit,
  metric: 'equity',
  compare: 'lt',
  tested: 'always',
  effect: 'hard',
  ...more,
})
/** A target of the balance, flat and not sticky, unless told. */
export const profitTarget = (goal: Goal, more: Partial<Of<'profit_target'>> = {}): Rule => ({
  rule: 'profit_target',
  ...goal,
  basis: 'balance',
  require_flat: true,
  sticky: false,
  effect: 'gate',
  ...more,
})
