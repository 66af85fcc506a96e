import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OrderAnswer, OrderResource } from '@assay/core/contracts/wire/order'
import { describeKafka } from '@assay/core/testing/kafka'
import { type TestPostgres, testPostgres } from '@assay/core/testing/postgres'
import { until } from '@assay/core/testing/until'
import { type Kafka, startKafka } from '../../scripts/stack/servers/kafka.ts'
import { type Api, openApi } from '../e2e/api.ts'
import { openContract } from '../e2e/contract.ts'
import { operatorToken, type Person, signUp, startAssessment } from '../e2e/people.ts'
import { type Process, scratchHome, startProcess } from '../e2e/platform.ts'

const LONG = 240_000
const START_MS = 120_000
const WAIT_MS = 60_000

describeKafka('a platform on Kafka and PostgreSQL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-kafka-'))
  const { home, remove } = scratchHome()
  const contract = openContract()
  let kafka: Kafka
  let database: TestPostgres
  let platform: Process
  let anonymous: Api
  let ann: Person
  let id: string
  const placed: string[] = []

  const start = async () => {
    platform = await startProcess(home, {
      env: { DATABASE_URL: database.url, KAFKA_BROKERS: kafka.address },
      startMs: START_MS,
    })
    anonymous = openApi(platform.url, contract)
  }
  beforeAll(async () => {
    ;[kafka, database] = await Promise.all([startKafka({ folder }), testPostgres()])
    await start()
    ann = await signUp(anonymous, 'ann', await operatorToken(anonymous))
    id = await startAssessment(ann, 'two-step-100k-usd')
  }, LONG)
  afterAll(async () => {
    await platform.stop()
    await kafka.stop()
    await database.drop()
    rmSync(folder, { recursive: true, force: true })
    remove()
  }, LONG)

  const orders = () => `/api/assessments/${id}/orders`
  const trade = async () => {
    const body = { symbol: 'BTC/USD', side: placed.length % 2 ? 'sell' : 'buy', type: 'market', quantity: '0.001' }
    const { order } = await openApi(platform.url, contract, ann.key).post<OrderAnswer>(orders(), body)
    expect(order.status).toBe('filled')
    placed.push(order.id)
  }
  const health = () => anonymous.get<{ status: string; degraded: string[] }>('/health')
  const published = () =>
    until(
      'the outbox is empty',
      async () => (await database.admin('select count(*)::int as n from bus.outbox'))[0].n === 0,
      WAIT_MS,
    )

  test(
    'is ready, fills orders, publishes its events',
    async () => {
      expect(await anonymous.get<object>('/ready')).toMatchObject({ ready: true })
      expect(await health()).toMatchObject({
        stores: { db: { kind: 'postgres' }, bus: { kind: 'kafka' } },
        degraded: [],
      })
      for (let n = 0; n < 10; n++) await trade()
      await published()
    },
    LONG,
  )

  test(
    'says that its broker is away, and goes on by itself once it is back',
    async () => {
      await kafka.signal('SIGKILL')
      await until('it says so', async () => (await health()).degraded.some((one) => one.includes('kafka')), WAIT_MS)
      await kafka.restart()
      await until('it is well', async () => (await health()).degraded.length === 0, WAIT_MS)
      for (let n = 0; n < 10; n++) await trade()
      await published()
    },
    LONG,
  )

  test(
    'stopped and started it has every order, and fills more',
    async () => {
      expect((await platform.stop()).code).toBe(0)
      await start()
      const bot = openApi(platform.url, contract, ann.key)
      for (const order of placed)
        expect(await bot.get<OrderResource>(`${orders()}/${order}`)).toMatchObject({ status: 'filled' })
      await trade()
      await published()
    },
    LONG,
  )
})
