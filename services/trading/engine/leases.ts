import type { Clock } from '@assay/core/ports/clock/port'
import type { Db } from '@assay/core/ports/db/port'
import { SLOTS } from './types.ts'

const LEASE = `interval '5 seconds'`
/** Not renewed for so long by its own clock, an owner serves nothing: a second before another may take over. */
const FENCE_MS = 4000

/** Slots that this process owns, by rows that expire in database time. */
export interface Leases {
  /** takes every slot that is free, expired or was ours; resolves with those taken now */
  acquire(): Promise<number[]>
  /** one second's renewal; resolves with the slots that turned out to be lost */
  renew(): Promise<number[]>
  epochOf(slot: number): number | null
  /** may this owner answer for the slot now? */
  serves(slot: number): boolean
  release(): Promise<void>
}

/** Leases in the database. `owner` names this process; a single process keeps its name, so it need not wait for itself. */
export function dbLeases(db: Db, clock: Clock, owner: string): Leases {
  const epochs = new Map<number, number>()
  let renewedAt = Number.NEGATIVE_INFINITY
  return {
    async acquire() {
      const at = clock.monotonic()
      // for update waits for commits that hold the row, then the epoch rises: they were the last under the old one
      const rows = await db.query<{ slot: number; epoch: string }>(
        `with taken as (select slot from trading.slot where (owner is null or owner = $1 or expires_at < now()) and not (slot = any($2::integer[]))
           order by slot for update)
         update trading.slot s set owner = $1, epoch = s.epoch + 1, expires_at = now() + ${LEASE} from taken where s.slot = taken.slot
         returning s.slot, s.epoch`,
        [owner, [...epochs.keys()]],
      )
      if (epochs.size === 0) renewedAt = at
      for (const row of rows) epochs.set(row.slot, Number(row.epoch))
      return rows.map((r) => r.slot)
    },
    async renew() {
      const at = clock.monotonic()
      const rows = await db.query<{ slot: number }>(
        `update trading.slot s set expires_at = now() + ${LEASE} from unnest($2::integer[], $3::bigint[]) as mine(slot, epoch)
         where s.slot = mine.slot and s.epoch = mine.epoch and s.owner = $1 returning s.slot`,
        [owner, [...epochs.keys()], [...epochs.values()]],
      )
      renewedAt = at
      const kept = new Set(rows.map((r) => r.slot))
      const lost = [...epochs.keys()].filter((slot) => !kept.has(slot))
      for (const slot of lost) epochs.delete(slot)
      return lost
    },
    epochOf: (slot) => epochs.get(slot) ?? null,
    serves: (slot) => epochs.has(slot) && clock.monotonic() - renewedAt < FENCE_MS,
    async release() {
      await db.query(
        `update trading.slot s set owner = null, expires_at = '-infinity' from unnest($2::integer[], $3::bigint[]) as mine(slot, epoch)
         where s.slot = mine.slot and s.epoch = mine.epoch and s.owner = $1`,
        [owner, [...epochs.keys()], [...epochs.values()]],
      )
      epochs.clear()
    },
  }
}

/** All slots, for ever: one owner and no database. */
export function soleLeases(): Leases {
  let free = Array.from({ length: SLOTS }, (_, slot) => slot)
  return {
    acquire: async () => free.splice(0),
    renew: async () => [],
    epochOf: () => 1,
    serves: () => true,
    release: async () => {
      free = []
    },
  }
}
