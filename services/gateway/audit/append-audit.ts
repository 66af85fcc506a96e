import { auditHash, NO_HASH } from '@assay/core/domain/audit/chain'
import { canonical } from '@assay/core/domain/journal/canonical'
import type { Sql } from '@assay/core/ports/db/port'

export interface AuditEvent {
  /** of the event */
  id: string
  /** when it was told, ISO 8601 */
  at: string
  action: string
  actor: string
  tenant: string
  detail: unknown
}

/**
 * Adds a row to the chain of its tenant, in a transaction that holds the chain's end until it commits: chains grow one
 * row after the other, whoever appends. An event that is there already changes nothing.
 */
export async function appendAudit(sql: Sql, event: AuditEvent): Promise<void> {
  const { id, action, actor, tenant, detail } = event
  const at = new Date(event.at).toISOString()
  await sql.query('insert into audit_head (tenant, seq, hash) values ($1, 0, $2) on conflict (tenant) do nothing', [
    tenant,
    NO_HASH,
  ])
  const [head] = await sql.query<{ seq: string; hash: string }>(
    'select seq, hash from audit_head where tenant = $1 for update',
    [tenant],
  )
  const seq = Number(head!.seq) + 1
  const hash = auditHash(head!.hash, { tenant, seq, id, at, action, actor, detail })
  const added = await sql.query(
    `insert into audit (tenant, seq, id, at, action, actor, detail, prev, hash)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (id) do nothing returning seq`,
    [tenant, seq, id, at, action, actor, canonical(detail), head!.hash, hash],
  )
  if (added.length === 0) return
  await sql.query('update audit_head set seq = $2, hash = $3 where tenant = $1', [tenant, seq, hash])
}
