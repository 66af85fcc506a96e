import type { AuthDatabase } from '../auth/database.ts'
import type { Role } from '../auth/schemas.ts'

/** A user as a login needs it: no personal fields. */
export interface Account {
  id: string
  role: Role
  tenant: string
  plan: string
  epoch: number
  disabled: boolean
  /** hash; null: no password was ever set */
  password: string | null
  /** the platform drew the password then, and its user has chosen no other one yet */
  drawnAt: Date | null
  /** TOTP key in the secrets port; null: the second factor is not on */
  totpKey: string | null
  /** its tenant wants a second factor of operators and admins */
  tenantWantsFactor: boolean
}
interface AccountRow {
  [column: string]: unknown
  id: string
  role: Role
  tenant: string
  plan: string
  epoch: number
  disabled_at: Date | null
  password: string | null
  drawn_at: Date | null
  key_name: string | null
  mfa_required: boolean
}
const ACCOUNTS = `select u.id, u.role, u.tenant, t.plan, u.epoch, u.disabled_at, a.password, a.drawn_at, f.key_name, t.mfa_required
  from users u join tenants t on t.id = u.tenant
  left join accounts a on a.user_id = u.id and a.provider_id = 'credential'
  left join second_factors f on f.user_id = u.id and f.enabled_at is not null`

const toAccount = (row: AccountRow): Account => ({
  id: row.id,
  role: row.role,
  tenant: row.tenant,
  plan: row.plan,
  epoch: row.epoch,
  disabled: row.disabled_at !== null,
  password: row.password,
  drawnAt: row.drawn_at,
  totpKey: row.key_name,
  tenantWantsFactor: row.mfa_required,
})

export async function accountById(database: Pick<AuthDatabase, 'query'>, id: string): Promise<Account | null> {
  const [row] = await database.query<AccountRow>(`${ACCOUNTS} where u.id = $1`, [id])
  return row ? toAccount(row) : null
}

export async function accountByEmail(
  database: Pick<AuthDatabase, 'query' | 'emailIndex'>,
  email: string,
): Promise<Account | null> {
  const [row] = await database.query<AccountRow>(`${ACCOUNTS} where u.email_index = $1`, [database.emailIndex(email)])
  return row ? toAccount(row) : null
}
