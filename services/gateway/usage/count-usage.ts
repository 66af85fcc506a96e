import type { Actor } from '@assay/core/kernel/context'
import type { RouteClass } from '@assay/core/kernel/limit'
import type { Clock } from '@assay/core/ports/clock/port'

/** ms; the last bucket is everything longer. */
export const LATENCY_BOUNDS_MS = [5, 25, 100, 500, 2_500] as const

export interface Counted {
  day: string
  tenant: string
  userId: string
  keyId: string
  routeClass: RouteClass
  requests: number
  errors: number
  limited: number
  msTotal: number
  msMax: number
  buckets: number[]
}
export interface UsageCount {
  /** called for every request: cheap */
  count(actor: Actor | null, routeClass: RouteClass, status: number, ms: number): void
  /** what was counted since the last call */
  take(): Counted[]
  /** puts back what could not be written */
  putBack(counted: readonly Counted[]): void
  readonly size: number
}
export interface UsageOptions {
  clock: Pick<Clock, 'now'>
  /** told how many requests are not counted because too many clients are */
  onDropped: (requests: number) => void
  /** clients counted apart until they are written */
  mostClients?: number
}
const MOST_CLIENTS = 20_000
const DAY_MS = 86_400_000
/** Requests without a credential are nobody's: the house reads them. */
const NOBODY = { tenant: '', userId: '', keyId: '' }
type ByClass = Partial<Record<RouteClass, Counted>>

/**
 * Requests, errors and times by client and route class, in memory until they are written. A day begins for all of it
 * at once: what is counted before midnight is taken before anything after it is.
 */
export function createUsageCount({ clock, onDropped, mostClients = MOST_CLIENTS }: UsageOptions): UsageCount {
  let clients = new Map<string, ByClass>()
  let past: Counted[] = []
  let dayEnds = 0
  let day = ''

  const all = () => [...clients.values()].flatMap((byClass) => Object.values(byClass))

  function beginDay(now: number): void {
    past.push(...all())
    clients = new Map()
    dayEnds = (Math.floor(now / DAY_MS) + 1) * DAY_MS
    day = new Date(now).toISOString().slice(0, 10)
  }
  function cellOf(actor: Actor | null, routeClass: RouteClass): Counted | undefined {
    // no user has the id of a key: both are UUIDs
    const client = actor ? (actor.keyId ?? actor.userId) : ''
    let byClass = clients.get(client)
    if (!byClass) {
      if (clients.size + past.length >= mostClients) return undefined
      byClass = {}
      clients.set(client, byClass)
    }
    let cell = byClass[routeClass]
    if (!cell) {
      const who = actor ? { tenant: actor.tenant, userId: actor.userId, keyId: actor.keyId ?? '' } : NOBODY
      cell = { day, ...who, routeClass, requests: 0, errors: 0, limited: 0, msTotal: 0, msMax: 0, buckets: [] }
      cell.buckets = Array(LATENCY_BOUNDS_MS.length + 1).fill(0)
      byClass[routeClass] = cell
    }
    return cell
  }

  return {
    count(actor, routeClass, status, ms) {
      const now = clock.now()
      if (now >= dayEnds || now < dayEnds - DAY_MS) beginDay(now)
      const cell = cellOf(actor, routeClass)
      if (!cell) return onDropped(1)
      cell.requests++
      if (status === 429) cell.limited++
      else if (status >= 400) cell.errors++
      cell.msTotal += ms
      if (ms > cell.msMax) cell.msMax = ms
      let at = 0
      while (at < LATENCY_BOUNDS_MS.length && ms > LATENCY_BOUNDS_MS[at]!) at++
      cell.buckets[at]!++
    },
    take() {
      const taken = [...past, ...all()]
      past = []
      clients = new Map()
      return taken
    },
    putBack(counted) {
      const room = Math.max(0, mostClients - past.length - clients.size)
      past.push(...counted.slice(0, room))
      const dropped = counted.slice(room).reduce((sum, { requests }) => sum + requests, 0)
      if (dropped > 0) onDropped(dropped)
    },
    get size() {
      return clients.size + past.length
    },
  }
}
