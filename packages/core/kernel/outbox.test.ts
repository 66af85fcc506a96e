import { expect, test } from 'bun:test'
import { z } from 'zod'
import { defineTopic } from '../contracts/topics/topic.ts'
import { enqueue } from './outbox.ts'

const told = defineTopic({
  name: 'test.told',
  schema: z.object({ text: z.string() }),
  producer: 'test',
  summary: '',
  key: 'text',
  retentionDays: 1,
})

test('an event that no broker would take is refused before it is written, by its bytes', async () => {
  const rows: unknown[] = []
  const sql = { query: async (_: string, values: unknown[]) => void rows.push(values) } as never
  const add = (text: string) =>
    enqueue(sql, told, { aggregate: 'a', seq: 1, key: 'k', data: { text } }).then(
      () => 'written',
      (error) => error.code,
    )
  const most = 1024 * 1024 - 4 * 1024 - '{"text":""}'.length
  expect([await add('x'.repeat(most)), await add('x'.repeat(most + 1))]).toEqual(['written', 'payload_too_large'])
  expect([await add('ü'.repeat(most / 2)), await add('ü'.repeat(most / 2 + 1))]).toEqual([
    'written',
    'payload_too_large',
  ])
  expect(rows).toHaveLength(2)
})
