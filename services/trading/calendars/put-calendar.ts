import { AssayError } from '@assay/core/contracts/errors'
import type { CalendarRequest, CalendarResource } from '@assay/core/contracts/wire/calendar'
import { canonical } from '@assay/core/domain/journal/canonical'
import { sha256Hex } from '@assay/core/domain/journal/hash'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'
import { type IfMatch, requireMatch } from '../if-match.ts'
import { type CalendarRow, calendarOf, newestCalendars } from './calendars-in-force.ts'

export interface PutCalendar extends IfMatch {
  name: string
  calendar: CalendarRequest
}

/**
 * Puts a calendar in force as the next version of its name; the same words keep theirs. The name and version that a
 * document read here says of itself must be those of the path and in force. Running assessments keep the version that
 * they were made with. Throws precondition_failed where If-Match names another one.
 */
export async function putCalendar({ ctx, input, deps }: Verb<PutCalendar>): Promise<CalendarResource> {
  const actor = requireScope(ctx, 'ops:write')
  const { name } = input
  const { name: saidName = name, version: saidVersion, ...calendar } = input.calendar
  const there = await newestCalendars(deps.db, actor.tenant)
  const before = there.find((row) => row.name === name)
  requireMatch(input, before?.hash ?? null)
  const refuse = (field: string, detail: string): never => {
    throw new AssayError('validation_failed', `${field}: ${detail}`, { field })
  }
  if (saidName !== name) refuse('name', `the path says ${name}`)
  if (saidVersion !== undefined && saidVersion !== (before?.version ?? 1))
    refuse(
      'version',
      before ? `${name} is at version ${before.version}: read it again` : `${name} would be at version 1`,
    )
  if (before && before.document.kind !== calendar.kind) refuse('kind', `${name} is of kind ${before.document.kind}`)
  if (calendar.kind === 'sessions' && calendar.holidays !== null) {
    const holidays = there.find((row) => row.name === calendar.holidays)
    if (holidays?.document.kind !== 'holidays') refuse('holidays', `there is no holidays calendar ${calendar.holidays}`)
  }
  if (before && canonical({ ...calendar, name, version: before.version }) === canonical(before.document))
    return calendarOf(before)
  const document = { ...calendar, name, version: (before?.version ?? 0) + 1 }
  const hash = sha256Hex(canonical(document))
  const row = await deps.db.tx(async (sql) => {
    const [made] = await sql.query<CalendarRow>(
      `insert into trading.calendar (tenant, name, version, kind, hash, document, made_by) values ($1, $2, $3, $4, $5, $6::jsonb, $7)
       on conflict do nothing returning name, version, hash, document, created_at`,
      [actor.tenant, name, document.version, document.kind, hash, JSON.stringify(document), actor.userId],
    )
    if (!made) return null
    const detail = { calendar: name, version: document.version, hash, before: before?.hash ?? null }
    await recordAudit(sql, { action: 'calendar.changed', actor: actor.userId, tenant: actor.tenant, detail })
    return made
  })
  if (!row) throw new AssayError('conflict', `The calendar ${name} has just been changed; read it again.`)
  return calendarOf(row)
}
