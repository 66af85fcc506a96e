import { z } from 'zod'
import { AssayError } from '../errors.ts'
import { Percent, Positive } from './decimal.ts'
import { pathOf } from './parse.ts'

/** A limit says an amount or a percent, not both; one shape for a precise message instead of a failed union. */
const AmountOrPercent = { amount: Positive.optional(), pct: Percent.optional() }
type AmountOrPercent = { amount?: string | undefined; pct?: string | undefined }
function exactlyOne(value: AmountOrPercent, ctx: z.core.$RefinementCtx): void {
  if ((value.amount === undefined) === (value.pct === undefined)) {
    ctx.addIssue({ code: 'custom', message: 'say either amount or pct' })
  }
}

export const MaxLossLimit = z
  .strictObject(AmountOrPercent)
  .superRefine(exactlyOne)
  .transform(({ amount, pct }) => (amount === undefined ? { pct: pct! } : { amount }))

export const DailyLimit = z
  .strictObject({ ...AmountOrPercent, of: z.enum(['initial', 'anchor']).optional() })
  .superRefine((value, ctx) => {
    exactlyOne(value, ctx)
    if (value.amount !== undefined && value.of)
      ctx.addIssue({ code: 'custom', path: ['of'], message: 'goes with pct only' })
  })
  .transform(({ amount, pct, of }) =>
    amount === undefined ? { pct: pct!, of: of ?? ('initial' as const) } : { amount },
  )

const metric = z.enum(['equity', 'balance', 'min']).default('equity')
const compare = z.enum(['lt', 'lte']).default('lt')

export const ProfitTarget = z
  .strictObject({
    rule: z.literal('profit_target'),
    ...AmountOrPercent,
    basis: z.enum(['balance', 'equity']).default('balance'),
    require_flat: z.boolean().default(true),
    sticky: z.boolean().default(false),
    effect: z.literal('gate').default('gate'),
  })
  .superRefine(exactlyOne)

export const MaxDailyLoss = z.strictObject({
  rule: z.literal('max_daily_loss'),
  anchor: z.enum(['balance', 'equity', 'max', 'initial', 'day_high']),
  limit: DailyLimit,
  metric,
  compare,
  tested: z.enum(['always', 'reset']).default('always'),
  effect: z.literal('hard').default('hard'),
})

export const MaxLoss = z.strictObject({
  rule: z.literal('max_loss'),
  mode: z.literal('static').default('static'),
  limit: MaxLossLimit,
  lock: z.null().default(null),
  metric,
  compare,
  effect: z.literal('hard').default('hard'),
})

export const MinTradingDays = z
  .strictObject({
    rule: z.literal('min_trading_days'),
    n: z.int().min(1).max(366),
    counts: z.enum(['opened', 'opened_and_closed', 'moved', 'won']).default('opened'),
    pct: Percent.optional(),
    effect: z.literal('gate').default('gate'),
  })
  .superRefine((value, ctx) => {
    const needed = value.counts === 'moved' || value.counts === 'won'
    if (needed !== (value.pct !== undefined)) {
      ctx.addIssue({
        code: 'custom',
        path: ['pct'],
        message: needed ? `is needed with counts ${value.counts}` : 'goes with counts moved or won',
      })
    }
  })

export const RuleDocument = z.discriminatedUnion('rule', [ProfitTarget, MaxDailyLoss, MaxLoss, MinTradingDays])

/** Rules of the rule book that this version does not decide yet. */
const LATER_RULES = new Set([
  'daily_profit_cap',
  'winning_days',
  'time_limit',
  'inactivity',
  'consistency',
  'max_position_size',
  'max_open_positions',
  'max_orders_per_day',
  'max_total_exposure',
  'scaling_plan',
  'allowed_symbols',
  'allowed_sides',
  'allowed_sessions',
  'max_risk_per_trade',
  'max_risk_per_idea',
  'max_open_loss',
  'min_holding_time',
  'weekend_flat',
  'session_flat',
  'news_window',
  'detectors',
])
const LATER_MODES = new Set(['eod_balance', 'eod_equity', 'closed_balance', 'intraday_equity'])
const LATER_EFFECTS = new Set(['soft', 'gate', 'flag'])

type Fields = Record<string, unknown>
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Refuses by name what the rule book has and this version does not; anything malformed is left to the schema. */
export function refuseLaterRule(rule: unknown, path: readonly PropertyKey[]): void {
  if (!isObject(rule)) return
  const name = String(rule.rule)
  const refuse = (detail: string, ...at: string[]): never => {
    throw new AssayError('not_supported', `${detail} is not supported yet.`, { field: pathOf([...path, ...at]) })
  }
  if (LATER_RULES.has(name)) refuse(`The rule ${name}`, 'rule')
  if (name === 'max_loss') {
    if (LATER_MODES.has(String(rule.mode))) refuse(`max_loss with mode ${rule.mode}`, 'mode')
    if (rule.lock !== undefined && rule.lock !== null) refuse('max_loss with a lock', 'lock')
    if (isObject(rule.limit) && rule.limit.ratio !== undefined)
      refuse('max_loss with a ratio of the high-water mark', 'limit', 'ratio')
  }
  if ((name === 'max_loss' || name === 'max_daily_loss') && LATER_EFFECTS.has(String(rule.effect))) {
    refuse(`${name} with the effect ${rule.effect}`, 'effect')
  }
}
