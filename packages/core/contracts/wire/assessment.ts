import { z } from 'zod'
import { Instant } from './decimal.ts'

export const AssessmentRequest = z.strictObject({ purchase_id: z.string().min(1).max(64) })
export const AssessmentStatus = z.enum(['created', 'started', 'paused', 'passed', 'failed', 'expired', 'abandoned'])

const PhaseResource = z.object({
  phase: z.int(),
  status: z.string(),
  verdict: z.string().nullable(),
  rule: z.string().nullable(),
  value: z.string().nullable(),
  limit: z.string().nullable(),
  initial_balance: z.string().nullable(),
  balance: z.string().nullable(),
  equity: z.string().nullable(),
  opened_at: Instant.nullable(),
  ended_at: Instant.nullable(),
})
export const AssessmentResource = z.object({
  id: z.string(),
  user_id: z.string(),
  purchase_id: z.string(),
  tier_id: z.string(),
  tier_version: z.int(),
  tier_hash: z.string(),
  tier_name: z.string(),
  currency: z.string(),
  initial_balance: z.string(),
  status: AssessmentStatus,
  /** records in the journal */
  records: z.int(),
  phases: z.array(PhaseResource),
  created_at: Instant,
})
export type AssessmentResource = z.output<typeof AssessmentResource>

/** What signs a place in the chain: a trader who keeps it can prove a later rewrite (docs/proof-format.md). */
export const ReceiptResource = z.object({
  assessment: z.string(),
  aseq: z.int(),
  hash: z.string(),
  kid: z.string(),
  signed_at: z.int(),
  signature: z.string(),
  path: z.object({ index: z.int(), count: z.int(), hashes: z.array(z.string()) }).optional(),
})
/** The answer of start, pause, resume and abandon. */
export const TransitionResource = z.object({ id: z.string(), status: AssessmentStatus, receipt: ReceiptResource })
export type TransitionResource = z.output<typeof TransitionResource>
