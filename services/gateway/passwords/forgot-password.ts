import type { Verb } from '../deps.ts'
import { queueLetter } from '../letters/queue-letter.ts'
import { normalizeEmail } from '../users/email.ts'

/**
 * A letter to whoever has this e-mail. Nobody is looked for here: the row says by its keyed hash whom the letter is for,
 * and whether there is anybody is found out when it is sent. So the answer and its time say nothing. A mailbox that had
 * its letters of this hour gets no further one, and nobody is told.
 */
export async function forgotPassword({ ctx, input, deps }: Verb<{ email: string }>): Promise<void> {
  const email = normalizeEmail(input.email)
  const mayWrite = await deps.guard.letter({ email, address: ctx.address })
  const index = deps.database.emailIndex(email)
  await deps.database.inTransaction((sql) =>
    queueLetter(sql, deps.clock, { kind: 'password_reset', data: { email_index: mayWrite ? index : '' } }),
  )
}
