import type { Row, Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps } from '../deps.ts'
import { INVITED } from '../privacy/wrapped.ts'
import type { Invitation, InvitedRole } from './schemas.ts'

export interface InvitationRow extends Row {
  id: string
  tenant: string
  sealed_email: string
  role: InvitedRole
  invited_by: string | null
  created_at: Date
  expires_at: Date
  accepted_at: Date | null
}
export const INVITATIONS =
  'select id, tenant, sealed_email, role, invited_by, created_at, expires_at, accepted_at from invitations'

export async function findInvitation(sql: Pick<Sql, 'query'>, id: string): Promise<InvitationRow | null> {
  const [row] = await sql.query<InvitationRow>(`${INVITATIONS} where id = $1`, [id])
  return row ?? null
}

type Sealing = Pick<GatewayDeps, 'sealing'>
export const sealEmail = ({ sealing }: Sealing, id: string, email: string): Promise<string> =>
  sealing.encrypt(INVITED.key, new TextEncoder().encode(email), INVITED.context(id))
export const openEmail = async ({ sealing }: Sealing, { id, sealed_email }: InvitationRow): Promise<string> =>
  new TextDecoder().decode(await sealing.decrypt(INVITED.key, sealed_email, INVITED.context(id)))

export const toInvitation = async (deps: Sealing, row: InvitationRow, now: number): Promise<Invitation> => ({
  id: row.id,
  tenant: row.tenant,
  email: await openEmail(deps, row),
  role: row.role,
  invited_by: row.invited_by,
  status: statusOf(row, now),
  created_at: row.created_at.toISOString(),
  expires_at: row.expires_at.toISOString(),
  accepted_at: row.accepted_at?.toISOString() ?? null,
})

function statusOf({ accepted_at, expires_at }: InvitationRow, now: number): Invitation['status'] {
  if (accepted_at) return 'accepted'
  return expires_at.getTime() <= now ? 'expired' : 'open'
}
