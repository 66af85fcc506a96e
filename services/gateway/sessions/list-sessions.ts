import type { Scope } from '@assay/core/contracts/scopes'
import { type Page, toPage } from '@assay/core/contracts/wire/page'
import type { Row } from '@assay/core/ports/db/port'
import type { Verb } from '../deps.ts'
import { ownerToRead } from './owner.ts'
import type { OwnerQuery, Session } from './schemas.ts'

interface SessionRow extends Row {
  id: string
  kind: Session['kind']
  scopes: Scope[] | null
  amr: string[]
  device_id: string | null
  ip_address: string | null
  user_agent: string | null
  created_at: Date
  seen_at: Date | null
  expires_at: Date
  client_id: string | null
  client_name: string | null
}

/** Living sessions, newest first. */
export async function listSessions({ ctx, input, deps }: Verb<OwnerQuery>): Promise<Page<Session>> {
  const { actor, owner } = await ownerToRead(deps.database, ctx, input.user_id)
  const rows = await deps.database.shownTo(actor).query<SessionRow>(
    `select s.id, s.kind, s.scopes, s.amr, s.device_id, s.ip_address, s.user_agent, s.created_at, s.seen_at, s.expires_at,
            g.client_id, g.client_name
       from sessions s left join oauth_grants g on g.session_id = s.id
      where s.user_id = $1 and s.expires_at > $2 and ($3::text is null or s.id::text < $3) order by s.id desc limit $4`,
    [owner, new Date(deps.clock.now()), input.cursor ?? null, input.limit + 1],
  )
  return toPage(
    rows,
    input.limit,
    (row): Session => ({
      id: row.id,
      kind: row.kind,
      current: row.id === actor.sessionId,
      client: row.client_id === null ? null : { id: row.client_id, name: row.client_name! },
      scopes: row.scopes,
      amr: row.amr,
      device_id: row.device_id,
      address: row.ip_address,
      user_agent: row.user_agent,
      created_at: row.created_at.toISOString(),
      seen_at: (row.seen_at ?? row.created_at).toISOString(),
      expires_at: row.expires_at.toISOString(),
    }),
    (row) => row.id,
  )
}
