import { z } from 'zod'
import { Fraction, NotNegative, Percent } from '../decimal.ts'
import { compare, consequence, DailyLimit, MaxLossLimit, metric } from './limit.ts'

const daily = {
  anchor: z.enum(['balance', 'equity', 'max', 'initial', 'day_high']),
  limit: DailyLimit,
  metric,
  compare,
  tested: z.enum(['always', 'reset']).default('always'),
}
export const MaxDailyLoss = z.strictObject({ rule: z.literal('max_daily_loss'), ...daily, effect: consequence })
/** Locks the account where nothing else is said: a good day is no failure. */
export const DailyProfitCap = z.strictObject({
  rule: z.literal('daily_profit_cap'),
  ...daily,
  effect: z.enum(['hard', 'soft', 'flag']).default('soft'),
})

/** Ceiling of a floor that trails; one shape for a precise message. */
const Lock = z
  .strictObject({ at: z.enum(['initial', 'target']), offset: NotNegative.optional() })
  .superRefine(({ at, offset }, ctx) => {
    if (at === 'target' && offset !== undefined)
      ctx.addIssue({ code: 'custom', path: ['offset'], message: 'goes with at initial only' })
  })
  .transform(({ at, offset }) =>
    at === 'initial' ? { at: 'initial' as const, offset: offset ?? '0' } : { at: 'target' as const },
  )
export const MaxLoss = z.strictObject({
  rule: z.literal('max_loss'),
  mode: z.enum(['static', 'eod_balance', 'eod_equity', 'closed_balance', 'intraday_equity']).default('static'),
  limit: MaxLossLimit,
  lock: Lock.nullable().default(null),
  metric,
  compare,
  effect: consequence,
})

export const MaxOpenLoss = z.strictObject({
  rule: z.literal('max_open_loss'),
  pct: Percent,
  of: z.enum(['balance', 'day_profit']).default('balance'),
  compare,
  effect: consequence,
})
export const MaxRiskPerIdea = z.strictObject({
  rule: z.literal('max_risk_per_idea'),
  pct: Percent,
  within_s: z.int().min(0).max(86_400).default(120),
  compare,
  effect: consequence,
})
/** gate: the order is refused. */
export const MaxRiskPerTrade = z
  .strictObject({
    rule: z.literal('max_risk_per_trade'),
    pct: Percent,
    needs_stop: z.boolean().default(false),
    within_s: z.int().min(0).max(86_400).optional(),
    effect: z.enum(['hard', 'soft', 'gate', 'flag']).default('gate'),
  })
  .superRefine(({ needs_stop, within_s }, ctx) => {
    if (needs_stop && within_s === undefined)
      ctx.addIssue({ code: 'custom', path: ['within_s'], message: 'is needed with needs_stop' })
  })
  .transform(({ within_s, ...rule }) => ({ ...rule, within_s: within_s ?? 0 }))
export const MinHoldingTime = z.strictObject({
  rule: z.literal('min_holding_time'),
  seconds: z.int().min(1).max(86_400),
  share: Fraction,
  compare,
  effect: z.enum(['hard', 'soft', 'gate', 'flag']).default('flag'),
})
