import type { Row, Sql } from '@assay/core/ports/db/port'
import type { Role, User } from './schemas.ts'

/** How an e-mail is stored and compared. */
export const normalizeEmail = (email: string): string => email.normalize('NFC').toLowerCase()

interface UserRow extends Row {
  id: string
  email: string
  name: string
  role: Role
  tenant: string
  plan: string
}
const COLUMNS = 'id, email, name, role, tenant, plan'

export const toUser = ({ id, email, name, role, tenant, plan }: UserRow): User => ({
  id,
  email,
  name,
  role,
  tenant,
  plan,
})

export async function findUser(sql: Pick<Sql, 'query'>, id: string): Promise<User | null> {
  const [row] = await sql.query<UserRow>(`select ${COLUMNS} from users where id = $1`, [id])
  return row ? toUser(row) : null
}

export async function findUserByEmail(sql: Pick<Sql, 'query'>, email: string): Promise<User | null> {
  const [row] = await sql.query<UserRow>(`select ${COLUMNS} from users where email = $1`, [normalizeEmail(email)])
  return row ? toUser(row) : null
}
