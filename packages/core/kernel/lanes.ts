import type { Logger } from 'pino'
import type { Clock } from '../ports/clock/port.ts'
import type { Db } from '../ports/db/port.ts'

const LEASE_S = 5
const RENEW_MS = 1_000
/** by its own clock a relay that could not renew for so long publishes nothing more, before its lease ends for others */
const SILENT_MS = 4_000

export interface LaneOptions {
  db: Db
  clock: Clock
  log: Pick<Logger, 'error'>
  /** nobody else can be publishing (the data folder is locked): leases left by a killed process are not waited for */
  sole: boolean
  /** lanes may have come */
  changed: () => void
}

/**
 * The lanes of the outbox that this relay may publish, under a lease renewed in the background. Relays that live share
 * the lanes evenly: each gives up what is another one's share once nothing of it is under way.
 */
export class Lanes {
  readonly owner = crypto.randomUUID()
  private readonly db: Db
  private held: readonly number[] = []
  private readonly busy = new Set<number>()
  private share = new Set<number>()
  private renewedAt = Number.NEGATIVE_INFINITY
  private readonly closing = new AbortController()
  private readonly finished: Promise<void>
  private readonly begun = Promise.withResolvers<void>()

  constructor(private readonly options: LaneOptions) {
    this.db = options.db.as('bus')
    this.finished = this.run()
  }

  /** Resolves when lanes were asked for the first time. */
  started(): Promise<void> {
    return this.begun.promise
  }

  /** it does not know what it holds */
  get silent(): boolean {
    return this.options.clock.monotonic() - this.renewedAt > SILENT_MS
  }

  /** Held, and nothing of them is under way. */
  free(): number[] {
    if (this.silent) return []
    return this.held.filter((lane) => this.share.has(lane) && !this.busy.has(lane))
  }
  /** Whether all of them are still this relay's. */
  hold(lanes: readonly number[]): boolean {
    return !this.silent && lanes.every((lane) => this.held.includes(lane))
  }
  /** Nobody else gets them until `act` has ended. */
  async during(lanes: readonly number[], act: () => Promise<void>): Promise<void> {
    for (const lane of lanes) this.busy.add(lane)
    try {
      await act()
    } finally {
      for (const lane of lanes) this.busy.delete(lane)
    }
  }

  async close(): Promise<void> {
    this.closing.abort()
    await this.finished
    await this.db.batch([
      { sql: `update lane set expires_at = '-infinity' where owner = $1`, params: [this.owner] },
      { sql: 'delete from relay where owner = $1', params: [this.owner] },
    ])
  }

  private async run(): Promise<void> {
    const { clock, log } = this.options
    const { signal } = this.closing
    while (!signal.aborted) {
      try {
        const asked = clock.monotonic()
        await this.renew()
        this.renewedAt = asked
      } catch (err) {
        log.error({ err }, 'the outbox relay could not renew its lanes')
      }
      this.begun.resolve()
      this.options.changed()
      await clock.sleep(RENEW_MS, signal).catch(() => {})
    }
  }

  private async renew(): Promise<void> {
    this.share = await this.fairShare()
    // what is under way is kept until it has ended, whosever share it is now
    const wanted = new Set([...this.share, ...this.busy])
    const [, rows] = await this.db.batch([
      {
        sql: `update lane set owner = null, expires_at = '-infinity' where owner = $1 and lane <> all($2::smallint[])`,
        params: [this.owner, [...wanted]],
      },
      {
        sql: `update lane set owner = $1, expires_at = now() + make_interval(secs => ${LEASE_S})
              where lane = any($2::smallint[]) and (owner = $1 or expires_at < now() or $3) returning lane`,
        params: [this.owner, [...wanted], this.options.sole],
      },
    ])
    this.held = (rows as { lane: number }[]).map(({ lane }) => lane)
  }

  /** Lanes go round the living relays in the order of their names. */
  private async fairShare(): Promise<Set<number>> {
    const { sole } = this.options
    const [, , relays, lanes] = await this.db.batch([
      { sql: 'delete from relay where expires_at < now() or ($1 and owner <> $2)', params: [sole, this.owner] },
      {
        sql: `insert into relay (owner, expires_at) values ($1, now() + make_interval(secs => ${LEASE_S}))
              on conflict (owner) do update set expires_at = excluded.expires_at`,
        params: [this.owner],
      },
      { sql: 'select owner from relay order by owner' },
      { sql: 'select lane from lane order by lane' },
    ])
    const owners = (relays as { owner: string }[]).map(({ owner }) => owner)
    const own = (lanes as { lane: number }[]).map(({ lane }) => lane)
    return new Set(own.filter((_, i) => owners[i % owners.length] === this.owner))
  }
}
