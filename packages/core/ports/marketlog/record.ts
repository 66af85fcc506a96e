/**
 * A record of the log in Kafka is lines of JSON: what it is, then events in canonical JSON, one a line. Those of an
 * append go into as few records as their size allows.
 */
import type { MarketEvent } from '../../domain/market/event.ts'
import { eventText } from '../../domain/proof/segment.ts'

export type LogRecord =
  | { kind: 'fence'; epoch: number; repeats: boolean }
  | { kind: 'events'; epoch: number; texts: string[] }
  /** the open segment ends here, if `last` is still its newest event */
  | { kind: 'seal'; epoch: number; last: number }
  /** a store has decided on events up to `mseq` */
  | { kind: 'raise'; mseq: number }

const MOST_EVENTS = 512
const MOST_CHARS = 256 * 1024

export const fenceRecord = (epoch: number, repeats: boolean): string =>
  JSON.stringify({ kind: 'fence', epoch, repeats })
export const sealRecord = (epoch: number, last: number): string => JSON.stringify({ kind: 'seal', epoch, last })
export const raiseRecord = (mseq: number): string => JSON.stringify({ kind: 'raise', mseq })

export function eventRecords(epoch: number, events: readonly MarketEvent[]): string[] {
  const head = JSON.stringify({ kind: 'events', epoch })
  const records: string[] = []
  let record = head
  let count = 0
  for (const event of events) {
    const text = eventText(event)
    if (count === MOST_EVENTS || (count > 0 && record.length + text.length > MOST_CHARS)) {
      records.push(record)
      record = head
      count = 0
    }
    record += `\n${text}`
    count++
  }
  if (count > 0) records.push(record)
  return records
}

/** Throws SyntaxError where the text is no record. */
export function parseRecord(text: string): LogRecord {
  const end = text.indexOf('\n')
  const head = JSON.parse(end < 0 ? text : text.slice(0, end))
  return head.kind === 'events' ? { ...head, texts: text.slice(end + 1).split('\n') } : head
}
