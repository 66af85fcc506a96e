import { TOPICS } from './catalog.ts'
import { DAY_MS, type Topic } from './topic.ts'

const HEAD = `# Topics

Generated from \`packages/core/contracts/topics\` by \`./assay generate\`; do not edit.

Envelope: \`{id (uuidv7), topic, key, ts, producer, version, trace, seq, data}\`. \`seq\` is gapless per aggregate, 0 where an event
is published straight. Delivery is at least once, in order per key. What a group fails to handle goes to
\`<topic>.dead-letter\` after 5 tries, at once when it is poison.

| effect of a consumer | guarded by |
|---|---|
| SQL | inbox row and effect in one transaction, then the offset |
| WebSocket | the client drops seq <= last |
| tick store | deduplication token topic-partition-offset |
| webhooks, mail | at least once, the event's id as their id |
| payments | the event's id as idempotency key |
| cache | set if newer |
`

const row = ({ name, producer, key, partitions, retentionMs, durable, summary }: Topic): string =>
  `| \`${name}\` | ${producer} | ${key} | ${partitions} | ${retentionMs / DAY_MS} d | ${durable ? 'yes' : 'no'} | ${summary} |`

/** docs/topics.md. */
export function renderTopics(): string {
  const table = [
    '| topic | from | key | partitions | kept | durable | what happened |',
    '|---|---|---|---|---|---|---|',
    ...TOPICS.map(row),
  ]
  return `${HEAD}\n${table.join('\n')}\n`
}
