import type { Verb } from '../deps.ts'
import { queueLetter } from '../letters/queue-letter.ts'
import { requireGoodPassword } from '../passwords/require-good-password.ts'
import { createUser } from '../users/create-user.ts'
import type { RegisterBody, User } from './schemas.ts'

/** Anybody may become a trader, at a limited pace; a letter asks whether the e-mail is theirs. */
export async function register({ ctx, input, deps }: Verb<RegisterBody>): Promise<User> {
  await deps.guard.registration(ctx.address)
  const { email, password, name } = input
  requireGoodPassword(password, [email, name ?? ''])
  const hash = await deps.hasher.hash(password)
  return deps.database.inTransaction(async (sql) => {
    const user = await createUser({ input: { email, password: hash, hashed: true, name, role: 'trader' }, deps })
    await queueLetter(sql, deps.clock, { kind: 'email_verify', userId: user.id })
    return user
  })
}
