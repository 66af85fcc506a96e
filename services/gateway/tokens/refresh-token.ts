import { createHash, createHmac } from 'node:crypto'
import type { Sql } from '@assay/core/ports/db/port'

const PREFIX = 'assayr_'

/** The first refresh token of a session: 256 random bits. */
export const newRefreshToken = (): string =>
  PREFIX + Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')

/**
 * The token that follows this one. It is derived, so that a client whose answer was lost can be given the same one again
 * though only hashes are stored; without the secret it says nothing about what follows.
 */
export const nextRefreshToken = (token: string, secret: string): string =>
  PREFIX + createHmac('sha256', secret).update(token).digest('base64url')

/** What is stored. */
export const hashRefreshToken = (token: string): string => createHash('sha256').update(token).digest('hex')

/** Who may ask again for a lost answer: the same program from the same address. */
export const refreshClient = (address: string, userAgent: string): string =>
  createHash('sha256').update(`${address}\n${userAgent}`).digest('hex')

export interface NewRefreshToken {
  token: string
  sessionId: string
  /** when nobody used it */
  expires: Date
}
export async function addRefreshToken(sql: Sql, { token, sessionId, expires }: NewRefreshToken): Promise<void> {
  await sql.query('insert into refresh_tokens (hash, session_id, expires_at) values ($1, $2, $3)', [
    hashRefreshToken(token),
    sessionId,
    expires,
  ])
}
