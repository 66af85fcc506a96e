import type { Db } from '@assay/core/ports/db/port'

export const LEASE_S = 5

export interface Lease {
  epoch: number
  /** what the holder before has said last */
  position: number | null
  /** false: another leader has it now, or it ran out */
  renew(position?: number): Promise<boolean>
  /** lets the next leader take over at once */
  release(position?: number): Promise<void>
}

export interface LeaseRequest {
  /** narrowed to the schema market_data */
  db: Db
  group: string
  holder: string
  /** epochs up to this one are in the log already */
  above: number
  /** no other process can hold it (the data folder is locked): no waiting for a lease that a crash left behind */
  alone: boolean
}

/** Takes the group's leadership by compare-and-set, with database time; null while another leader's lease runs. */
export async function takeLease({ db, group, holder, above, alone }: LeaseRequest): Promise<Lease | null> {
  const [row] = await db.query<{ epoch: string; position: string | null }>(
    `insert into leader as l (market_group, holder, epoch, expires_at)
     values ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))
     on conflict (market_group) do update
       set holder = excluded.holder, epoch = greatest(l.epoch + 1, excluded.epoch), expires_at = excluded.expires_at
       where $5 or l.expires_at < clock_timestamp()
     returning epoch, position`,
    [group, holder, above + 1, LEASE_S, alone],
  )
  if (!row) return null
  const epoch = Number(row.epoch)
  return {
    epoch,
    position: row.position === null ? null : Number(row.position),
    async renew(position) {
      const renewed = await db.query(
        `update leader set expires_at = clock_timestamp() + make_interval(secs => $3), position = coalesce($4, position)
         where market_group = $1 and epoch = $2 and expires_at > clock_timestamp() returning 1 as held`,
        [group, epoch, LEASE_S, position ?? null],
      )
      return renewed.length === 1
    },
    async release(position) {
      await db.query(
        `update leader set expires_at = clock_timestamp(), position = coalesce($3, position)
         where market_group = $1 and epoch = $2`,
        [group, epoch, position ?? null],
      )
    },
  }
}

/** Somebody's lease of the group runs. */
export async function isLed(db: Db, group: string): Promise<boolean> {
  const [row] = await db.query(
    'select 1 as led from leader where market_group = $1 and expires_at > clock_timestamp()',
    [group],
  )
  return row !== undefined
}
