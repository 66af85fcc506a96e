import type { MarketEvent } from '@assay/core/domain/market/event'
import { eventText, NO_HEAD, SEGMENT_EVENTS, type SegmentHead } from '@assay/core/domain/proof/segment'
import type { Db } from '@assay/core/ports/db/port'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import { counted, MigrateError, type Say } from './step.ts'

export interface MoveMarketLog {
  group: string
  source: MarketLog
  /** opened on demand: what it begins with is read from the target's index */
  open: () => MarketLog
  /** the target, whose index of segments the log keeps */
  target: Db
  say: Say
}
const APPEND_EVENTS = 8_192
const TOLD_EVERY = 500_000
const MINUTE_MS = 60_000

/**
 * One group's events under the same mseq, cut into the same segments. An interrupted move goes on behind what is there,
 * whose heads must be those of the source. At the end every head is compared, and every event of the open segment.
 */
export async function moveMarketLog({ group, source, open, target, say }: MoveMarketLog): Promise<void> {
  const end = await source.end(group)
  if (!end) return
  const beginning = await noteBeginning(group, source, target)
  const log = open()
  try {
    await log.fence(group, end.epoch, true)
    const there = (await log.end(group))?.mseq ?? 0
    await compare(group, source, log, Math.min(there, end.mseq))
    if (there > end.mseq) throw new MigrateError(`the market log ${group} in Kafka has events behind ${end.mseq}`)
    const from = Math.max(there + 1, beginning)
    if (there >= beginning) say('kafka', `market log ${group}: goes on behind event ${there}`)
    await copyEvents({ group, source, log, from, end: end.mseq, epoch: end.epoch, say })
    const { heads, open: rest, missing } = await compare(group, source, log, end.mseq)
    if (missing > 0)
      throw new MigrateError(`the market log ${group} in Kafka lacks ${counted(missing, 'segment head')}`)
    const newest = heads.at(-1)?.head.slice(0, 16) ?? 'none'
    say(
      'kafka',
      `market log ${group}: events ${beginning} to ${end.mseq}, ${counted(heads.length, 'segment head')} (newest ${newest}) and ${counted(rest, 'event')} of the open segment: same`,
    )
  } finally {
    await log.close()
  }
  if (beginning > 1) await forgetBeginning(group, target, beginning)
}

/**
 * Where the folder's log does not begin with event 1 any longer, the index names what stood before its first event, as
 * a row of a segment that Kafka never held: a reader of the new log begins with its head and its carry.
 */
async function noteBeginning(group: string, source: MarketLog, target: Db): Promise<number> {
  const { from, prev, events: carry } = await source.carry(group, 0)
  if (from === 1) return from
  const mts = carry.at(-1)?.mts ?? 0
  await target.as('bus').query(
    `insert into segment (market_group, first, last, first_mts, last_mts, head, prev, groups, "offset", epoch, bytes, carry)
     values ($1, $2, $2, $3, $3, $4, $5, '{}', -1, 0, 0, $6::json) on conflict do nothing`,
    [group, from - 1, mts, prev, NO_HEAD, JSON.stringify(carry)],
  )
  return from
}
/** Once a segment of the log itself can be begun with, that row says nothing any more. */
async function forgetBeginning(group: string, target: Db, beginning: number): Promise<void> {
  await target.as('bus').query(
    `delete from segment where market_group = $1 and "offset" = -1
       and exists (select from segment where market_group = $1 and first >= $2 and carry is not null)`,
    [group, beginning],
  )
}

interface Copy {
  group: string
  source: MarketLog
  log: MarketLog
  from: number
  end: number
  epoch: number
  say: Say
}
async function copyEvents({ group, source, log, from, end, epoch, say }: Copy): Promise<void> {
  const sealed = await source.segments(group, Math.max(1, from - 1), end)
  // the one before may have been ended by hand without the last word being written
  const before = sealed[0]
  if (before && before.last < from) {
    if ((await log.segments(group, before.last, before.last)).length === 0) await log.seal(group)
    sealed.shift()
  }
  let waiting: MarketEvent[] = []
  let told = from
  const append = async () => {
    await log.append(group, epoch, waiting)
    waiting = []
  }
  for await (const event of eventsOf(source, group, from, end)) {
    const ended = sealed[0]
    if (ended && event.mseq > ended.last) {
      sealed.shift()
      if (!endsByContent(ended, event)) {
        await append()
        await log.seal(group)
      }
    }
    waiting.push(event)
    if (waiting.length >= APPEND_EVENTS) await append()
    if (event.mseq < told + TOLD_EVERY) continue
    told = event.mseq
    say('kafka', `market log ${group}: event ${told} of ${end}`)
  }
  await append()
  const last = sealed.at(-1)
  if (last?.last === end && (await log.segments(group, end, end)).length === 0) await log.seal(group)
}

/** Full, or the next event is of a later minute: every reader cuts there by itself. */
function endsByContent({ firstMts, groups }: SegmentHead, next: MarketEvent): boolean {
  const count = Object.values(groups).reduce((sum, group) => sum + group.count, 0)
  return count === SEGMENT_EVENTS || Math.floor(next.mts / MINUTE_MS) !== Math.floor(firstMts / MINUTE_MS)
}

async function* eventsOf(log: MarketLog, group: string, from: number, end: number): AsyncGenerator<MarketEvent> {
  if (from > end) return
  const done = new AbortController()
  try {
    for await (const batch of log.read(group, from, done.signal)) {
      for (const event of batch) {
        if (event.mseq > end) return
        yield event
        if (event.mseq === end) return
      }
    }
  } finally {
    done.abort()
  }
}

/** Up to `to`: the heads of whole segments, and the events behind the last of them. */
async function compare(group: string, source: MarketLog, log: MarketLog, to: number) {
  const whole = async (one: MarketLog) =>
    (await one.segments(group, 1, to)).filter(({ last, groups }) => last <= to && Object.keys(groups).length > 0)
  const [heads, others] = [await whole(source), await whole(log)]
  const wrong = others.findIndex(({ head }, i) => head !== heads[i]?.head)
  if (wrong >= 0)
    throw new MigrateError(`the market log ${group} in Kafka holds another segment at ${others[wrong]!.first}`)
  const from = (others.at(-1)?.last ?? 0) + 1
  const behind = eventsOf(log, group, from, to)
  let open = 0
  for await (const event of eventsOf(source, group, from, to)) {
    const { value } = await behind.next()
    if (!value || eventText(value) !== eventText(event))
      throw new MigrateError(`the market log ${group} in Kafka differs at event ${event.mseq}`)
    open++
  }
  await behind.return(undefined)
  return { heads: others, open, missing: heads.length - others.length }
}
