import { AssayError } from '@assay/core/contracts/errors'
import { HOUSE_TENANT } from '@assay/core/contracts/scopes'
import { recordAudit } from '@assay/core/kernel/audit'
import { DbError } from '@assay/core/ports/db/port'
import type { Role, User } from '../auth/schemas.ts'
import type { GatewayDeps } from '../deps.ts'
import type { PasswordHasher } from '../passwords/hasher.ts'
import { normalizeEmail } from './email.ts'
import { findUser, findUserByEmail } from './rows.ts'

export interface NewUser {
  email: string
  password: string
  /** it is given as its hash */
  hashed?: boolean
  role: Role
  name?: string | undefined
  /** one that exists */
  tenant?: string
  /** a letter to it was answered */
  emailConfirmed?: boolean
}
export interface CreateUser {
  input: NewUser
  deps: Pick<GatewayDeps, 'auth' | 'database'> & { hasher: Pick<PasswordHasher, 'hash'> }
}

/** Makes a user of any role with a password. Throws conflict when the e-mail is taken. */
export async function createUser({ input, deps }: CreateUser): Promise<User> {
  const email = normalizeEmail(input.email)
  if (await findUserByEmail(deps.database, email)) throw emailTaken()
  // not better-auth's sign-up: that hashes inside the transaction, which on PGlite holds the only connection
  const password = input.hashed ? input.password : await deps.hasher.hash(input.password)
  const { internalAdapter } = await deps.auth.$context
  const { role, name = email.slice(0, email.indexOf('@')), tenant = HOUSE_TENANT, emailConfirmed = false } = input
  return deps.database
    .inTransaction(async (sql) => {
      const row = await internalAdapter.createUser({ email, name, emailVerified: emailConfirmed, role, tenant })
      await internalAdapter.linkAccount({ userId: row.id, providerId: 'credential', accountId: row.id, password })
      await recordAudit(sql, { action: 'user.created', actor: row.id, tenant, detail: { role } })
      return (await findUser(sql, row.id)) as User
    })
    .catch((error) => {
      throw error instanceof DbError && error.code === '23505' ? emailTaken() : error
    })
}

const emailTaken = () => new AssayError('conflict', 'This e-mail is already registered.', { field: 'email' })
