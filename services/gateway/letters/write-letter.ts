import type { Letter } from '@assay/core/ports/mail/port'
import type { GatewayDeps } from '../deps.ts'
import { findInvitation, openEmail } from '../invitations/rows.ts'
import { findUserByEmail, findUserRow, findUserRowByIndex, type UserRow } from '../users/rows.ts'
import { addMailToken } from './mail-token.ts'
import type { LetterKind } from './queue-letter.ts'
import { type LetterText, letterText, TAKEN } from './texts.ts'

/** A row of letters. */
export interface LetterRow {
  [column: string]: unknown
  id: string
  kind: LetterKind
  user_id: string | null
  invitation_id: string | null
  data: Record<string, string>
  attempts: number
  expires_at: Date
}
type Deps = Pick<GatewayDeps, 'database' | 'clock' | 'sealing'>

/**
 * The letter as it is to be sent now, with a token made for this sending; null: there is nobody to send it to, or it has
 * been overtaken.
 */
export async function writeLetter(row: LetterRow, deps: Deps, base: string): Promise<Letter | null> {
  const written = row.kind === 'invitation' ? await toInvited(row, deps, base) : await toUser(row, deps, base)
  return written && { id: row.id, to: written.to, ...written.text }
}

interface Written {
  to: string
  text: LetterText
}

async function toUser(row: LetterRow, deps: Deps, base: string): Promise<Written | null> {
  const user = await userOf(row, deps)
  // an erased user has no address
  if (!user?.email) return null
  const { kind, data } = row
  if (kind === 'email_verify') return verification(user, deps, base)
  if (kind !== 'password_reset') return { to: user.email, text: letterText(kind, { base, data }) }
  if (user.disabled_at) return null
  const token = await newToken(deps, { purpose: kind, userId: user.id, email: user.email })
  return { to: user.email, text: letterText(kind, { base, data, token }) }
}

/** By id, or by the keyed hash of the e-mail that somebody gave. */
async function userOf({ user_id, data }: LetterRow, { database }: Deps): Promise<UserRow | null> {
  if (user_id !== null) return findUserRow(database, user_id)
  return data.email_index ? findUserRowByIndex(database, data.email_index) : null
}

/** To the address that is to be confirmed. */
async function verification(user: UserRow, deps: Deps, base: string): Promise<Written | null> {
  const to = user.pending_email ?? (user.email_verified ? null : user.email)
  if (!to) return null
  if (user.pending_email && (await findUserByEmail(deps.database, to))) return { to, text: TAKEN }
  const token = await newToken(deps, { purpose: 'email_verify', userId: user.id, email: to })
  return { to, text: letterText('email_verify', { base, token, data: {} }) }
}

async function toInvited(row: LetterRow, deps: Deps, base: string): Promise<Written | null> {
  const invitation = row.invitation_id && (await findInvitation(deps.database, row.invitation_id))
  if (!invitation || invitation.accepted_at) return null
  const to = await openEmail(deps, invitation)
  if (await findUserByEmail(deps.database, to)) return { to, text: TAKEN }
  const token = await newToken(deps, { purpose: 'invitation', invitationId: invitation.id, email: to })
  const data = { tenant: invitation.tenant, role: invitation.role, invitation: invitation.id }
  return { to, text: letterText('invitation', { base, token, data }) }
}

type ForToken = Omit<Parameters<typeof addMailToken>[1], 'now'>
const newToken = ({ database, clock }: Deps, to: ForToken): Promise<string> =>
  addMailToken(database, { ...to, now: clock.now() })
