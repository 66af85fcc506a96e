import { RuleResource } from '@assay/core/contracts/wire/account'
import { z } from 'zod'

const record = z.record(z.string(), z.unknown())
const mark = z.object({ symbol: z.string(), mseq: z.int(), bid: z.string(), ask: z.string(), state: z.string() })

/** What explain answers: amounts in account currency, exact; times are market time, ms. */
export const ExplainedResource = z.object({
  at: z.object({ aseq: z.int(), mseq: z.int(), mts: z.int() }),
  phase: z.int(),
  currency: z.string(),
  record: record.nullable(),
  /** the same as a sentence */
  text: z.string().nullable(),
  marks: z.array(mark),
  equity: z.object({
    balance: z.string(),
    lines: z.array(
      z.object({
        position: z.string(),
        symbol: z.string(),
        quantity: z.string(),
        cost: z.string(),
        price: z.string(),
        result: z.string(),
        currency: z.string(),
        rate: z.string(),
        rate_mseq: z.array(z.int()),
        value: z.string(),
        text: z.string(),
      }),
    ),
    floating: z.string(),
    total: z.string(),
  }),
  rules: z.array(
    z.object({
      rule: z.string(),
      index: z.int(),
      metric: z.string(),
      value: z.string(),
      floor: z.string(),
      remaining: z.string(),
      compare: z.string(),
      crossed: z.boolean(),
    }),
  ),
  /** every rule as it stood then, as GET rules serves it */
  standing: z.array(RuleResource.extend({ reached_at: z.int().nullable() })),
  /** warnings, locks, pauses, stop-outs, swap, funding and violations on the way there */
  story: z.array(z.object({ aseq: z.int(), mts: z.int(), mseq: z.int(), kind: z.string(), text: z.string() })),
  floors: z.array(
    z.object({
      rule: z.string(),
      index: z.int(),
      phase: z.int(),
      floor: z.string(),
      mts: z.int(),
      mseq: z.int(),
      cause: z.enum(['record', 'high_water']),
    }),
  ),
  violation: record.nullable(),
  verdict: record.nullable(),
})
