import data from './zones.json'

/** Local time of a place: period i starts at `at[i]` (ms UTC) with `offset[i]` minutes east of UTC. */
export interface Zone {
  name: string
  /** version of the IANA data it was compiled from */
  version: string
  at: number[]
  offset: number[]
}
const DAY = 86_400_000

/** A zone of our own compiled table (`Intl` differs between runtimes); RangeError for a name that is not in it. */
export function zoneOf(name: string): Zone {
  const set = (data.zones as Record<string, number>)[name]
  if (set === undefined) throw new RangeError(`unknown time zone ${name}`)
  return { name, version: data.version, ...data.sets[set]! }
}
export const isZone = (name: string): boolean => Object.hasOwn(data.zones, name)

function periodAt(zone: Zone, ms: number): number {
  let lo = 0
  let hi = zone.at.length - 1
  while (lo < hi) {
    const mid = (lo + hi + 1) >> 1
    if (zone.at[mid]! <= ms) lo = mid
    else hi = mid - 1
  }
  return lo
}
/** Milliseconds to add to UTC for local time at `ms`. */
export const offsetAt = (zone: Zone, ms: number): number => zone.offset[periodAt(zone, ms)]! * 60_000

/**
 * The instant of a local wall time (given as if it were UTC ms). One that does not exist happens at the next valid
 * instant, one that exists twice at the first.
 */
export function instantOf(zone: Zone, localMs: number): number {
  const first = Math.max(0, periodAt(zone, localMs - DAY) - 1)
  for (let i = first; i < zone.at.length && zone.at[i]! <= localMs + DAY; i++) {
    const t = localMs - zone.offset[i]! * 60_000
    const start = i === 0 ? Number.NEGATIVE_INFINITY : zone.at[i]!
    if (t < start) return start
    if (i === zone.at.length - 1 || t < zone.at[i + 1]!) return t
  }
  throw new RangeError(`no instant for local time ${localMs} in ${zone.name}`)
}

/** `YYYY-MM-DD` of the local date at an instant. */
export const localDate = (zone: Zone, ms: number): string =>
  new Date(ms + offsetAt(zone, ms)).toISOString().slice(0, 10)

/** The first reset (local wall time, minutes after midnight) strictly after `ms`. */
export function nextReset(zone: Zone, minutes: number, ms: number): number {
  const local = ms + offsetAt(zone, ms)
  for (let day = Math.floor(local / DAY) * DAY - DAY; ; day += DAY) {
    const instant = instantOf(zone, day + minutes * 60_000)
    if (instant > ms) return instant
  }
}
