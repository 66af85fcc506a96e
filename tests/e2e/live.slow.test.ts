import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AccountResource } from '@assay/core/contracts/wire/account'
import type { OrderAnswer } from '@assay/core/contracts/wire/order'
import { until } from '@assay/core/testing/until'
import type { TestClient } from '@assay/services/websocket/testing/client'
import { openApi } from './api.ts'
import { openContract } from './contract.ts'
import { readJournal } from './journal.ts'
import { connectAs, follow } from './live.ts'
import { operatorToken, type Person, signUp, startAssessment } from './people.ts'
import { type Process, runCommand, scratchHome, startProcess } from './platform.ts'

/** Longer than a market channel's ring holds, which is a minute and at most a third more. */
const TRADING_MS = 90_000
const ORDERS_PER_S = 100
const { home, remove } = scratchHome()
let platform: Process
let ann: Person
let id: string

beforeAll(async () => {
  platform = await startProcess(home, { env: { FEEDS: 'sim' } })
  const api = openApi(platform.url, openContract())
  ann = await signUp(api, 'ann', await operatorToken(api))
  id = await startAssessment(ann, 'two-step-100k-usd')
}, 30_000)
afterAll(async () => {
  expect((await platform.stop()).code).toBe(0)
  remove()
})

test('a minute of orders on the live market: every push arrives once through dropped connections, and the proof holds', async () => {
  const records = follow(`assessment:${id}`)
  const ticks = follow('ticks:BTC/USD')
  const connectBoth = async (): Promise<TestClient> => {
    const client = await connectAs(platform.url, ann.key)
    await Promise.all([records.on(client), ticks.on(client)])
    return client
  }
  let client = await connectBoth()
  await until('both snapshots', () => records.snapshots.length + ticks.snapshots.length === 2)
  const start = records.last()

  const sent: Promise<OrderAnswer>[] = []
  const began = performance.now()
  let reconnectAt = began + 1000
  for (let due = began; due < began + TRADING_MS; due += 1000 / ORDERS_PER_S) {
    await Bun.sleep(Math.max(0, due - performance.now()))
    const body = { symbol: 'BTC/USD', side: sent.length % 2 ? 'sell' : 'buy', type: 'market', quantity: '0.001' }
    sent.push(ann.bot.post<OrderAnswer>(`/api/assessments/${id}/orders`, body))
    if (due < reconnectAt) continue
    client.socket.close()
    client = await connectBoth()
    reconnectAt = due + 1000 + 2000 * Math.random()
  }
  const answers = await Promise.all(sent)
  expect(answers.every(({ order }) => order.status === 'filled')).toBe(true)

  const journal = await readJournal(ann.bot, id, start)
  await until('the last record', () => records.last() >= journal.at(-1)!.aseq)
  expect(records.events.map(({ seq, data }) => ({ seq, data }))).toEqual(
    journal.map(({ aseq, record }) => ({ seq: aseq, data: record })),
  )
  const seqs = ticks.events.map(({ seq }) => seq!)
  expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b))
  expect([...records.gaps, ...ticks.gaps]).toEqual([])

  const late = await connectAs(platform.url, ann.key)
  late.send({ op: 'subscribe', id: 'late', channels: ['ticks:BTC/USD'], from: ticks.snapshots[0]!.seq! })
  expect((await late.next(({ type }) => type === 'gap')).data).toMatchObject({ from: ticks.snapshots[0]!.seq! })
  await late.next(({ type, channel }) => type === 'snapshot' && channel === 'ticks:BTC/USD')
  late.socket.close()
  client.socket.close()

  await ann.api.post(`/api/assessments/${id}/abandon`)
  const verified = async () => {
    const { code, output } = await runCommand(home, ['verify', id, '--token', ann.key])
    return code === 0 && output.includes('abandoned')
  }
  await until('a proof that verifies', verified, 75_000)
  expect(await ann.bot.get<AccountResource>(`/api/assessments/${id}/account`)).toMatchObject({ status: 'abandoned' })
}, 200_000)
