/** Days and resets, from the runtime's own calendar (`Intl`), not from the table that the engine uses. */
const MINUTE = 60_000
const DAY = 86_400_000
const clocks = new Map<string, Intl.DateTimeFormat>()
const found = new Map<string, number>()

/** The wall clock of a zone at an instant: `YYYY-MM-DD HH:MM`. */
export function wall(zone: string, ms: number): string {
  let clock = clocks.get(zone)
  if (!clock) {
    clock = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' })
    clocks.set(zone, clock)
  }
  return clock.format(ms)
}
export const localDay = (zone: string, ms: number): string => wall(zone, ms).slice(0, 10)

/**
 * The first instant at which the wall clock shows `date time` or later: the first of two, and the end of the jump
 * when clocks jump over it. Found by looking at every minute.
 */
function resetOn(zone: string, date: string, time: string): number {
  const key = `${zone} ${date} ${time}`
  const known = found.get(key)
  if (known !== undefined) return known
  let ms = Date.parse(`${date}T00:00:00Z`) - 15 * 60 * MINUTE
  while (wall(zone, ms) < `${date} ${time}`) ms += MINUTE
  found.set(key, ms)
  return ms
}
/** The first reset after `ms`. */
export function resetAfter(zone: string, time: string, ms: number): number {
  for (let day = ms - 2 * DAY; ; day += DAY) {
    const instant = resetOn(zone, new Date(day).toISOString().slice(0, 10), time)
    if (instant > ms) return instant
  }
}
