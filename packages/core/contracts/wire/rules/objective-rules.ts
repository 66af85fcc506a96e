import { z } from 'zod'
import { Fraction, Percent, Positive } from '../decimal.ts'
import { AmountOrPercent, compare, consequence, days, gate, oneOf } from './limit.ts'

export const ProfitTarget = z
  .strictObject({
    rule: z.literal('profit_target'),
    ...AmountOrPercent,
    basis: z.enum(['balance', 'equity']).default('balance'),
    require_flat: z.boolean().default(true),
    sticky: z.boolean().default(false),
    effect: gate,
  })
  .superRefine(oneOf('amount', 'pct'))

export const MinTradingDays = z
  .strictObject({
    rule: z.literal('min_trading_days'),
    n: z.int().min(1).max(366),
    counts: z.enum(['opened', 'opened_and_closed', 'moved', 'won']).default('opened'),
    pct: Percent.optional(),
    effect: gate,
  })
  .superRefine(({ counts, pct }, ctx) => {
    const needed = counts === 'moved' || counts === 'won'
    if (needed !== (pct !== undefined)) {
      const message = needed ? `is needed with counts ${counts}` : 'goes with counts moved or won'
      ctx.addIssue({ code: 'custom', path: ['pct'], message })
    }
  })
export const WinningDays = z.strictObject({
  rule: z.literal('winning_days'),
  n: z.int().min(1).max(366),
  amount: Positive,
  effect: gate,
})
export const TimeLimit = z.strictObject({
  rule: z.literal('time_limit'),
  days,
  unit: z.enum(['calendar', 'trading']).default('calendar'),
  from: z.enum(['start', 'first_fill']).default('start'),
  effect: z.literal('hard').default('hard'),
})
export const Inactivity = z.strictObject({ rule: z.literal('inactivity'), days, effect: consequence })
export const Consistency = z.strictObject({
  rule: z.literal('consistency'),
  basis: z.enum(['total', 'positive_days', 'target', 'trade', 'lots']),
  share: Fraction.refine((share) => !/^0*\.?0*$/.test(share), 'must be above zero'),
  compare,
  gross: z.boolean().default(false),
  effect: gate,
})
