import { z } from 'zod'
import { DEC_PATTERN, dec, gt, gte, isDec, lte, ONE, ZERO } from '../../domain/money/dec.ts'
import { whenThere } from './words.ts'

const PLAIN = 'must be a plain decimal string, such as "12.5"'
/** What the document says of every decimal; its bounds are words of the refusal. */
const DOCUMENTED = { pattern: DEC_PATTERN }
/** Money, prices, quantities, percents: plain decimal strings, never JSON numbers. */
export const Decimal = z
  .string({ error: whenThere(PLAIN) })
  .refine(isDec, PLAIN)
  .meta(DOCUMENTED)

const bounded = (test: (text: string) => boolean, message: string) =>
  z
    .string({ error: whenThere(PLAIN) })
    .superRefine((text, ctx) => {
      if (!isDec(text)) ctx.addIssue({ code: 'custom', message: PLAIN })
      else if (!test(text)) ctx.addIssue({ code: 'custom', message })
    })
    .meta(DOCUMENTED)

export const Positive = bounded((text) => gt(dec(text), ZERO), 'must be above zero')
export const NotNegative = bounded((text) => gte(dec(text), ZERO), 'must not be negative')
export const AtLeastOne = bounded((text) => gte(dec(text), ONE), 'must be at least 1')
export const Fraction = bounded((text) => gte(dec(text), ZERO) && lte(dec(text), ONE), 'must lie between 0 and 1')
export const Percent = bounded(
  (text) => gt(dec(text), ZERO) && lte(dec(text), { n: 100n, s: 0 }),
  'must lie above 0 and at most at 100 (percent)',
)
/** An instant in ISO 8601, UTC, with milliseconds. */
export const Instant = z.iso.datetime()
