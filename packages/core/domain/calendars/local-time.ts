/** Local times and dates as calendars and schedules write them. */
const TIME = /^([01]\d|2[0-3]):([0-5]\d)$/
const DATE = /^\d{4}-\d{2}-\d{2}$/
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/
export const MINUTE = 60_000
export const DAY = 86_400_000

/** Minutes after local midnight of `HH:MM`; null when it is none. */
export function minutesOf(time: string): number | null {
  const match = TIME.exec(time)
  return match ? Number(match[1]) * 60 + Number(match[2]) : null
}
/** Local midnight of `YYYY-MM-DD` as if it were UTC, ms; null when there is no such date. */
export function dateOf(date: string): number | null {
  const ms = DATE.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date) ? ms : null
}
/** An instant in ISO 8601 with its zone, ms; null when it is none. */
export function momentOf(text: string): number | null {
  const ms = INSTANT.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? null : ms
}
/** Week day of a local time given as if it were UTC ms: 1 is Monday. */
export const weekDayOf = (localMs: number): number => ((((Math.floor(localMs / DAY) + 3) % 7) + 7) % 7) + 1
/** Number of the local week (from Monday) that holds a local time, and the local midnight that starts it. */
export const weekOf = (localMs: number): number => Math.floor((Math.floor(localMs / DAY) + 3) / 7)
export const weekStart = (week: number): number => (week * 7 - 3) * DAY
