import { z } from 'zod'
import { Instant } from './decimal.ts'
import { PresetReference, TierDocument } from './tier.ts'

export const TierResource = z.object({
  id: z.string(),
  version: z.int(),
  hash: z.string(),
  document: TierDocument,
})
export type TierResource = z.output<typeof TierResource>

export const PurchaseRequest = z.strictObject({ tier_id: z.string().min(1).max(64) })
export const PurchaseStatus = z.enum(['pending', 'paid', 'refused'])
export const PurchaseResource = z.object({
  id: z.string(),
  user_id: z.string(),
  tier_id: z.string(),
  tier_version: z.int(),
  tier_hash: z.string(),
  /** the preset that the tier was made from, as it was then */
  preset: PresetReference.nullable(),
  amount: z.string(),
  currency: z.string(),
  status: PurchaseStatus,
  reason: z.string().nullable(),
  checkout: z.object({ provider: z.string(), id: z.string().nullable(), url: z.string().nullable() }),
  assessment_id: z.string().nullable(),
  created_at: Instant,
})
export type PurchaseResource = z.output<typeof PurchaseResource>
