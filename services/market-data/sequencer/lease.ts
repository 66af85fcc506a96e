import type { Db } from '@assay/core/ports/db/port'

export const LEASE_S = 5

export interface Lease {
  epoch: number
  /** false: another leader has it now, or it ran out */
  renew(): Promise<boolean>
  /** lets the next leader take over at once */
  release(): Promise<void>
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
  const [row] = await db.query<{ epoch: string }>(
    `insert into leader as l (market_group, holder, epoch, expires_at)
     values ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))
     on conflict (market_group) do update
       set holder = excluded.holder, epoch = greatest(l.epoch + 1, excluded.epoch), expires_at = excluded.expires_at
       where $5 or l.expires_at < clock_timestamp()
     returning epoch`,
    [group, holder, above + 1, LEASE_S, alone],
  )
  if (!row) return null
  const epoch = Number(row.epoch)
  return {
    epoch,
    async renew() {
      const renewed = await db.query(
        `update leader set expires_at = clock_timestamp() + make_interval(secs => $3)
         where market_group = $1 and epoch = $2 and expires_at > clock_timestamp() returning 1 as held`,
        [group, epoch, LEASE_S],
      )
      return renewed.length === 1
    },
    async release() {
      await db.query('update leader set expires_at = clock_timestamp() where market_group = $1 and epoch = $2', [
        group,
        epoch,
      ])
    },
  }
}
