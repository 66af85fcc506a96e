import { canonical } from '../journal/canonical.ts'
import { sha256Hex } from '../journal/hash.ts'

/** What a row of the audit log says; its hash covers all of it and, by `prev`, every row before it. */
export interface AuditRecord {
  tenant: string
  /** from 1, without a gap */
  seq: number
  /** of the event that told it */
  id: string
  /** ISO 8601, UTC, whole milliseconds */
  at: string
  action: string
  actor: string
  detail: unknown
}
/** Before the first row of a chain. */
export const NO_HASH = '0'.repeat(64)

/** SHA-256 over the text of `prev` followed by the record's canonical JSON, in hex. */
export function auditHash(prev: string, { tenant, seq, id, at, action, actor, detail }: AuditRecord): string {
  return sha256Hex(prev + canonical({ tenant, seq, id, at, action, actor, detail }))
}
