import type { Row, Sql } from '@assay/core/ports/db/port'
import type { AuthDatabase } from '../auth/database.ts'
import type { Role, User } from '../auth/schemas.ts'

/** A user as the database holds it, with the plan of the tenant. */
export interface UserRow extends Row {
  id: string
  email: string
  email_verified: boolean
  pending_email: string | null
  name: string
  role: Role
  tenant: string
  plan: string
  disabled_at: Date | null
  erased_at: Date | null
  created_at: Date
}
/** The only select of users; what was sealed comes back opened from `deps.database` only: `u` is the user, `t` the tenant. */
export const USERS = `select u.id, u.email, u.email_verified, u.pending_email, u.name, u.role, u.tenant, t.plan, u.disabled_at, u.erased_at, u.created_at
  from users u join tenants t on t.id = u.tenant`

export const toUser = ({ id, email, name, role, tenant, plan }: UserRow): User => ({
  id,
  email,
  name,
  role,
  tenant,
  plan,
})

export async function findUserRow(sql: Pick<Sql, 'query'>, id: string): Promise<UserRow | null> {
  const [row] = await sql.query<UserRow>(`${USERS} where u.id = $1`, [id])
  return row ?? null
}

export async function findUser(sql: Pick<Sql, 'query'>, id: string): Promise<User | null> {
  const row = await findUserRow(sql, id)
  return row && toUser(row)
}

export async function findUserRowByIndex(
  database: Pick<AuthDatabase, 'query'>,
  index: string,
): Promise<UserRow | null> {
  const [row] = await database.query<UserRow>(`${USERS} where u.email_index = $1`, [index])
  return row ?? null
}

export async function findUserByEmail(
  database: Pick<AuthDatabase, 'query' | 'emailIndex'>,
  email: string,
): Promise<User | null> {
  const row = await findUserRowByIndex(database, database.emailIndex(email))
  return row && toUser(row)
}
