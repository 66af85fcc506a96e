import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MovedError, markMoved, readMoved, refuseMoved, unmarkMoved } from './moved.ts'

const home = mkdtempSync(join(tmpdir(), 'assay-moved-'))
afterAll(() => rmSync(home, { recursive: true }))
const refusal = (platform: Parameters<typeof refuseMoved>[1]): string | null => {
  try {
    refuseMoved(home, platform)
    return null
  } catch (error) {
    if (!(error instanceof MovedError)) throw error
    return error.message
  }
}

test('a folder that was moved is refused, by where each part went, until every variable names a server or the mark is gone', async () => {
  expect(refusal({})).toBeNull()
  const to = { database: 'db.internal:5432/assay', kafka: 'kafka-1:9092' }
  await markMoved(home, { id: 'm1', at: '2026-11-21T12:00:00.000Z', to })
  expect(readMoved(home)?.to).toEqual(to)
  const all = refusal({ KAFKA_BROKERS: [] })
  for (const said of ['db.internal:5432/assay', 'kafka-1:9092', 'DATABASE_URL, KAFKA_BROKERS', 'moved.json'])
    expect(all).toContain(said)
  expect(refusal({ DATABASE_URL: 'postgresql://x', KAFKA_BROKERS: [] })).not.toContain('DATABASE_URL')
  expect(refusal({ DATABASE_URL: 'postgresql://x', KAFKA_BROKERS: ['kafka-1:9092'] })).toBeNull()
  unmarkMoved(home)
  expect(refusal({})).toBeNull()
})
