import moment from 'moment-timezone'
import { version } from 'moment-timezone/data/packed/latest.json'

const from = Date.UTC(2000, 0, 1)

/** packages/core/domain/time/zones.json: IANA transitions 2000 to 2037, from the pinned moment-timezone data. */
export function zones(): string {
  const sets: { at: number[]; offset: number[] }[] = []
  const index = new Map<string, number>()
  const names: Record<string, number> = {}
  for (const name of moment.tz.names().sort()) {
    const zone = moment.tz.zone(name)!
    const at: number[] = []
    const offset: number[] = []
    zone.untils.forEach((until, i) => {
      if (until !== null && until <= from) return
      // the period's start; offsets of the library are minutes WEST of UTC
      const start = i === 0 ? null : zone.untils[i - 1]!
      const east = -Math.round(zone.offsets[i]!)
      if (offset.length && offset.at(-1) === east) return
      at.push(start === null || start < from ? from : start)
      offset.push(east === 0 ? 0 : east)
    })
    const key = JSON.stringify([at, offset])
    if (!index.has(key)) index.set(key, sets.push({ at, offset }) - 1)
    names[name] = index.get(key)!
  }
  return `${JSON.stringify({ version, sets, zones: names })}\n`
}
