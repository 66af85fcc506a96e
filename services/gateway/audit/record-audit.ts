import { auditRecorded } from '@assay/core/contracts/topics/identity'
import type { Sql } from '@assay/core/ports/db/port'

export interface AuditEntry {
  action:
    | 'user.created'
    | 'login'
    | 'login.failed'
    | 'logout'
    | 'session.refreshed'
    | 'session.reuse_detected'
    | 'api_key.issued'
    | 'api_key.revoked'
  /** user id, or `anonymous` */
  actor: string
  tenant: string
  /** ids and words, never an e-mail or a secret */
  detail: Readonly<Record<string, string>>
}

/** An `audit.recorded` event in the transaction of what it tells; an actor's events are numbered without a gap. */
export async function recordAudit(
  sql: Pick<Sql, 'query'>,
  { action, actor, tenant, detail }: AuditEntry,
): Promise<void> {
  await sql.query(
    `with next as (
       insert into event_seq as e (aggregate, seq) values ($1, 1)
       on conflict (aggregate) do update set seq = e.seq + 1 returning seq)
     insert into bus.outbox (aggregate, aggregate_seq, id, topic, key, producer, data)
     select $1, seq, $2, $5, $3, $6, $4::jsonb from next`,
    [
      `audit:${actor}`,
      Bun.randomUUIDv7(),
      actor,
      JSON.stringify({ action, actor, tenant, detail }),
      auditRecorded.name,
      auditRecorded.producer,
    ],
  )
}
