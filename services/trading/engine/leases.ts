import type { Clock } from '@assay/core/ports/clock/port'
import type { Db } from '@assay/core/ports/db/port'
import { dueTo } from './share.ts'
import { SLOTS } from './types.ts'

const LEASE = `interval '5 seconds'`
/** Not renewed for so long by its own clock, an owner serves nothing: a second before another may take over. */
const FENCE_MS = 4000

/** A trading process that may own slots. */
export interface Owner {
  id: string
  /** where other trading processes reach it; null: nobody does */
  url: string | null
}

/** Slots that this process owns, by rows that expire in database time, and who owns the others. */
export interface Leases {
  readonly me: Owner
  /** takes what was free, expired or ours before a restart at the last look, up to our share; resolves with those taken now */
  acquire(): Promise<number[]>
  /** a second's renewal and the sign that this process lives; resolves with the slots that turned out to be lost */
  renew(): Promise<number[]>
  /** reads who owns what; resolves with the slots that turned out to be lost */
  look(): Promise<number[]>
  /** as of the last look: slots beyond our share that another one is short of; all of them while we drain */
  surplus(): number[]
  epochOf(slot: number): number | null
  /** may this owner answer for the slot now? */
  serves(slot: number): boolean
  /** its last sign of life is fresh: no slot of it can be another's */
  isFresh(): boolean
  /** as of the last look; null: nobody whose lease still runs */
  ownerOf(slot: number): Owner | null
  /** other owners that live and do not drain, as of the last look */
  others(): Owner[]
  /** the slots are served no more; what was decided in them can still commit */
  stopServing(slots: readonly number[]): void
  /** frees the rows: the next one takes them at once */
  give(slots: readonly number[]): Promise<void>
  /** takes nothing any more: its share is the others' */
  retire(): Promise<void>
  /** frees everything and is gone */
  release(): Promise<void>
}

type Living = Owner & { draining: boolean }
/** What a look saw. */
interface Seen {
  /** by slot; null: free or expired */
  owners: (string | null)[]
  living: Map<string, Living>
}

