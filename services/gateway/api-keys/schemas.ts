import { SCOPES } from '@assay/core/contracts/scopes'
import { isAddressRange } from '@assay/core/kernel/proxies'
import { z } from 'zod'

/** Living keys that one user may have. */
export const KEYS_PER_USER = 100
export const REQUESTS_PER_MINUTE_MAX = 600_000
export const ORDERS_PER_SECOND_MAX = 10_000

const Scope = z.enum(SCOPES)
const Addresses = z.array(z.string().max(50).refine(isAddressRange, 'must be an address or a CIDR range')).max(50)
const Limits = z.object({
  requests_per_minute: z.int().min(1).max(REQUESTS_PER_MINUTE_MAX).optional(),
  orders_per_second: z.int().min(1).max(ORDERS_PER_SECOND_MAX).optional(),
})

export const ApiKeyBody = z.object({
  name: z.string().trim().min(1).max(100),
  scopes: z
    .array(Scope)
    .min(1)
    .max(SCOPES.length)
    .optional()
    .describe('Of those you hold; default: what a bot needs of them'),
  expires_at: z.iso.datetime().nullable().optional().describe('Default: in a year; null: never'),
  limits: Limits.optional().describe('Lower than everybody has, or, set by an operator, higher'),
  addresses: Addresses.optional().describe('Addresses or CIDR ranges it is good from; default: everywhere'),
  user_id: z.uuid().optional().describe('Operators: whose key it becomes'),
})
export type ApiKeyBody = z.infer<typeof ApiKeyBody>

export const ApiKey = z.object({
  id: z.uuid(),
  name: z.string(),
  prefix: z.string(),
  last4: z.string(),
  scopes: z.array(Scope),
  limits: Limits,
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  last_used_at: z.iso.datetime().nullable().describe('To the minute'),
  addresses: z.array(z.string()).describe('Where it is good from; empty: everywhere'),
})
export type ApiKey = z.infer<typeof ApiKey>

export const RotateBody = z.object({
  overlap_hours: z.int().min(0).max(168).default(24).describe('How long the old key works beside the new one'),
})
export type RotateBody = z.output<typeof RotateBody>

export const IssuedApiKey = ApiKey.extend({ key: z.string().describe('Shown this once') })
export type IssuedApiKey = z.infer<typeof IssuedApiKey>
