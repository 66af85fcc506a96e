import type { Clock } from '../clock/port.ts'
import type { Db, Statement } from '../db/port.ts'
import { DriverSilentError, type Lockstep, type Participant } from './lockstep.ts'
import { OWNER_LAG, SILENCE_MS } from './lockstep-memory.ts'

/** While somebody waits the rows are read this often, ms: more often while they move. */
const POLL_MS = { moving: 2, still: 50 }
/** Reads without a change after which the rows are read less often. */
const STILL_AFTER = 100
const RETRY_MS = 100

export interface DbLockstepOptions {
  db: Pick<Db, 'batch' | 'query'>
  clock: Clock
  log: { warn(fields: object, message: string): void }
  silenceMs?: number
}
/** What the rows say. */
interface Standing {
  /** the least that an owner has applied, that a driver has done; +Infinity without one */
  applied: number
  done: number
  driven: boolean
}
interface Row extends Record<string, unknown> {
  applied: string | null
  done: string | null
  driven: boolean
}

/**
 * Lockstep of a group whose participants are in several processes: a row for each slot and driver. Reports travel one
 * statement at a time, the newest of each participant; who waits reads the rows until they allow it.
 */
export function createDbLockstep(
  group: string,
  { db, clock, log, silenceMs = SILENCE_MS }: DbLockstepOptions,
): Lockstep {
  const writer = createWriter(db, clock, log)
  let standing: Standing = { applied: 0, done: 0, driven: false }

  async function read(): Promise<Standing> {
    const [row] = await db.query<Row>(
      `select min(done) filter (where kind = 'owner') as applied, count(*) filter (where kind = 'driver') > 0 as driven,
         min(done) filter (where kind = 'driver' and holder is not null) as done from bus.lockstep where market_group = $1`,
      [group],
    )
    standing = {
      applied: numberOr(row!.applied, Number.POSITIVE_INFINITY),
      done: numberOr(row!.done, Number.POSITIVE_INFINITY),
      driven: row!.driven,
    }
    return standing
  }
  const ceilingOf = ({ applied, done }: Standing): number =>
    Math.max(Math.min(done, applied) + 1, Math.min(done, applied + 1 + OWNER_LAG))

  async function until(
    ready: (standing: Standing) => boolean,
    signal: AbortSignal | undefined,
    guard?: () => Promise<void>,
  ): Promise<void> {
    let before = ''
    let guardedAt = clock.monotonic()
    for (let still = 0; ; still++) {
      signal?.throwIfAborted()
      const now = await read().catch((err) => {
        log.warn({ err, group }, 'lockstep: the database could not be asked')
        return null
      })
      if (now && ready(now)) return
      const said = JSON.stringify(now)
      if (said !== before) still = 0
      before = said
      if (guard && clock.monotonic() - guardedAt > silenceMs / 4) {
        guardedAt = clock.monotonic()
        await guard()
      }
      const pause = !now ? RETRY_MS : still < STILL_AFTER ? POLL_MS.moving : POLL_MS.still
      await clock.sleep(pause, signal)
    }
  }
  /** Rejects when a driver that holds `mseq` back has said nothing for too long, counted from when it was waited for. */
  async function silence(mseq: number, since: number): Promise<void> {
    const waitedMs = clock.monotonic() - since
    const [silent] = await db.query<{ part: string }>(
      `select part from bus.lockstep where market_group = $1 and kind = 'driver' and holder is not null and done < $2
         and reported_at < now() - $3 * interval '1 millisecond' limit 1`,
      [group, mseq - 1, silenceMs],
    )
    if (silent && waitedMs >= silenceMs)
      throw new DriverSilentError(
        `driver ${silent.part} of group ${group} has not finished event ${mseq - 1} in ${silenceMs} ms`,
      )
  }

  return {
    group,
    ceiling: () => ceilingOf(standing),
    join: (kind, id) => (kind === 'owner' ? joinOwner(group, id, writer) : joinDriver(group, id, writer)),
    driven: (signal) => until((now) => now.driven, signal),
    applied: (mseq, signal) => until((now) => now.applied >= mseq, signal),
    async released(mseq, signal) {
      if (ceilingOf(standing) >= mseq) return
      const since = clock.monotonic()
      await until(
        (now) => ceilingOf(now) >= mseq,
        signal,
        () => silence(mseq, since),
      )
    },
  }
}
const numberOr = (text: string | null, otherwise: number): number => (text === null ? otherwise : Number(text))

