import { PageQuery } from '@assay/core/contracts/wire/page'
import { z } from 'zod'
import { Email, NewPassword, PASSWORD_MAX, PersonName, TenantId, User } from '../auth/schemas.ts'

/** A user as the one it is sees it. */
export const Profile = User.extend({
  email_verified: z.boolean(),
  pending_email: z.string().nullable().describe('Takes the place of the e-mail once it is confirmed'),
  created_at: z.iso.datetime(),
})
export type Profile = z.infer<typeof Profile>

/** A user as operators see it. */
export const UserAccount = Profile.extend({
  status: z.enum(['active', 'disabled']),
  disabled_at: z.iso.datetime().nullable(),
})
export type UserAccount = z.infer<typeof UserAccount>

const NOTHING = { error: 'says nothing that is to change' }
const isSaid = (members: Record<string, unknown>, names: readonly string[]) =>
  names.some((name) => members[name] !== undefined)

export const ProfileChange = z
  .strictObject({
    name: PersonName.optional(),
    email: Email.optional().describe('Is yours once the letter to it is confirmed; needs current_password'),
    password: NewPassword.optional().describe('Ends all sessions; needs current_password'),
    current_password: z.string().min(1).max(PASSWORD_MAX).optional(),
  })
  .refine((body) => isSaid(body, ['name', 'email', 'password']), NOTHING)
export type ProfileChange = z.infer<typeof ProfileChange>

export const UserChange = z
  .strictObject({
    role: z.enum(['trader', 'operator', 'admin', 'bot']).optional(),
    tenant: TenantId.optional().describe('The house only'),
    disabled: z.boolean().optional().describe('true ends all sessions and refuses all keys, at once'),
    unlock: z.literal(true).optional().describe('Forgets failed logins and ends the lock of the PIN'),
  })
  .refine((body) => isSaid(body, ['role', 'tenant', 'disabled', 'unlock']), NOTHING)
export type UserChange = z.infer<typeof UserChange>

export const UserQuery = PageQuery.extend({
  email: Email.optional().describe('The whole e-mail'),
  role: User.shape.role.optional(),
  status: z.enum(['active', 'disabled']).optional(),
  tenant: TenantId.optional().describe('The house sees every tenant'),
})
export type UserQuery = z.output<typeof UserQuery>

export const EmailBody = z.strictObject({
  token: z.string().min(1).max(200).optional().describe('Of the letter; without it the user who asks gets a new one'),
})
export type EmailBody = z.infer<typeof EmailBody>
