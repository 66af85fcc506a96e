import type { Logger } from 'pino'
import type { MarketEvent } from '../../domain/market/event.ts'
import type { GroupRoot, SegmentHead } from '../../domain/proof/segment.ts'
import type { Clock } from '../clock/port.ts'
import type { Db, Row } from '../db/port.ts'

/** A sealed segment, and where it begins in its partition. */
export interface IndexedSegment {
  head: SegmentHead
  /** of the record that holds its first event */
  offset: number
  /** in force there */
  epoch: number
  bytes: number
  /** what stood before its first event; null: the index does not hold it */
  carry: MarketEvent[] | null
}

const COLUMNS = 'first, last, first_mts, last_mts, head, prev, groups, "offset", epoch, bytes, carry'
const RETRY_MS = 1_000
/** A reader that does not lead leaves writing to who does, until so many are not known to be stored. */
const UNSURE = 32
const INSERT_AT_MOST = 256

/**
 * The sealed segments of one group: rows of `bus.segment`, and those in memory that are not known to be stored yet. A
 * row is a function of the log, so readers write the same and the first one counts.
 */
export class SegmentIndex {
  private readonly db: Db
  private pending: IndexedSegment[] = []
  private storing: Promise<void> | null = null
  /** this process leads: rows are written at once */
  eager = false

  constructor(
    private readonly options: { db: Db; clock: Clock; log: Pick<Logger, 'warn'>; group: string; signal: AbortSignal },
  ) {
    this.db = options.db.as('bus')
  }

  add(segment: IndexedSegment): void {
    this.pending.push(segment)
    this.store()
  }

  /** Begins to store what is not known to be stored. */
  store(): void {
    if (this.pending.length === 0 || (!this.eager && this.pending.length < UNSURE)) return
    this.storing ??= this.storeAll().finally(() => {
      this.storing = null
    })
  }

  /** The newest segment, with what stood before it, from which a reader can rebuild the end of the log. */
  async newestCarried(): Promise<IndexedSegment | null> {
    return this.one('carry is not null order by first desc', [])
  }

  /** The newest segment that begins at or before `mseq`, else the oldest; null: there is none. */
  async at(mseq: number): Promise<IndexedSegment | null> {
    const near = this.pending.findLast(({ head }) => head.first <= mseq)
    if (near) return near
    return (
      (await this.one('first <= $2 order by first desc', [mseq])) ??
      (await this.one('true order by first', [])) ??
      this.pending[0] ??
      null
    )
  }

  /** The newest one at or before a segment whose carry is held. */
  async carriedAt(first: number): Promise<IndexedSegment | null> {
    const near = this.pending.findLast(({ head, carry }) => head.first <= first && carry !== null)
    return near ?? this.one('first <= $2 and carry is not null order by first desc', [first])
  }

  /** Heads of the segments that hold one of these events, ascending. */
  async heads(from: number, to: number): Promise<SegmentHead[]> {
    const { group } = this.options
    const rows = await this.db.query(
      `select first, last, first_mts, last_mts, head, prev, groups from segment
       where market_group = $1 and first <= $3 and last >= $2 order by first`,
      [group, from, to],
    )
    const stored = rows.map(headOf)
    const known = stored.at(-1)?.first ?? 0
    return [
      ...stored,
      ...this.pending.map(({ head }) => head).filter((h) => h.first > known && h.first <= to && h.last >= from),
    ]
  }

  /** Forgets segments that the log does not hold any longer; at least one to rebuild from stays. */
  async retain(
    low: number,
    beforeMts: number,
  ): Promise<{ bytes: number; dropped: number; forSize: number; first: number | null }> {
    const { group } = this.options
    const gone = await this.db.query<{ last_mts: string }>(
      `delete from segment where market_group = $1 and "offset" < $2
         and first < (select max(first) from segment where market_group = $1 and carry is not null) returning last_mts`,
      [group, low],
    )
    const [left] = await this.db.query<{ bytes: string; first: string | null }>(
      'select coalesce(sum(bytes), 0) as bytes, min(first) as first from segment where market_group = $1 and "offset" >= $2',
      [group, low],
    )
    return {
      bytes: Number(left!.bytes),
      dropped: gone.length,
      forSize: gone.filter(({ last_mts }) => Number(last_mts) >= beforeMts).length,
      first: left!.first === null ? null : Number(left!.first),
    }
  }

  /** All of them: they speak of another log. */
  async clear(): Promise<void> {
    await this.db.query('delete from segment where market_group = $1', [this.options.group])
  }

  async close(): Promise<void> {
    await this.storing
  }

  private async one(where: string, params: number[]): Promise<IndexedSegment | null> {
    const [row] = await this.db.query(`select ${COLUMNS} from segment where market_group = $1 and ${where} limit 1`, [
      this.options.group,
      ...params,
    ])
    return row ? segmentOf(row) : null
  }

  private async storeAll(): Promise<void> {
    const { clock, log, group, signal } = this.options
    while (this.pending.length > 0) {
      const batch = this.pending.slice(0, INSERT_AT_MOST)
      try {
        await this.insert(batch)
        this.pending.splice(0, batch.length)
      } catch (err) {
        if (signal.aborted) return
        log.warn({ err, group }, 'market log: segments could not be stored; it is tried again')
        await clock.sleep(RETRY_MS, signal).catch(() => {})
        if (signal.aborted) return
      }
    }
  }

  private async insert(batch: readonly IndexedSegment[]): Promise<void> {
    const column = <T>(of: (segment: IndexedSegment) => T) => batch.map(of)
    await this.db.query(
      `insert into segment (market_group, ${COLUMNS})
       select $1, first, last, first_mts, last_mts, head, prev, groups::json, "offset", epoch, bytes, carry::json
       from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[],
         $9::bigint[], $10::bigint[], $11::bigint[], $12::text[])
         as r(first, last, first_mts, last_mts, head, prev, groups, "offset", epoch, bytes, carry)
       on conflict do nothing`,
      [
        this.options.group,
        column(({ head }) => head.first),
        column(({ head }) => head.last),
        column(({ head }) => head.firstMts),
        column(({ head }) => head.lastMts),
        column(({ head }) => head.head),
        column(({ head }) => head.prev),
        column(({ head }) => JSON.stringify(head.groups)),
        column(({ offset }) => offset),
        column(({ epoch }) => epoch),
        column(({ bytes }) => bytes),
        column(({ carry }) => (carry === null ? null : JSON.stringify(carry))),
      ],
    )
  }
}

const headOf = (row: Row): SegmentHead => ({
  head: row.head as string,
  prev: row.prev as string,
  first: Number(row.first),
  last: Number(row.last),
  firstMts: Number(row.first_mts),
  lastMts: Number(row.last_mts),
  groups: row.groups as Record<string, GroupRoot>,
})
const segmentOf = (row: Row): IndexedSegment => ({
  head: headOf(row),
  offset: Number(row.offset),
  epoch: Number(row.epoch),
  bytes: Number(row.bytes),
  carry: row.carry as MarketEvent[] | null,
})
