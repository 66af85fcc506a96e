import type { Clock } from '@assay/core/ports/clock/port'
import type { Sql } from '@assay/core/ports/db/port'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Every letter there is, and until when it is worth sending. */
export const LETTER_MS = {
  password_reset: HOUR,
  email_verify: 24 * HOUR,
  invitation: 7 * 24 * HOUR,
  password_changed: 24 * HOUR,
  email_change_asked: 24 * HOUR,
  new_device: 24 * HOUR,
  second_factor_changed: 24 * HOUR,
} as const
export type LetterKind = keyof typeof LETTER_MS

export interface QueuedLetter {
  kind: LetterKind
  /** absent: whoever has the e-mail of `data.email_index`, if there is anybody */
  userId?: string | null
  invitationId?: string
  /** words for its text, none of them secret and none of them a stranger's */
  data?: Record<string, string>
}

/** A letter to be written and sent after the commit; who asks for it does not wait for the mail server. */
export async function queueLetter(
  sql: Pick<Sql, 'query'>,
  clock: Pick<Clock, 'now'>,
  { kind, userId = null, invitationId, data = {} }: QueuedLetter,
): Promise<void> {
  const now = clock.now()
  // the schema is named so that the one who sends hears of it
  await sql.query(
    `insert into gateway.letters (id, kind, user_id, invitation_id, data, created_at, next_at, expires_at)
     values ($1, $2, $3, $4, $5::jsonb, $6, $6, $7)`,
    [
      Bun.randomUUIDv7(),
      kind,
      userId,
      invitationId ?? null,
      JSON.stringify(data),
      new Date(now),
      new Date(now + LETTER_MS[kind]),
    ],
  )
}
