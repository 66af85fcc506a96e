import type { Row } from '@assay/core/ports/db/port'
import type { AuditRow } from './schemas.ts'

export interface StoredAudit extends Row {
  tenant: string
  seq: string
  id: string
  at: Date
  action: string
  actor: string
  detail: string
  prev: string
  hash: string
}
export const AUDIT_COLUMNS = 'tenant, seq, id, at, action, actor, detail, prev, hash'

export const auditRowOf = ({ seq, at, detail, ...row }: StoredAudit): AuditRow => ({
  ...row,
  seq: Number(seq),
  at: at.toISOString(),
  detail: JSON.parse(detail),
})
