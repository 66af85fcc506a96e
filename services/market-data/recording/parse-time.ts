import { instantOf, isZone, type Zone, zoneOf } from '@assay/core/domain/time/zone'

/** Where a recording's local times are local: milliseconds east of UTC, or a zone by name. */
export type LocalTime = number | Zone

/** `UTC`, `UTC-5`, `+05:30` or an IANA name; null when it is none of them. */
export function parseZone(text: string): LocalTime | null {
  const match = /^(?:UTC|GMT|Z)?(?:([+-])(\d{1,2})(?::?(\d{2}))?)?$/i.exec(text.trim())
  if (match && text.trim() !== '') {
    const minutes = Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0)
    return minutes <= 14 * 60 ? (match[1] === '-' ? -1 : 1) * minutes * 60_000 : null
  }
  return isZone(text) ? zoneOf(text) : null
}

const EPOCH = /^\d{9,19}(?:\.\d+)?$/
const COMPACT = /^(\d{4})(\d\d)(\d\d)[ T]?(\d\d)(\d\d)(\d\d)?(\d{3})?$/
const YEAR_FIRST =
  /^(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?:[ T](\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?$/i
const DAY_FIRST =
  /^(\d{1,2})\.(\d{1,2})\.(\d{4})[ T](\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?$/i

interface Instant {
  ms: number
  /** false: local time without a zone */
  zoned: boolean
}
/** The instant, or the local wall time as if it were UTC; null when it is no time between 1970 and 2200. */
export function parseTime(text: string): Instant | null {
  const cell = text.trim()
  if (EPOCH.test(cell)) return plausible(epochMs(cell), true)
  const compact = COMPACT.exec(cell)
  if (compact) return parts(compact.slice(1), compact[7], undefined)
  const iso = YEAR_FIRST.exec(cell)
  if (iso) return parts(iso.slice(1), iso[7], iso[8])
  const european = DAY_FIRST.exec(cell)
  if (european) return parts([european[3], european[2], european[1], ...european.slice(4)], european[7], european[8])
  return null
}

function epochMs(text: string): number {
  const value = Number(text)
  if (value < 1e11) return Math.floor(value * 1000 + 1e-6)
  if (value < 1e14) return Math.floor(value)
  return value < 1e17 ? Math.floor(value / 1000) : Math.floor(value / 1e6)
}
function parts(fields: (string | undefined)[], fraction: string | undefined, zone: string | undefined): Instant | null {
  const [year, month, day, hour, minute, second] = fields.map((f) => Number(f ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const ms = Date.UTC(year, month - 1, day, hour, minute, second, Number((fraction ?? '').padEnd(3, '0').slice(0, 3)))
  const date = new Date(ms)
  // Date.UTC rolls the 31st of a short month over: not a time that anybody wrote
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59)
    return null
  if (zone === undefined) return plausible(ms, false)
  return plausible(ms - (parseZone(zone) as number), true)
}
const plausible = (ms: number, zoned: boolean): Instant | null =>
  ms >= 0 && ms < Date.UTC(2200, 0) ? { ms, zoned } : null

/** Local wall time (as if UTC) -> UTC ms. */
export const toUtc = (localMs: number, zone: LocalTime): number =>
  typeof zone === 'number' ? localMs - zone : instantOf(zone, localMs)
