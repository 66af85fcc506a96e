import type { AuditEntry, AuditValue } from '../contracts/audit.ts'
import { auditRecorded } from '../contracts/topics/identity.ts'
import { canonical } from '../domain/journal/canonical.ts'
import type { Sql } from '../ports/db/port.ts'
import { enqueue } from './outbox.ts'

/** A text that came from outside is cut to this. */
const TEXT_MAX = 500

/**
 * Tells the audit log, in the transaction of what is told: any service's role may. Each entry is an aggregate of its
 * own, so no two wait for each other; the time it says is that of the transaction. Throws TypeError for a fraction.
 */
export async function recordAudit(sql: Pick<Sql, 'query'>, entry: AuditEntry): Promise<void> {
  const { action, actor, tenant } = entry
  const id = Bun.randomUUIDv7()
  const detail = tidyMembers(entry.detail)
  // what can't be hashed must not wait for the consumer to find out
  canonical(detail)
  await enqueue(sql, auditRecorded, {
    aggregate: `audit:${id}`,
    seq: 1,
    id,
    key: actor,
    data: { action, actor, tenant, detail },
  })
}

/** Texts cut, and well-formed: half a surrogate pair has no canonical form. */
function tidy(value: AuditValue): AuditValue {
  if (typeof value === 'string') return value.slice(0, TEXT_MAX).toWellFormed()
  if (value === null || typeof value !== 'object') return value
  return Array.isArray(value) ? value.map(tidy) : tidyMembers(value)
}
const tidyMembers = (members: Record<string, AuditValue>): Record<string, AuditValue> =>
  Object.fromEntries(Object.entries(members).map(([name, value]) => [name.toWellFormed(), tidy(value)]))
