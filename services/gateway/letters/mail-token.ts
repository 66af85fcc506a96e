import { createHash } from 'node:crypto'
import type { Row, Sql } from '@assay/core/ports/db/port'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** How long the token in a letter is good, from its sending. */
export const TOKEN_MS = { password_reset: 30 * MINUTE, email_verify: 24 * HOUR, invitation: 7 * 24 * HOUR } as const
export type TokenPurpose = keyof typeof TOKEN_MS

type Query = Pick<Sql, 'query'>
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
/** What a token proves of the address that it was sent to. */
const proofOf = (token: string, email: string): string => sha256(`${token}\n${email}`)

export interface TokenRow extends Row {
  hash: string
  user_id: string | null
  invitation_id: string | null
  proof: string
}
export interface NewMailToken {
  purpose: TokenPurpose
  userId?: string
  invitationId?: string
  /** the address that it goes to */
  email: string
  now: number
}

/** A new token, 256 random bits, which only the letter holds. */
export async function addMailToken(sql: Query, to: NewMailToken): Promise<string> {
  const token = `assaym_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')}`
  await sql.query(
    `insert into mail_tokens (hash, purpose, user_id, invitation_id, proof, expires_at) values ($1, $2, $3, $4, $5, $6)`,
    [
      sha256(token),
      to.purpose,
      to.userId ?? null,
      to.invitationId ?? null,
      proofOf(token, to.email),
      new Date(to.now + TOKEN_MS[to.purpose]),
    ],
  )
  return token
}

/** The token as it is kept, null for one that is unknown, used, past its time or for something else. */
export async function findMailToken(
  sql: Query,
  { token, purpose, now }: { token: string; purpose: TokenPurpose; now: number },
): Promise<TokenRow | null> {
  const [row] = await sql.query<TokenRow>(
    'select hash, user_id, invitation_id, proof from mail_tokens where hash = $1 and purpose = $2 and expires_at > $3',
    [sha256(token), purpose, new Date(now)],
  )
  return row ?? null
}

export const provesAddress = (row: TokenRow, token: string, email: string): boolean =>
  row.proof === proofOf(token, email)

/** Uses up this token and every other of the same purpose; false: somebody was faster. */
export async function useMailToken(sql: Query, { hash }: TokenRow): Promise<boolean> {
  const [used] = await sql.query<TokenRow & { purpose: string }>(
    'delete from mail_tokens where hash = $1 returning *',
    [hash],
  )
  if (!used) return false
  await sql.query('delete from mail_tokens where purpose = $1 and (user_id = $2 or invitation_id = $3)', [
    used.purpose,
    used.user_id,
    used.invitation_id,
  ])
  return true
}
