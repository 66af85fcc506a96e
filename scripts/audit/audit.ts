/**
 * The database looked at from outside: shares no code with what wrote it, knows the tables, the record format and
 * nothing else.
 */
import { auditBooks } from './books.ts'
import { auditChains } from './chains.ts'
import type { Ask, Audited } from './finding.ts'
import { auditTables } from './tables.ts'
import { auditTopics, IN_DATABASE, type Published } from './topics.ts'

export async function auditDatabase(ask: Ask, published: Published | null = IN_DATABASE): Promise<Audited> {
  const topics = await auditTopics(ask, published)
  const parts = [await auditBooks(ask), await auditChains(ask), await auditTables(ask), topics]
  return {
    findings: parts.flatMap((part) => part.findings),
    counted: Object.assign({}, ...parts.map((part) => part.counted)),
  }
}
