import type { CalendarResource } from '@assay/core/contracts/wire/calendar'
import type { Calendar } from '@assay/core/domain/calendars/calendar'
import type { Row, Sql } from '@assay/core/ports/db/port'
import { iso } from '../time.ts'

export interface CalendarRow extends Row {
  name: string
  version: number
  hash: string
  document: Calendar
  created_at: Date
}
export const calendarOf = (row: CalendarRow): CalendarResource => ({
  document: row.document,
  hash: row.hash,
  created_at: iso(row.created_at),
})

/** The newest version of each calendar of a tenant, by name. */
export const newestCalendars = (db: Sql, tenant: string): Promise<CalendarRow[]> =>
  db.query<CalendarRow>(
    `select distinct on (name) name, version, hash, document, created_at from trading.calendar
     where tenant = $1 order by name, version desc`,
    [tenant],
  )
/** What an assessment that is made now pins of them. */
export const calendarsInForce = async (db: Sql, tenant: string): Promise<Calendar[]> =>
  (await newestCalendars(db, tenant)).map(({ document }) => document)
