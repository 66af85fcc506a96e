/** Rules that refuse an order before it stands. */
import { z } from 'zod'
import { cmp, dec, isDec } from '../../../domain/money/dec.ts'
import { NotNegative, Positive } from '../decimal.ts'
import { SymbolName } from '../instrument.ts'
import { endTime, gate, oneOf, time, weekDay, zone } from './limit.ts'

const n = z.int().min(1).max(100_000)

export const MaxPositionSize = z
  .strictObject({
    rule: z.literal('max_position_size'),
    per: z.enum(['symbol', 'all']).default('symbol'),
    symbol: SymbolName.optional(),
    quantity: Positive.optional(),
    notional: Positive.optional(),
    effect: gate,
  })
  .superRefine((rule, ctx) => {
    oneOf('quantity', 'notional')(rule, ctx)
    if (rule.per === 'all' && rule.symbol !== undefined)
      ctx.addIssue({ code: 'custom', path: ['symbol'], message: 'goes with per symbol only' })
  })
export const MaxOpenPositions = z.strictObject({ rule: z.literal('max_open_positions'), n, effect: gate })
export const MaxOrdersPerDay = z.strictObject({ rule: z.literal('max_orders_per_day'), n, effect: gate })
export const MaxTotalExposure = z.strictObject({
  rule: z.literal('max_total_exposure'),
  notional: Positive,
  effect: gate,
})

export const ScalingPlan = z
  .strictObject({
    rule: z.literal('scaling_plan'),
    base: NotNegative,
    steps: z.array(z.strictObject({ above: Positive, max: Positive })).max(32),
    keeps: z.boolean().default(false),
    effect: gate,
  })
  .superRefine(({ steps }, ctx) => {
    for (const [i, { above }] of steps.entries()) {
      const before = steps[i - 1]?.above
      if (before !== undefined && isDec(before) && isDec(above) && cmp(dec(above), dec(before)) <= 0)
        ctx.addIssue({ code: 'custom', path: ['steps', i, 'above'], message: 'must be above the step before' })
    }
  })

export const AllowedSymbols = z.strictObject({
  rule: z.literal('allowed_symbols'),
  symbols: z.array(SymbolName).min(1).max(500),
  effect: gate,
})
export const AllowedSides = z.strictObject({
  rule: z.literal('allowed_sides'),
  sides: z
    .array(z.enum(['buy', 'sell']))
    .min(1)
    .max(2),
  effect: gate,
})
const SessionWindow = z
  .strictObject({ days: z.array(weekDay).min(1).max(7), from: time, to: endTime })
  .superRefine(({ from, to }, ctx) => {
    if (from === to) ctx.addIssue({ code: 'custom', path: ['to'], message: 'must differ from `from`' })
  })
/** A window whose end is before its start ends on the next day. */
export const AllowedSessions = z.strictObject({
  rule: z.literal('allowed_sessions'),
  zone,
  windows: z.array(SessionWindow).min(1).max(50),
  effect: gate,
})
