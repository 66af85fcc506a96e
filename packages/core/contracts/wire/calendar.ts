import { z } from 'zod'
import type { Calendar } from '../../domain/calendars/calendar.ts'
import { calendarFaults } from '../../domain/calendars/check-calendar.ts'
import { Instant } from './decimal.ts'
import { endTime, time, weekDay, zone } from './rules/limit.ts'
import { whenThere } from './words.ts'

export const CalendarName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be a name of lower case letters, digits, dots and dashes')
const date = z.iso.date('must be a date YYYY-MM-DD')

const sessions = {
  kind: z.literal('sessions'),
  zone,
  weekly: z
    .array(
      z.strictObject({
        from: z.strictObject({ day: weekDay, time }),
        to: z.strictObject({ day: weekDay, time: endTime }),
      }),
    )
    .min(1)
    .max(50),
  holidays: CalendarName.nullable().default(null),
}
const holidays = {
  kind: z.literal('holidays'),
  dates: z.array(z.strictObject({ date, close: time.optional() })).max(2000),
}
const news = {
  kind: z.literal('news'),
  events: z
    .array(
      z.strictObject({
        at: z.iso.datetime({ offset: true, error: whenThere('must be ISO 8601 with a zone') }),
        currency: z.string().min(1).max(15),
        impact: z.enum(['low', 'medium', 'high']),
        title: z.string().max(200).optional(),
      }),
    )
    .max(10_000),
}

/** What one field alone cannot say: sessions that overlap, a date that is there twice. */
function sound(
  calendar: Omit<Calendar, 'name' | 'version'> & { name?: string | undefined; version?: number | undefined },
  ctx: z.core.$RefinementCtx,
): void {
  for (const { field, problem } of calendarFaults({ ...calendar, name: '', version: 1 } as Calendar)) {
    const path = (field.match(/[^.[\]]+/g) ?? []).map((part) => (/^\d+$/.test(part) ? Number(part) : part))
    ctx.addIssue({ code: 'custom', path, message: problem })
  }
}

/** What the document that GET serves says of itself: it must agree with the path and with the version in force. */
const said = { name: CalendarName.optional(), version: z.int().min(1).optional() }
/** A calendar as it is put in force under its name: its version is given by the platform. */
export const CalendarRequest = z
  .discriminatedUnion('kind', [
    z.strictObject({ ...said, ...sessions }),
    z.strictObject({ ...said, ...holidays }),
    z.strictObject({ ...said, ...news }),
  ])
  .superRefine(sound)
export type CalendarRequest = z.output<typeof CalendarRequest>

const own = { name: CalendarName, version: z.int().min(1).default(1) }
/** A whole calendar (domain/calendars/calendar.ts). */
export const CalendarDocument = z
  .discriminatedUnion('kind', [
    z.strictObject({ ...own, ...sessions }),
    z.strictObject({ ...own, ...holidays }),
    z.strictObject({ ...own, ...news }),
  ])
  .superRefine(sound)
/** As served: the document, its content hash and since when it is in force. */
export const CalendarResource = z.object({ document: CalendarDocument, hash: z.string(), created_at: Instant })
export type CalendarResource = z.output<typeof CalendarResource>
