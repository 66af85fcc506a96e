import { AssayError } from '@assay/core/contracts/errors'
import { isHouse } from '@assay/core/contracts/scopes'
import { type Page, toPage } from '@assay/core/contracts/wire/page'
import { requireScope } from '@assay/core/kernel/auth'
import type { Param } from '@assay/core/ports/db/port'
import type { Verb } from '../deps.ts'
import { AUDIT_COLUMNS, auditRowOf, type StoredAudit } from './audit-row.ts'
import { type AuditQuery, type AuditRow, isMoment } from './schemas.ts'

/** Rows of the audit log, newest first: an operator's tenant; those of every tenant for operators of the platform. */
export async function listAudit({ ctx, input, deps }: Verb<AuditQuery>): Promise<Page<AuditRow>> {
  const actor = requireScope(ctx, 'audit:read')
  const tenant = isHouse(actor) ? input.tenant : actor.tenant
  // another tenant's log is as empty as that of one that does not exist
  if (input.tenant !== undefined && input.tenant !== tenant) return { items: [], next: null }
  const cursor = placeOf(input.cursor)
  const params: Param[] = []
  const where: string[] = []
  const only = (condition: (at: string) => string, value: Param | undefined) => {
    if (value === undefined) return
    params.push(value)
    where.push(condition(`$${params.length}`))
  }
  only((at) => `tenant = ${at}`, tenant)
  only((at) => `actor = ${at}`, input.actor)
  only((at) => `action = ${at}`, input.action)
  only((at) => `at >= ${at}`, input.from && new Date(input.from))
  only((at) => `at < ${at}`, input.to && new Date(input.to))
  if (cursor) {
    params.push(cursor.at, cursor.id)
    where.push(`(at, id) < ($${params.length - 1}, $${params.length}::uuid)`)
  }
  params.push(input.limit + 1)
  const rows = await deps.database.shownTo(actor).query<StoredAudit>(
    `select ${AUDIT_COLUMNS} from audit ${where.length > 0 ? `where ${where.join(' and ')}` : ''}
      order by at desc, id desc limit $${params.length}`,
    params,
  )
  return toPage(rows, input.limit, auditRowOf, ({ at, id }) => `${at.getTime()}.${id}`)
}

const CURSOR = /^(\d{1,15})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/
function placeOf(cursor: string | undefined): { at: Date; id: string } | null {
  if (cursor === undefined) return null
  const [, at, id] = CURSOR.exec(cursor) ?? []
  if (at === undefined || !isMoment(Number(at)))
    throw new AssayError('validation_failed', 'The cursor is not one that a list gave.', { field: 'cursor' })
  return { at: new Date(Number(at)), id: id! }
}
