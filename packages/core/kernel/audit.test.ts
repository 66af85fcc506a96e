import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AuditEntry } from '../contracts/audit.ts'
import { type TestDatabase, testDatabase } from '../testing/database.ts'
import { recordAudit } from './audit.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const entry = (detail: AuditEntry['detail']): AuditEntry => ({ action: 'login', actor: 'u', tenant: 'default', detail })
const told = () =>
  database.db.query<{ id: string; producer: string; data: AuditEntry }>(
    `select id, producer, data from bus.outbox where topic = 'audit.recorded' order by position`,
  )

test('every service may tell the audit log, in its own transaction, and what rolls back is not told', async () => {
  for (const role of ['gateway', 'market_data', 'trading'])
    await database.db.as(role).tx((sql) => recordAudit(sql, entry({ role })))
  const failed = database.db.as('trading').tx(async (sql) => {
    await recordAudit(sql, entry({ role: 'nobody' }))
    throw new Error('rolled back')
  })
  expect(
    await failed.then(
      () => 'done',
      (error) => error.message,
    ),
  ).toBe('rolled back')
  expect((await told()).map(({ data }) => data.detail.role)).toEqual(['gateway', 'market_data', 'trading'])
})

test('texts from outside are cut and well-formed, and what has no canonical form is refused where it is told', async () => {
  const odd = entry({ name: `\ud800${'x'.repeat(2_000)}`, nested: [{ nul: 'a\u0000b' }] })
  await database.db.as('gateway').tx((sql) => recordAudit(sql, odd))
  const detail = (await told()).at(-1)!.data.detail as { name: string; nested: unknown }
  expect(detail.name.isWellFormed()).toBe(true)
  expect(detail.name).toHaveLength(500)
  expect(detail.nested).toEqual([{ nul: 'a\u0000b' }])
  const fraction = database.db.as('gateway').tx((sql) => recordAudit(sql, entry({ amount: 0.1 })))
  expect(
    await fraction.then(
      () => null,
      (error) => error,
    ),
  ).toBeInstanceOf(TypeError)
})
