import { SCOPES } from '@assay/core/contracts/scopes'
import { PageQuery } from '@assay/core/contracts/wire/page'
import { z } from 'zod'

/** Whose: one's own, or, for operators, a user's of their tenant. */
export const OwnerQuery = PageQuery.extend({
  user_id: z.uuid().optional().describe("Operators: this user's; default: your own"),
})
export type OwnerQuery = z.output<typeof OwnerQuery>

export const Session = z.object({
  id: z.uuid(),
  kind: z.enum(['password', 'pin', 'oauth']),
  current: z.boolean().describe('The one that asks'),
  client: z.object({ id: z.string(), name: z.string() }).nullable().describe('The OAuth client that holds it'),
  scopes: z.array(z.enum(SCOPES)).nullable().describe('What it was cut to; null: all that the role holds'),
  amr: z.array(z.string()).describe('What was shown at the login: pwd, otp, recovery, pin, device, address'),
  device_id: z.uuid().nullable(),
  address: z.string().nullable(),
  user_agent: z.string().nullable(),
  created_at: z.iso.datetime(),
  seen_at: z.iso.datetime().describe('Of the last refresh'),
  expires_at: z.iso.datetime().describe('At the latest'),
})
export type Session = z.infer<typeof Session>
