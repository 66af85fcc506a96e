import { deadLetterOf, TOPICS } from '@assay/core/contracts/topics/catalog'
import { z } from 'zod'

const DAY_MS = 86_400_000

/** docs/topics.md from the catalog. */
export function topicsPage(): string {
  const rows = TOPICS.map(
    ({ name, producer, key, partitions, retentionMs, durable, summary }) =>
      `| \`${name}\` | ${producer} | ${key} | ${partitions} | ${retentionMs / DAY_MS} d | ${durable ? 'outbox' : 'market log'} | ${summary} |`,
  )
  const fields = TOPICS.map(({ name, schema }) => `- \`${name}\`: ${fieldsOf(schema)}`)
  return [
    '# Topics',
    '',
    'Made by `./assay generate` from `packages/core/contracts/topics`. An event is an envelope',
    '`{id, topic, key, ts, producer, version, trace, seq, data}`; `data` is checked against the schema on both sides.',
    `A group that cannot handle an event puts it on \`${deadLetterOf(TOPICS[0]!).name.replace(TOPICS[0]!.name, '<topic>')}\`.`,
    '',
    '| topic | producer | key | partitions | kept | from | tells |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
    '## Payloads',
    '',
    ...fields,
    '',
  ].join('\n')
}

interface JsonSchema {
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
}

/** Top-level fields with their types; `?` may be absent. */
function fieldsOf(schema: z.ZodType): string {
  const json = z.toJSONSchema(schema, { unrepresentable: 'any' }) as JsonSchema
  const variants = json.oneOf ?? json.anyOf ?? [json]
  return variants
    .map(({ properties = {}, required = [] }) =>
      Object.entries(properties)
        .map(([name, field]) => `${name}${required.includes(name) ? '' : '?'} ${typeOf(field)}`)
        .join(', '),
    )
    .join(' **or** ')
}

function typeOf({ type, enum: values, const: only, items, anyOf, oneOf }: JsonSchema): string {
  if (only !== undefined) return JSON.stringify(only)
  if (values) return values.map((value) => JSON.stringify(value)).join('/')
  if (items) return `[${typeOf(items)}]`
  const variants = anyOf ?? oneOf
  return variants ? [...new Set(variants.map(typeOf))].join('/') : [type ?? 'any'].flat().join('/')
}
