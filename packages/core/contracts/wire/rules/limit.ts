import { z } from 'zod'
import { isZone } from '../../../domain/time/zone.ts'
import { Fraction, Percent, Positive } from '../decimal.ts'

/** A limit says an amount or a percent, not both; one shape for a precise message instead of a failed union. */
export const AmountOrPercent = { amount: Positive.optional(), pct: Percent.optional() }

/** Refuses a document that says none, or more than one, of the fields. */
export const oneOf =
  (...fields: string[]) =>
  (value: object, ctx: z.core.$RefinementCtx): void => {
    const said = fields.filter((field) => (value as Record<string, unknown>)[field] !== undefined)
    if (said.length !== 1) ctx.addIssue({ code: 'custom', message: `say either ${fields.join(' or ')}` })
  }

export const MaxLossLimit = z
  .strictObject({ ...AmountOrPercent, ratio: Fraction.optional() })
  .superRefine(oneOf('amount', 'pct', 'ratio'))
  .transform(({ amount, pct, ratio }) =>
    amount !== undefined ? { amount } : pct !== undefined ? { pct } : { ratio: ratio! },
  )

export const DailyLimit = z
  .strictObject({ ...AmountOrPercent, of: z.enum(['initial', 'anchor']).optional() })
  .superRefine((value, ctx) => {
    oneOf('amount', 'pct')(value, ctx)
    if (value.amount !== undefined && value.of)
      ctx.addIssue({ code: 'custom', path: ['of'], message: 'goes with pct only' })
  })
  .transform(({ amount, pct, of }) =>
    amount === undefined ? { pct: pct!, of: of ?? ('initial' as const) } : { amount },
  )

export const metric = z.enum(['equity', 'balance', 'min']).default('equity')
export const compare = z.enum(['lt', 'lte']).default('lt')
/** What a breach may do, `hard` when nothing is said. */
export const consequence = z.enum(['hard', 'soft', 'flag']).default('hard')
/** Blocks a pass, or refuses the order: it has no other effect. */
export const gate = z.literal('gate').default('gate')

export const zone = z.string().refine(isZone, 'must be an IANA time zone such as Europe/Prague')
export const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a local time HH:MM')
/** An end of the day is `24:00`. */
export const endTime = z
  .string()
  .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'must be a local time HH:MM, at most 24:00')
/** 1 is Monday. */
export const weekDay = z
  .int('must be 1 (Monday) to 7')
  .min(1, 'must be 1 (Monday) to 7')
  .max(7, 'must be 1 (Monday) to 7')
export const days = z.int().min(1).max(3660)
