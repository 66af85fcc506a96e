import { PageQuery } from '@assay/core/contracts/wire/page'
import { z } from 'zod'
import { Email, NewPassword, PersonName, TenantId } from '../auth/schemas.ts'

/** Invitations of one tenant that nobody has accepted yet. */
export const OPEN_INVITATIONS = 1_000

export const InvitedRole = z.enum(['trader', 'operator', 'admin', 'bot'])
export type InvitedRole = z.infer<typeof InvitedRole>

export const InvitationBody = z.strictObject({
  email: Email,
  role: InvitedRole.default('trader'),
  tenant: TenantId.optional().describe('Default: your own; the house may name another'),
})
export type InvitationBody = z.output<typeof InvitationBody>

export const Invitation = z.object({
  id: z.uuid(),
  tenant: z.string(),
  email: z.string(),
  role: InvitedRole,
  invited_by: z.uuid().nullable(),
  status: z.enum(['open', 'accepted', 'expired']),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  accepted_at: z.iso.datetime().nullable(),
})
export type Invitation = z.infer<typeof Invitation>

export const InvitationQuery = PageQuery.extend({
  status: z.enum(['open', 'accepted', 'expired']).optional(),
  tenant: TenantId.optional().describe('The house sees every tenant'),
})
export type InvitationQuery = z.output<typeof InvitationQuery>

export const AcceptBody = z.strictObject({
  token: z.string().min(1).max(200).describe('Of the letter'),
  password: NewPassword,
  name: PersonName.optional().describe('Default: the part of the e-mail before the @'),
})
export type AcceptBody = z.infer<typeof AcceptBody>
