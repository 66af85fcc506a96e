import { accountByEmail } from '../auth/account.ts'
import { normalizeEmail } from '../auth/users.ts'
import type { Verb } from '../deps.ts'
import { queueLetter } from '../letters/queue-letter.ts'

/**
 * A letter to whoever has this e-mail. The answer and the work behind it are the same for an address of nobody: it gets
 * a row too, and no letter. A mailbox that had its letters of this hour gets no further one, and nobody is told.
 */
export async function forgotPassword({ ctx, input, deps }: Verb<{ email: string }>): Promise<void> {
  const email = normalizeEmail(input.email)
  const mayWrite = await deps.guard.letter({ email, address: ctx.address })
  // without personal fields: opening them would take the longer for somebody who exists
  const user = await accountByEmail(deps.database, email)
  await deps.database.inTransaction((sql) =>
    queueLetter(sql, deps.clock, { kind: 'password_reset', userId: mayWrite ? (user?.id ?? null) : null }),
  )
}
