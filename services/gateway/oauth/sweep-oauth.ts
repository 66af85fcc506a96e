import type { OAuthDeps } from './deps.ts'

const DAY = 86_400_000
/** A client that registered and never got a token; one that got its last token long ago. */
const UNUSED_MS = DAY
const IDLE_MS = 90 * DAY
/** A document is read again when its client comes back. */
const DOCUMENT_MS = 7 * DAY

/** Removes pages nobody answered, codes nobody used, clients nobody uses. */
export async function sweepOAuth({ database, clock }: Pick<OAuthDeps, 'database' | 'clock'>): Promise<void> {
  const now = clock.now()
  const at = (ms: number) => new Date(now - ms)
  await database.query('delete from oauth_tickets where expires_at <= $1', [at(0)])
  await database.query('delete from oauth_codes where expires_at <= $1 and used_at is null', [at(0)])
  await database.query(
    `delete from oauth_clients c
      where (c.kind = 'document' and c.used_at <= $1
          or c.kind = 'registered' and (c.used_at = c.created_at and c.created_at <= $2 or c.used_at <= $3))
        and not exists (select 1 from oauth_grants g where g.client_id = c.id)`,
    [at(DOCUMENT_MS), at(UNUSED_MS), at(IDLE_MS)],
  )
}
