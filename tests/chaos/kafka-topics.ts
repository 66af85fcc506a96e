/** Kafka read from outside, record by record, past proxies and adapters. */
import { Kafka, logLevel } from 'kafkajs'
import type { Finding } from '../../scripts/audit/finding.ts'
import { type LoggedEvent, type ReadLog, sourcesOfFills } from './audit-log.ts'
import type { Rows } from './effect.ts'

interface Held {
  topic: string
  key: string
  text: string
}
/** All that the topics hold now, in the order of each partition. */
export async function readTopics(brokers: string, isWanted: (topic: string) => boolean): Promise<Held[]> {
  const kafka = new Kafka({ brokers: [brokers], clientId: 'outside', logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const topics = (await admin.listTopics()).filter(isWanted)
  const left = new Map<string, number>()
  for (const topic of topics)
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
      if (Number(high) > Number(low)) left.set(`${topic}/${partition}`, Number(high))
  await admin.disconnect()
  const held: Held[] = []
  if (left.size === 0) return held
  const consumer = kafka.consumer({ groupId: `outside-${crypto.randomUUID()}` })
  const all = Promise.withResolvers<void>()
  await consumer.connect()
  await consumer.subscribe({ topics, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch: { topic, partition, messages } }) => {
      const place = `${topic}/${partition}`
      const end = left.get(place)
      if (end === undefined) return
      for (const { key, value, offset } of messages)
        if (Number(offset) < end) held.push({ topic, key: key?.toString() ?? '', text: value?.toString() ?? '' })
      if (Number(messages.at(-1)?.offset ?? -1) >= end - 1) left.delete(place)
      if (left.size === 0) all.resolve()
    },
  })
  await all.promise
  await consumer.disconnect()
  return held
}

export const EVENTS_TABLE = 'pg_temp.published'
const BATCH = 2_000
/** What was published, where the audit can ask for it: a table of this session. */
export async function loadEvents(ask: Rows, held: readonly Held[]): Promise<void> {
  await ask(
    'create temp table published (n bigint, topic text, key text, seq bigint, id uuid, data text, partition int default 0)',
  )
  for (let from = 0; from < held.length; from += BATCH) {
    const rows = held.slice(from, from + BATCH).map(({ topic, key, text }, i) => {
      const { seq, id, data } = JSON.parse(text) as { seq?: number; id: string; data: unknown }
      return { n: from + i, topic, key, seq: seq ?? null, id, data: JSON.stringify(data) }
    })
    await ask(
      `insert into published (n, topic, key, seq, id, data)
       select n, topic, key, seq, id, data from jsonb_to_recordset($1::jsonb)
         as r(n bigint, topic text, key text, seq bigint, id uuid, data text)`,
      [JSON.stringify(rows)],
    )
  }
}

/** Market records whose epoch is that of the last fence before them; a leader may write its last ones again. */
export function readSequenced(held: readonly Held[]): ReadLog {
  const findings: Finding[] = []
  const events = new Map<number, LoggedEvent>()
  let [epoch, last, mts] = [0, 0, 0]
  for (const { text } of held) {
    const [head, ...lines] = text.split('\n')
    const record = JSON.parse(head!) as { kind: string; epoch: number }
    if (record.kind === 'fence') epoch = Math.max(epoch, record.epoch)
    if (record.kind !== 'events' || record.epoch !== epoch) continue
    for (const line of lines) {
      const event = JSON.parse(line) as LoggedEvent
      const place = String(event.mseq)
      if (event.mseq <= last) {
        if (JSON.stringify(events.get(event.mseq)) !== JSON.stringify(event))
          findings.push({ rule: 'a market event that stands twice is the same', place, said: line })
        continue
      }
      if (last > 0 && event.mseq !== last + 1)
        findings.push({ rule: 'the market log has no gap', place, said: `after ${last}` })
      if (event.mts < mts) findings.push({ rule: 'market time never falls', place, said: `${event.mts} after ${mts}` })
      last = event.mseq
      mts = event.mts
      events.set(event.mseq, event)
    }
  }
  return { events, last, findings }
}

export const auditSequenced = (ask: Rows, held: readonly Held[]): Promise<Finding[]> =>
  sourcesOfFills(ask, readSequenced(held))