interface Writer {
  /** the newest under its key is what is written */
  report(key: string, statement: Statement): void
  /** resolves when it is written, after everything that was given before */
  write(statement: Statement): Promise<void>
}
/** One statement at a time, in order; again until the database has taken it. Nothing here need survive the server. */
function createWriter(db: Pick<Db, 'batch'>, clock: Clock, log: DbLockstepOptions['log']): Writer {
  const waiting = new Map<string, { statement: Statement; done: (() => void)[] }>()
  let running = false
  let writes = 0
  async function run(): Promise<void> {
    running = true
    while (waiting.size > 0) {
      const batch = [...waiting.values()]
      waiting.clear()
      const relaxed = { sql: `set local synchronous_commit to off` }
      for (;;) {
        try {
          await db.batch([relaxed, ...batch.map(({ statement }) => statement)])
          break
        } catch (err) {
          log.warn({ err }, 'lockstep: a report could not be written yet')
          await clock.sleep(RETRY_MS)
        }
      }
      for (const { done } of batch) for (const told of done) told()
    }
    running = false
  }
  const start = (): void => void (running || run())
  return {
    report(key, statement) {
      // in its place in the order: what was written under this key before stands first
      waiting.delete(key)
      waiting.set(key, { statement, done: [] })
      start()
    },
    write(statement) {
      return new Promise((resolve) => {
        waiting.set(`write ${++writes}`, { statement, done: [resolve] })
        start()
      })
    },
  }
}

function joinOwner(group: string, id: string, writer: Writer): Participant {
  return {
    report(mseq) {
      writer.report(`report ${id}`, {
        sql: `update bus.lockstep set done = $3, reported_at = now()
              where market_group = $1 and kind = 'owner' and holder = $2 and done < $3`,
        params: [group, id, mseq],
      })
    },
    // what the one before had applied says nothing of where this one stands
    takes: (slots) =>
      writer.write({
        sql: `insert into bus.lockstep as l (market_group, kind, part, holder) select $1, 'owner', slot::text, $2 from unnest($3::integer[]) as slot
              on conflict (market_group, kind, part) do update
                set holder = excluded.holder, done = case when l.holder = excluded.holder then l.done else 0 end`,
        params: [group, id, [...slots]],
      }),
    gives: (slots) => writer.write(leaveSlots(group, id, slots)),
    leave() {
      void writer.write({
        sql: `update bus.lockstep set holder = null where market_group = $1 and kind = 'owner' and holder = $2`,
        params: [group, id],
      })
    },
  }
}
const leaveSlots = (group: string, id: string, slots: readonly number[]): Statement => ({
  sql: `update bus.lockstep set holder = null where market_group = $1 and kind = 'owner' and holder = $2 and part = any($3::text[])`,
  params: [group, id, slots.map(String)],
})

/** A driver that has left holds nothing back, and is still one that the run had. */
function joinDriver(group: string, id: string, writer: Writer): Participant {
  void writer.write({
    sql: `insert into bus.lockstep (market_group, kind, part, holder) values ($1, 'driver', $2, $2)
          on conflict (market_group, kind, part) do update set holder = excluded.holder, done = 0, reported_at = now()`,
    params: [group, id],
  })
  return {
    report(mseq) {
      writer.report(`report ${id}`, {
        sql: `update bus.lockstep set done = $3, reported_at = now() where market_group = $1 and kind = 'driver' and part = $2 and done < $3`,
        params: [group, id, mseq],
      })
    },
    async takes() {},
    async gives() {},
    leave() {
      void writer.write({
        sql: `update bus.lockstep set holder = null where market_group = $1 and kind = 'driver' and part = $2`,
        params: [group, id],
      })
    },
  }
}
