import { COUNTED_CLASSES } from '@assay/core/contracts/plans'
import { PageQuery } from '@assay/core/contracts/wire/page'
import { z } from 'zod'

const day = z.iso.date('must be a day such as 2026-01-31')
const id = z.uuid('must be an id')
export const ROUTE_CLASSES = [...COUNTED_CLASSES, 'none'] as const

export const UsageQuery = PageQuery.extend({
  from: day.optional().describe('This day or later'),
  to: day.optional().describe('This day or before'),
  key_id: id.optional(),
  class: z.enum(ROUTE_CLASSES).optional(),
  user_id: z
    .union([id, z.literal('anonymous')], 'must be an id, or anonymous')
    .optional()
    .describe('Operators: another user; `anonymous` (operators of the platform): requests without a credential'),
  tenant: z.string().min(1).max(100).optional().describe('Operators: all users of this tenant'),
})
export type UsageQuery = z.output<typeof UsageQuery>

const count = z.int().min(0)
const ms = z.number().min(0)

export const Usage = z.object({
  day: z.iso.date().describe('UTC'),
  tenant: z.string().nullable(),
  user_id: z.string().nullable().describe('null: without a credential'),
  key_id: z.string().nullable().describe('null: without an API key'),
  class: z.string().describe('What the limits count apart; `none` is not limited'),
  requests: count,
  errors: count.describe('Answered with 4xx or 5xx, those refused by a limit not among them'),
  limited: count.describe('Refused by a limit'),
  latency: z
    .object({ mean_ms: ms, max_ms: ms, p50_ms: ms, p95_ms: ms, p99_ms: ms })
    .describe('Percentiles are upper bounds: of 5, 25, 100, 500, 2500 ms or the longest, the least that holds'),
})
export type Usage = z.infer<typeof Usage>
