import type { Logger } from 'pino'
import type { Bus, Envelope } from '../ports/bus/port.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { Db, Row } from '../ports/db/port.ts'
import { failpoint } from './failpoints.ts'
import { Lanes } from './lanes.ts'

/** An event as JSON of its envelope; it was checked when it was written. */
export interface FormedEvent {
  topic: string
  key: string
  text: string
}
export type OutboxBus = Pick<Bus, 'publishEnvelopes'> & {
  /** a bus in the outbox's own database publishes its rows without reading them out */
  publishOutbox?: (positions: readonly string[]) => Promise<void>
  /** takes events as they are stored */
  publishFormed?: (events: readonly FormedEvent[]) => Promise<void>
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
  /** resolves when the outbox was found empty, as far as its lanes are this relay's */
  drained(): Promise<void>
  close(): Promise<void>
}

const BATCH = { pglite: 256, postgres: 2_048 }
/** Batches of other lanes that are under way at once, as far as there are connections: one stays for the lease. */
const AT_ONCE = 3
/** What other processes wrote, or left, is found at this pace; what this one commits is heard at once. */
const POLL_MS = { pglite: 1_000, postgres: 25 }
const RETRY_MS = 1_000
/** After a full batch PGlite's one connection is left to others for this many times as long as the batch took. */
const YIELD = 3
/** PGlite has no autovacuum. Space of this many published rows is given back when the outbox is empty, which is quick; */
const TRUNCATE_ROWS = 5_000
/** of this many in any case, which takes longer the more rows wait. */
const VACUUM_ROWS = 200_000
const TRUNCATE = `do $$ begin
  if not exists (select from bus.outbox) then truncate bus.outbox; end if;
end $$`

const COLUMNS = 'position, aggregate, aggregate_seq, id, topic, key, producer, version, trace, ts, data::text as data'

/**
 * Publishes the outbox. A relay holds lanes, which are hashes of aggregates, under a lease; it publishes a row only
 * after those before it of the same aggregate were acknowledged, then deletes it. A crash between the two publishes
 * again: consumers know an event by its id.
 */
export function startRelay(options: RelayOptions): Relay {
  return new OutboxRelay(options)
}

class OutboxRelay implements Relay {
  private readonly closing = new AbortController()
  private readonly finished: Promise<void>
  private readonly bus: Db
  private readonly unwatch: () => void
  private readonly lanes: Lanes
  private readonly kind: Db['kind']
  private readonly running = new Set<Promise<void>>()
  private deleted = 0
  /** a batch was full: several are under way at once until nothing is left */
  private behind = false
  private poked = false
  private wake = () => {}
  private readonly waiting: (() => void)[] = []

  constructor(private readonly options: RelayOptions) {
    const { db, clock, log, sole = false } = options
    this.kind = db.kind
    this.bus = db.as('bus')
    this.unwatch = db.watch('bus.outbox', () => this.poke())
    this.lanes = new Lanes({ db, clock, log, sole, changed: () => this.poke() })
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
    await this.lanes.close()
  }

  private async run(): Promise<void> {
    const { log } = this.options
    await this.lanes.started()
    while (!this.closing.signal.aborted) {
      try {
        this.poked = false
        const asked = this.waiting.length
        // what ends during the look may have left more behind
        const quiet = this.running.size === 0
        const begun = quiet && !this.behind ? await this.one() : await this.begin()
        if (quiet && !begun && !this.lanes.silent) for (const resolve of this.waiting.splice(0, asked)) resolve()
      } catch (error) {
        log.error({ err: error }, 'the outbox relay failed; it goes on')
        await this.pause(RETRY_MS)
      }
      await this.idle()
    }
    await Promise.all(this.running)
  }

  /** Publishes one batch of all lanes; what is written meanwhile goes with the next. True when there was something. */
  private async one(): Promise<boolean> {
    const free = this.lanes.free()
    if (free.length === 0) return false
    let found = 0
    await this.lanes.during(free, async () => {
      found = await this.publish(free)
    })
    this.behind = found === BATCH[this.kind]
    this.poked ||= this.behind || (found > 0 && this.waiting.length > 0)
    return found > 0
  }