/** Leases in the database. `me.id` names this process; a single process keeps its name, so it need not wait for itself. */
export function dbLeases(db: Db, clock: Clock, me: Owner): Leases {
  const epochs = new Map<number, number>()
  const leaving = new Set<number>()
  /** rises with every change of `epochs`: an answer that was asked for before tells nothing about them */
  let changes = 0
  let renewedAt = Number.NEGATIVE_INFINITY
  let draining = false
  let seen: Seen = { owners: [], living: new Map() }
  const drop = (slot: number): void => {
    if (epochs.delete(slot)) changes++
    leaving.delete(slot)
  }
  const mine = () => [[...epochs.keys()], [...epochs.values()]] as const
  const isFresh = (): boolean => clock.monotonic() - renewedAt < FENCE_MS

  async function renew(): Promise<number[]> {
    const at = clock.monotonic()
    const asked = new Map(epochs)
    const [, rows] = await db.batch([
      {
        sql: `insert into trading.owner (id, url, draining, expires_at) values ($1, $2, $3, now() + ${LEASE})
              on conflict (id) do update set url = excluded.url, draining = excluded.draining, expires_at = excluded.expires_at`,
        params: [me.id, me.url, draining],
      },
      {
        sql: `update trading.slot s set expires_at = now() + ${LEASE} from unnest($2::integer[], $3::bigint[]) as mine(slot, epoch)
              where s.slot = mine.slot and s.epoch = mine.epoch and s.owner = $1 returning s.slot`,
        params: [me.id, [...asked.keys()], [...asked.values()]],
      },
    ])
    renewedAt = at
    const kept = new Set(rows!.map((row) => row.slot as number))
    const lost = [...asked].filter(([slot, epoch]) => !kept.has(slot) && epochs.get(slot) === epoch)
    for (const [slot] of lost) drop(slot)
    return lost.map(([slot]) => slot)
  }

  async function look(): Promise<number[]> {
    const before = changes
    const [slots, living] = await db.batch([
      {
        sql: 'select slot, owner, epoch, owner is null or expires_at < now() as free from trading.slot order by slot',
      },
      { sql: 'select id, url, draining from trading.owner where expires_at >= now()' },
    ])
    seen = {
      owners: slots!.map((row) => (row.free ? null : (row.owner as string))),
      living: new Map((living as unknown as Living[]).map((owner) => [owner.id, owner])),
    }
    if (changes !== before) return []
    const lost = slots!.flatMap((row) => {
      const epoch = epochs.get(row.slot as number)
      return epoch === undefined || epoch === Number(row.epoch) ? [] : [row.slot as number]
    })
    for (const slot of lost) drop(slot)
    return lost
  }

  const sharing = (): string[] => [...seen.living.values()].filter((owner) => !owner.draining).map(({ id }) => id)
  /** An expired row of ours is ours until another takes it; one of ours that we do not hold (a restart) is free. */
  const rows = () =>
    seen.owners.map((owner, slot) => ({
      slot,
      owner: epochs.has(slot) ? me.id : owner === me.id ? null : owner,
    }))

  return {
    me,
    renew,
    look,
    isFresh,
    async acquire() {
      if (renewedAt === Number.NEGATIVE_INFINITY) await renew()
      if (seen.owners.length === 0) await look()
      const { take } = dueTo(me.id, sharing(), rows())
      if (take.length === 0) return []
      // for update waits for commits that hold the row, then the epoch rises: they were the last under the old one
      const taken = await db.query<{ slot: number; epoch: string }>(
        `with taken as (select slot from trading.slot where slot = any($2::integer[]) and (owner is null or owner = $1 or expires_at < now())
           order by slot for update)
         update trading.slot s set owner = $1, epoch = s.epoch + 1, expires_at = now() + ${LEASE} from taken where s.slot = taken.slot
         returning s.slot, s.epoch`,
        [me.id, take],
      )
      for (const { slot, epoch } of taken) {
        epochs.set(slot, Number(epoch))
        seen.owners[slot] = me.id
      }
      if (taken.length > 0) changes++
      return taken.map((row) => row.slot)
    },
    surplus: () => dueTo(me.id, sharing(), rows()).surplus,
    epochOf: (slot) => epochs.get(slot) ?? null,
    serves: (slot) => epochs.has(slot) && !leaving.has(slot) && isFresh(),
    ownerOf(slot) {
      const owner = seen.owners[slot]
      return owner ? (seen.living.get(owner) ?? null) : null
    },
    others: () => [...seen.living.values()].filter((owner) => owner.id !== me.id && !owner.draining),
    stopServing(slots) {
      for (const slot of slots) if (epochs.has(slot)) leaving.add(slot)
    },
    async give(slots) {
      const held = slots.filter((slot) => epochs.has(slot))
      await db.query(
        `update trading.slot s set owner = null, expires_at = '-infinity' from unnest($2::integer[], $3::bigint[]) as mine(slot, epoch)
         where s.slot = mine.slot and s.epoch = mine.epoch and s.owner = $1`,
        [me.id, held, held.map((slot) => epochs.get(slot)!)],
      )
      for (const slot of held) {
        drop(slot)
        seen.owners[slot] = null
      }
    },
    async retire() {
      draining = true
      await db.query('update trading.owner set draining = true where id = $1', [me.id])
      await look()
    },
    async release() {
      const [slots, held] = mine()
      await db.batch([
        {
          sql: `update trading.slot s set owner = null, expires_at = '-infinity' from unnest($2::integer[], $3::bigint[]) as mine(slot, epoch)
                where s.slot = mine.slot and s.epoch = mine.epoch and s.owner = $1`,
          params: [me.id, slots, held],
        },
        { sql: `delete from trading.owner where id = $1 or expires_at < now() - interval '1 minute'`, params: [me.id] },
      ])
      epochs.clear()
      leaving.clear()
      changes++
    },
  }
}

/** All slots, for ever: one owner and no database. */
export function soleLeases(): Leases {
  let free = Array.from({ length: SLOTS }, (_, slot) => slot)
  const none = async () => []
  return {
    me: { id: 'sole', url: null },
    acquire: async () => free.splice(0),
    renew: none,
    look: none,
    surplus: () => [],
    epochOf: () => 1,
    serves: () => true,
    isFresh: () => true,
    ownerOf: () => null,
    others: () => [],
    stopServing() {},
    async give() {},
    async retire() {},
    release: async () => {
      free = []
    },
  }
}
