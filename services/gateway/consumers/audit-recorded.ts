import { auditRecorded } from '@assay/core/contracts/topics/identity'
import { onceInSql } from '@assay/core/kernel/inbox'
import type { Consumer } from '@assay/core/kernel/service'
import type { Db } from '@assay/core/ports/db/port'
import { appendAudit } from '../audit/append-audit.ts'

const GROUP = 'gateway.audit'

/** What any service tells the audit log becomes a row of its tenant's chain. */
export const onAuditRecorded = (db: Db): Consumer => ({
  group: GROUP,
  topics: [auditRecorded],
  async handle({ envelope: { id, ts, data } }) {
    const entry = auditRecorded.schema.parse(data)
    await onceInSql(db, { group: GROUP, id }, (sql) => appendAudit(sql, { id, at: ts, ...entry }))
  },
})