  /** Begins a batch for lanes that have rows, as far as more may be under way; true when there was one to begin. */
  private async begin(): Promise<boolean> {
    const room = Math.max(1, Math.min(AT_ONCE, this.bus.connections - 1)) - this.running.size
    if (room === 0) return false
    const free = this.lanes.free()
    if (free.length === 0) return false
    const rows = await this.bus.query<{ lane: number }>(
      `select distinct lane from (
         select lane from outbox where lane = any($1::smallint[]) order by position limit ${BATCH[this.kind]}) r`,
      [free],
    )
    const ready = rows.map(({ lane }) => lane)
    this.behind = ready.length > 0
    for (let n = 0; n < Math.min(room, ready.length); n++) this.start(ready.filter((_, i) => i % room === n))
    return ready.length > 0
  }

  private start(lanes: readonly number[]): void {
    const act = async () => {
      await this.publish(lanes).catch(async (error) => {
        this.options.log.error({ err: error }, 'the outbox relay failed; it goes on')
        await this.pause(RETRY_MS)
      })
    }
    const task = this.lanes.during(lanes, act).finally(() => {
      this.running.delete(task)
      this.poke()
    })
    this.running.add(task)
  }

  /** Rows that it found. */
  private async publish(lanes: readonly number[]): Promise<number> {
    const { clock, bus } = this.options
    const started = clock.monotonic()
    const rows = await this.next(lanes, bus.publishOutbox ? 'position' : COLUMNS)
    if (rows.length === 0) return 0
    const done: string[] = []
    const forget = () => this.bus.query('delete from outbox where position = any($1::bigint[])', [done])
    try {
      for (const wave of bus.publishOutbox ? [rows] : waves(rows)) {
        // another relay may have them already, and publishes them from the same row on
        if (!this.lanes.hold(lanes)) break
        await this.send(wave)
        done.push(...wave.map(({ position }) => position as string))
      }
    } catch (error) {
      await forget()
      throw error
    }
    await failpoint('between-relay-and-mark')
    await forget()
    if (this.kind !== 'pglite') return rows.length
    await this.reclaim(done.length)
    if (rows.length === BATCH.pglite) await this.pause((clock.monotonic() - started) * YIELD)
    return rows.length
  }

  private async send(wave: readonly Row[]): Promise<void> {
    const { bus } = this.options
    if (bus.publishOutbox) await bus.publishOutbox(wave.map(({ position }) => position as string))
    else if (bus.publishFormed) await bus.publishFormed(wave.map(formedOf))
    else await bus.publishEnvelopes(wave.map(envelopeOf))
  }

  private next(lanes: readonly number[], columns: string): Promise<Row[]> {
    return this.bus.query(
      `select ${columns} from outbox where lane = any($1::smallint[]) order by position limit ${BATCH[this.kind]}`,
      [lanes],
    )
  }

  private async reclaim(deleted: number): Promise<void> {
    this.deleted += deleted
    if (deleted < BATCH.pglite && this.deleted >= TRUNCATE_ROWS) await this.options.db.script(TRUNCATE)
    else if (this.deleted >= VACUUM_ROWS) await this.options.db.query('vacuum bus.outbox')
    else return
    this.deleted = 0
  }

  private async idle(): Promise<void> {
    if (this.poked || this.closing.signal.aborted) return
    const poked = new Promise<void>((resolve) => {
      this.wake = resolve
    })
    const timer = new AbortController()
    await Promise.race([poked, this.options.clock.sleep(POLL_MS[this.kind], timer.signal).catch(() => {})])
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

const headOf = (row: Row): Omit<Envelope, 'data'> => ({
  id: row.id as string,
  topic: row.topic as string,
  key: row.key as string,
  ts: (row.ts as Date).toISOString(),
  producer: row.producer as string,
  version: row.version as number,
  trace: row.trace as string | null,
  seq: Number(row.aggregate_seq),
})
const envelopeOf = (row: Row): Envelope => ({ ...headOf(row), data: JSON.parse(row.data as string) })
const formedOf = (row: Row): FormedEvent => {
  const { trace, data } = row
  const topic = row.topic as string
  const key = row.key as string
  // written out: a stringified object costs twice as much, and this is most of what the relay does
  const text = `{"id":"${row.id}","topic":"${topic}","key":${JSON.stringify(key)},"ts":"${(row.ts as Date).toISOString()}","producer":"${row.producer}","version":${row.version},"trace":${JSON.stringify(trace)},"seq":${row.aggregate_seq},"data":${data}}`
  return { topic, key, text }
}
