import type { CalendarResource } from '@assay/core/contracts/wire/calendar'
import { type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import { tenantOf } from '../access.ts'
import type { Verb } from '../deps.ts'
import { calendarOf, newestCalendars } from './calendars-in-force.ts'

/** Calendars in force, by name. */
export async function listCalendars({
  ctx,
  input,
  deps,
}: Verb<PageQuery & { kind?: string | undefined }>): Promise<Page<CalendarResource>> {
  const rows = (await newestCalendars(deps.db, tenantOf(ctx))).filter(
    ({ name, document }) => name > (input.cursor ?? '') && (input.kind === undefined || document.kind === input.kind),
  )
  return toPage(rows.slice(0, input.limit + 1), input.limit, calendarOf, ({ name }) => name)
}
