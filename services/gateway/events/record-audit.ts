import { auditRecorded } from '@assay/core/contracts/topics/identity'
import type { Sql } from '@assay/core/ports/db/port'
import { appendEvent } from './append-event.ts'

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
    | 'signing_key.replaced'
  /** user id, or `anonymous` */
  actor: string
  tenant: string
  /** ids and words, never an e-mail or a secret */
  detail: Record<string, string>
}

/** Tells the audit log, in the transaction of what is told. */
export const recordAudit = (sql: Pick<Sql, 'query'>, entry: AuditEntry): Promise<void> =>
  appendEvent(sql, auditRecorded, { aggregate: `audit:${entry.actor}`, key: entry.actor, data: entry })
