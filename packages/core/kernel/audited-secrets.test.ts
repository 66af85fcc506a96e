import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AuditEntry } from '../contracts/audit.ts'
import { openSecretsFile } from '../ports/secrets/file.ts'
import { ManualClock } from '../testing/clock.ts'
import { type TestDatabase, testDatabase } from '../testing/database.ts'
import { auditSecrets } from './audited-secrets.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const PATH = 'secret/data/jwt'
const told = async () => {
  const rows = await database.db.query<{ data: AuditEntry }>(
    `select data from bus.outbox where topic = 'audit.recorded' order by position`,
  )
  return rows.map(({ data: { action, actor, detail } }) => `${action} ${actor} ${detail.path} ${detail.key}`)
}

test('each write of a secret and the first read on a day are told, with path and key and never the value', async () => {
  const clock = new ManualClock()
  const audit = auditSecrets({ db: database.db.as('bus'), clock })
  const plain = await openSecretsFile({ home: database.home, log: { warn() {} } })
  const [gateway, trading] = [audit.of('gateway', plain), audit.of('trading', plain)]
  await gateway.setSecret(PATH, 'k', 'hidden value')
  for (let i = 0; i < 3; i++) expect(await gateway.getSecret(PATH, 'k')).toBe('hidden value')
  await trading.getSecret(PATH, 'k')
  await trading.getSecret(PATH, 'nothing')
  const sealed = await gateway.encrypt('gateway.x', new Uint8Array([1]), 'c')
  expect(await gateway.decrypt('gateway.x', sealed, 'c')).toEqual(new Uint8Array([1]))
  await gateway.deleteSecret(PATH, 'k')
  await audit.flush()
  await audit.flush()
  const first = [`secret.written gateway ${PATH} k`, `secret.read gateway ${PATH} k`, `secret.read trading ${PATH} k`]
  expect(await told()).toEqual([...first, `secret.written gateway ${PATH} k`])
  await gateway.setSecret(PATH, 'k', 'hidden value')
  await clock.advance(86_400_000)
  await gateway.getSecret(PATH, 'k')
  await audit.flush()
  expect((await told()).slice(4)).toEqual([`secret.written gateway ${PATH} k`, `secret.read gateway ${PATH} k`])
  const everything = await database.db.query(`select data::text from bus.outbox`)
  expect(JSON.stringify(everything)).not.toContain('hidden value')
})

test('what could not be told is told later', async () => {
  const clock = new ManualClock()
  let isAway = true
  const db = {
    tx: (fn: never) => (isAway ? Promise.reject(new Error('away')) : database.db.as('bus').tx(fn)),
  } as unknown as TestDatabase['db']
  const audit = auditSecrets({ db, clock })
  const secrets = audit.of('gateway', await openSecretsFile({ home: database.home, log: { warn() {} } }))
  await secrets.setSecret(PATH, 'late', 'x')
  expect(await audit.flush().then(() => 'told', String)).toBe('Error: away')
  isAway = false
  await audit.flush()
  expect((await told()).at(-1)).toBe(`secret.written gateway ${PATH} late`)
})
