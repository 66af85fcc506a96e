import type { Logger } from 'pino'
import type { Bus, Envelope } from '../ports/bus/port.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { Db, Row } from '../ports/db/port.ts'
import { failpoint } from './failpoints.ts'

/** A bus in the outbox's own database publishes its rows without reading them out. */
export type OutboxBus = Pick<Bus, 'publishEnvelopes'> & {
  publishOutbox?: (positions: readonly string[]) => Promise<void>
}
export interface RelayOptions {
  db: Db
  bus: OutboxBus
  clock: Clock
  log: Pick<Logger, 'error'>
  /** nobody else can be publishing (the data folder is locked): leases left by a killed process are not waited for */
  sole?: boolean
}
export interface Relay {
  /** there may be something new: look now */
  poke(): void
  /** resolves when the outbox was found empty */
  drained(): Promise<void>
  close(): Promise<void>
}

const BATCH = 256
/** What other processes wrote, or left, is found at this pace; what this one commits is heard at once. */
const POLL_MS = 1_000
const RETRY_MS = 1_000
const RENEW_MS = 1_000
/** After a full batch the database is left to others for this many times as long as the batch took. */
const YIELD = 3
/** PGlite has no autovacuum. Space of this many published rows is given back when the outbox is empty, which is quick; */
const TRUNCATE_ROWS = 5_000
/** of this many in any case, which takes longer the more rows wait. */
const VACUUM_ROWS = 200_000
const TRUNCATE = `do $$ begin
  if not exists (select from bus.outbox) then truncate bus.outbox; end if;
end $$`

const COLUMNS = 'position, aggregate, aggregate_seq, id, topic, key, producer, version, trace, ts, data'

/**
 * Publishes the outbox. A relay holds lanes, which are hashes of aggregates, under a lease; it publishes a row only
 * after those before it of the same aggregate were acknowledged, then deletes it. A crash between the two publishes
 * again: consumers know an event by its id.
 */
export function startRelay(options: RelayOptions): Relay {
  return new OutboxRelay(options)
}

class OutboxRelay implements Relay {
  private readonly owner = crypto.randomUUID()
  private readonly closing = new AbortController()
  private readonly finished: Promise<void>
  private readonly bus: Db
  private readonly unwatch: () => void
  private lanes: number[] = []
  private renewedAt = Number.NEGATIVE_INFINITY
  private deleted = 0
  private poked = false
  private wake = () => {}
  private readonly waiting: (() => void)[] = []

  constructor(private readonly options: RelayOptions) {
    this.bus = options.db.as('bus')
    this.unwatch = options.db.watch('bus.outbox', () => this.poke())
    this.finished = this.run()
  }

  poke(): void {
    this.poked = true
    this.wake()
  }

  drained(): Promise<void> {
    const drained = new Promise<void>((resolve) => this.waiting.push(resolve))
    this.poke()
    return drained
  }

  async close(): Promise<void> {
    this.unwatch()
    this.closing.abort()
    this.poke()
    await this.finished
    await this.bus.query(`update lane set expires_at = '-infinity' where owner = $1`, [this.owner])
  }

  private async run(): Promise<void> {
    const { clock, log } = this.options
    while (!this.closing.signal.aborted) {
      try {
        this.poked = false
        const asked = this.waiting.length
        const started = clock.monotonic()
        const published = await this.publishBatch()
        if (published === 0) for (const resolve of this.waiting.splice(0, asked)) resolve()
        if (published === BATCH) await this.pause((clock.monotonic() - started) * YIELD)
        else if (published === 0) await this.idle()
      } catch (error) {
        log.error({ err: error }, 'the outbox relay failed; it goes on')
        await this.pause(RETRY_MS)
      }
    }
  }

  /** How many rows were there to publish. */
  private async publishBatch(): Promise<number> {
    const [any] = await this.bus.query('select from outbox order by position limit 1')
    if (!any) return 0
    await this.renew()
    const positions = this.options.bus.publishOutbox ? await this.move() : await this.carry()
    if (positions.length === 0) return 0
    await failpoint('between-relay-and-mark')
    await this.bus.query('delete from outbox where position = any($1::bigint[])', [positions])
    if (this.options.db.kind === 'pglite') await this.reclaim(positions.length)
    return positions.length
  }

  private async move(): Promise<string[]> {
    const rows = await this.next('position')
    const positions = rows.map(({ position }) => position as string)
    if (positions.length > 0) await this.options.bus.publishOutbox!(positions)
    return positions
  }

  private async carry(): Promise<string[]> {
    const rows = await this.next(COLUMNS)
    for (const wave of waves(rows)) await this.options.bus.publishEnvelopes(wave.map(envelopeOf))
    return rows.map(({ position }) => position as string)
  }

  private next(columns: string): Promise<Row[]> {
    return this.bus.query(
      `select ${columns} from outbox where lane = any($1::smallint[]) order by position limit ${BATCH}`,
      [this.lanes],
    )
  }

  private async renew(): Promise<void> {
    const now = this.options.clock.monotonic()
    if (now - this.renewedAt < RENEW_MS) return
    const held = await this.bus.query<{ lane: number }>(
      `update lane set owner = $1, expires_at = now() + interval '5 seconds'
       where owner = $1 or expires_at < now() or $2 returning lane`,
      [this.owner, this.options.sole === true],
    )
    this.lanes = held.map(({ lane }) => lane)
    this.renewedAt = now
  }

  private async reclaim(deleted: number): Promise<void> {
    this.deleted += deleted
    if (deleted < BATCH && this.deleted >= TRUNCATE_ROWS) await this.options.db.script(TRUNCATE)
    else if (this.deleted >= VACUUM_ROWS) await this.options.db.query('vacuum bus.outbox')
    else return
    this.deleted = 0
  }

  private async idle(): Promise<void> {
    if (this.poked) return
    const poked = new Promise<void>((resolve) => {
      this.wake = resolve
    })
    const timer = new AbortController()
    await Promise.race([poked, this.options.clock.sleep(POLL_MS, timer.signal).catch(() => {})])
    timer.abort()
  }

  private async pause(ms: number): Promise<void> {
    await this.options.clock.sleep(ms, this.closing.signal).catch(() => {})
  }
}

/** The first row of every aggregate, then the second ones, ...: within a wave nothing waits for anything else. */
function waves(rows: readonly Row[]): Row[][] {
  const depth = new Map<unknown, number>()
  const found: Row[][] = []
  for (const row of rows) {
    const wave = depth.get(row.aggregate) ?? 0
    depth.set(row.aggregate, wave + 1)
    found[wave] ??= []
    found[wave].push(row)
  }
  return found
}

const envelopeOf = (row: Row): Envelope => ({
  id: row.id as string,
  topic: row.topic as string,
  key: row.key as string,
  ts: (row.ts as Date).toISOString(),
  producer: row.producer as string,
  version: row.version as number,
  trace: row.trace as string | null,
  seq: Number(row.aggregate_seq),
  data: row.data,
})
