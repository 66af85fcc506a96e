import { type Mail, MailError } from '@assay/core/ports/mail/port'
import type { GatewayDeps } from '../deps.ts'
import { type LetterRow, writeLetter } from './write-letter.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
/** Nobody else sends a letter that was taken less than this ago: longer than a mail server may take. */
const LEASE_MS = MINUTE
const RETRY_MS = 5 * SECOND
const RETRY_MAX_MS = 15 * MINUTE

export type LetterOutcome = 'sent' | 'nobody' | 'failed' | 'refused' | 'expired'
export interface SendLetters {
  deps: Pick<GatewayDeps, 'database' | 'clock' | 'sealing'>
  mail: Mail
  /** where the platform is reached, for the texts */
  base: string
  /** told how each ended; `failed` comes again, `refused` and `expired` are not sent any more */
  onOutcome: (kind: string, outcome: LetterOutcome, error?: unknown) => void
}

/**
 * Sends the letters that are due, one after the other, until none is left or the mail server fails. A letter is deleted
 * once it was taken over: after a crash in between it is sent again under the same Message-ID.
 */
export async function sendLetters(options: SendLetters): Promise<void> {
  for (;;) {
    const row = await takeLetter(options)
    if (!row || (await sendLetter(row, options)) === 'failed') return
  }
}

async function takeLetter({ deps: { database, clock } }: SendLetters): Promise<LetterRow | undefined> {
  const now = clock.now()
  const [row] = await database.query<LetterRow>(
    `update letters set next_at = $2, attempts = attempts + 1 where id = (
       select id from letters where next_at <= $1 order by next_at limit 1 for update skip locked)
     returning id, kind, user_id, invitation_id, data, attempts, expires_at`,
    [new Date(now), new Date(now + LEASE_MS)],
  )
  return row
}

async function sendLetter(row: LetterRow, options: SendLetters): Promise<LetterOutcome> {
  const { deps, mail, base, onOutcome } = options
  const end = async (outcome: LetterOutcome, error?: unknown): Promise<LetterOutcome> => {
    await deps.database.query('delete from letters where id = $1', [row.id])
    onOutcome(row.kind, outcome, error)
    return outcome
  }
  if (row.expires_at.getTime() <= deps.clock.now()) return end('expired')
  try {
    const letter = await writeLetter(row, deps, base)
    if (!letter) return await end('nobody')
    await mail.send(letter)
    return await end('sent')
  } catch (error) {
    // an address that no mail can be written to is no reason to try again
    if (error instanceof RangeError || (error instanceof MailError && error.permanent)) return end('refused', error)
    await putOff(row, deps)
    onOutcome(row.kind, 'failed', error)
    return 'failed'
  }
}

async function putOff(row: LetterRow, { database, clock }: SendLetters['deps']): Promise<void> {
  const waitMs = Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** (row.attempts - 1))
  await database.query('update letters set next_at = $2 where id = $1', [row.id, new Date(clock.now() + waitMs)])
}
