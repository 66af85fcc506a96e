/** Which leaves of the log a proof must show: found by running the assessment over the log, as the verifier will. */
import type { Compiled } from '../engine/compile.ts'
import type { JournalRecord } from '../engine/types.ts'
import { leafGroup, type MarketEvent } from '../market/event.ts'
import { decidingSymbols } from './documents.ts'
import { type Decided, Retelling, type Segments, toldIn } from './retell.ts'
import { type Newest, NewestOf, type SegmentHead } from './segment.ts'

/** One market group's log, as a builder reads it. */
export interface LogSource {
  /** sealed segments whose range touches [from, to], ascending */
  segments(from: number, to: number): Promise<SegmentHead[]>
  /** the newest quote, levels and state of each symbol before `from`, the first mseq of the segment that holds `mseq` */
  carry(mseq: number): Promise<{ from: number; events: readonly MarketEvent[]; prev: string }>
  /** events from..to inclusive, in order; all of them are in sealed segments */
  read(from: number, to: number): AsyncIterable<readonly MarketEvent[]>
}

/** All leaves of a stream in (after, through], and those on both sides of the range that show its ends. */
export interface Range {
  after: number
  through: number
}
export interface Wanted {
  /** end of the last segment that the proof speaks of */
  end: number
  single: Set<number>
  ranges: Map<string, Range[]>
  /** a symbol that an order named has no leaf at all: only the log's first segment shows that */
  fromStart: boolean
}

/** An assessment and its journal. */
export interface Assessed {
  compiled: Compiled
  assessment: string
  records: readonly JournalRecord[]
}
export const orderedSymbols = (records: readonly JournalRecord[]): string[] =>
  records.flatMap((r) => (r.kind === 'command' && r.command.op === 'order' ? [r.command.symbol] : []))

export const segmentsOf = (heads: readonly SegmentHead[], prev: string | null): Segments => {
  /** first head with last >= mseq */
  const at = (mseq: number): number => {
    let low = 0
    let high = heads.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (heads[middle]!.last < mseq) low = middle + 1
      else high = middle
    }
    return low
  }
  return {
    before: (mseq) => heads[at(mseq) - 1]?.head ?? prev,
    holding: (mseq) => {
      const found = heads[at(mseq)]
      return found && found.first <= mseq ? { head: found.head, last: found.last } : null
    },
  }
}

const ENDED = new Set(['passed', 'failed', 'expired', 'abandoned'])

/** Runs the assessment over the log and notes what it looked at. */
export async function collect(
  told: Assessed,
  log: LogSource,
  heads: readonly SegmentHead[],
  segments: Segments,
): Promise<Wanted> {
  const { compiled, assessment, records } = told
  const header = records[0]
  if (header?.kind !== 'header') throw new RangeError('a journal starts with its header')
  const symbols = decidingSymbols(compiled, orderedSymbols(records))
  const streams = [...symbols, 'group']
  const newest = new NewestOf()
  const lastLeaf = new Map<string, number>()
  const pointers = new Map<string, Newest>()
  const wanted: Wanted = { end: 0, single: new Set(), ranges: new Map(streams.map((s) => [s, []])), fromStart: false }
  const unseen = new Set<string>()
  const retelling = new Retelling(compiled, assessment, header.docs, toldIn(records), segments)
  const { view } = retelling
  let spanStart: number | null = null

  const note = (event: MarketEvent): void => {
    newest.apply(event)
    const stream = leafGroup(event)
    lastLeaf.set(stream, event.mseq)
    if ('symbol' in event) pointers.set(stream, newest.of(event.symbol))
  }
  const lookAt = (): void => {
    let since = view.mseq
    for (const symbol of symbols) {
      const last = lastLeaf.get(symbol)
      const at = pointers.get(symbol)
      if (last === undefined || !at) {
        unseen.add(symbol)
        continue
      }
      for (const mseq of at) if (mseq > 0) wanted.single.add(mseq)
      const known = Math.max(at[0], at[2])
      if (known > 0) since = Math.min(since, known)
      wanted.ranges.get(symbol)!.push({ after: last - 1, through: view.mseq })
    }
    wanted.ranges.get('group')!.push({ after: since, through: view.mseq })
  }
  const heed = (decided: Decided | null): void => {
    if (!decided) return
    for (const record of decided.records) {
      if (record.mseq > 0) wanted.single.add(record.mseq)
      if (decided.cause === 'deadline') wanted.single.add(record.mseq + 1)
    }
    if (
      decided.cause === 'command' &&
      !decided.exposed &&
      decided.input.kind === 'command' &&
      decided.input.command.op === 'order'
    )
      lookAt()
  }
  const follow = (): void => {
    if (retelling.exposed) spanStart ??= view.mseq
    else if (spanStart !== null) {
      for (const list of wanted.ranges.values()) list.push({ after: spanStart, through: view.mseq })
      spanStart = null
    }
  }
  const hearAll = (): void => {
    while (retelling.due) {
      heed(retelling.hear())
      follow()
    }
  }

  const before = await startOf(symbols, header.mseq, log)
  for (const event of before.events) {
    view.carry([event])
    note(event)
  }
  const limit = heads.at(-1)?.last ?? 0
  const lastRecord = records.at(-1)!.mseq
  let stopAt = limit
  hearAll()
  reading: for await (const batch of log.read(before.from, limit)) {
    for (const event of batch) {
      if (event.mseq > stopAt) break reading
      heed(retelling.pass(event))
      follow()
      heed(retelling.apply(event))
      note(event)
      const stream = leafGroup(event)
      if (unseen.delete(stream)) wanted.single.add(event.mseq)
      follow()
      hearAll()
      const done =
        event.mseq >= lastRecord && stopAt === limit && spanStart === null && retelling.state.unsealed.length === 0
      if (done && ENDED.has(retelling.state.status)) stopAt = segments.holding(lastRecord)?.last ?? limit
    }
  }
  if (spanStart !== null) for (const list of wanted.ranges.values()) list.push({ after: spanStart, through: stopAt })
  wanted.end = stopAt
  wanted.fromStart = unseen.size > 0
  return wanted
}

/** Where to start reading, and what stood before: also the newest event of any kind of each deciding symbol. */
async function startOf(
  symbols: readonly string[],
  mseq: number,
  log: LogSource,
): Promise<{ from: number; events: MarketEvent[] }> {
  const carry = await log.carry(Math.max(mseq, 1))
  const events = new Map(carry.events.map((e) => [e.mseq, e]))
  const searched = new Set(symbols)
  for (let to = carry.from - 1, width = 100_000; to > 0 && searched.size > 0; width *= 4) {
    const heads = await log.segments(Math.max(1, to - width), to)
    if (heads.length === 0) break
    for (const head of heads.reverse()) {
      const found = [...searched].filter((symbol) => head.groups[symbol])
      if (found.length === 0) continue
      for (const symbol of found) searched.delete(symbol)
      const last = new Map<string, MarketEvent>()
      for await (const batch of log.read(head.first, head.last)) {
        for (const event of batch) if ('symbol' in event && found.includes(event.symbol)) last.set(event.symbol, event)
      }
      for (const event of last.values()) events.set(event.mseq, event)
    }
    to = heads.at(-1)!.first - 1
  }
  return { from: carry.from, events: [...events.values()].sort((a, b) => a.mseq - b.mseq) }
}
