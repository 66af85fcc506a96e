import type { GatewayDeps } from '../deps.ts'
import { rehashPassword } from '../passwords/rehash-password.ts'
import { type Account, accountByEmail } from '../users/account.ts'

/**
 * The account whose password this is, null for any other. Who does not exist, or may not log in, costs a hash too. In
 * turn, the look-up with it: a storm of logins waits here and not in the database, in front of everybody else.
 */
export const checkPassword = (
  deps: Pick<GatewayDeps, 'database' | 'hasher' | 'loginTurns'>,
  email: string,
  password: string,
): Promise<Account | null> => deps.loginTurns(() => check(deps, email, password))

async function check(
  deps: Pick<GatewayDeps, 'database' | 'hasher'>,
  email: string,
  password: string,
): Promise<Account | null> {
  const account = await accountByEmail(deps.database, email)
  if (!account?.password) {
    await deps.hasher.hash(password)
    return null
  }
  const right = await deps.hasher.verify({ hash: account.password, password })
  if (!right || account.disabled) return null
  await rehashPassword(deps, { userId: account.id, hash: account.password, password })
  return account
}
