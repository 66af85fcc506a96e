import { toUser, type UserRow } from './rows.ts'
import type { Profile, UserAccount } from './schemas.ts'

export const toProfile = (row: UserRow): Profile => ({
  ...toUser(row),
  email_verified: row.email_verified,
  pending_email: row.pending_email || null,
  created_at: row.created_at.toISOString(),
})

export const toUserAccount = (row: UserRow): UserAccount => ({
  ...toProfile(row),
  status: row.disabled_at ? 'disabled' : 'active',
  disabled_at: row.disabled_at?.toISOString() ?? null,
})
