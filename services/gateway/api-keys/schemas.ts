import { SCOPES } from '@assay/core/contracts/scopes'
import { z } from 'zod'

/** Living keys that one user may have. */
export const KEYS_PER_USER = 100
export const REQUESTS_PER_MINUTE_MAX = 600_000
export const ORDERS_PER_SECOND_MAX = 10_000

const Scope = z.enum(SCOPES)
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
})
export type ApiKey = z.infer<typeof ApiKey>

export const IssuedApiKey = ApiKey.extend({ key: z.string().describe('Shown this once') })
export type IssuedApiKey = z.infer<typeof IssuedApiKey>
