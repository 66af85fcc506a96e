import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { OrderAnswer } from '@assay/core/contracts/wire/order'
import { until } from '@assay/core/testing/until'
import { connect, type TestClient } from '@assay/services/websocket/testing/client'
import { openApi } from './api.ts'
import { openContract } from './contract.ts'
import { readJournal } from './journal.ts'
import { connectAs, follow, socketUrl } from './live.ts'
import { operatorToken, type Person, signUp, startAssessment, type Tokens } from './people.ts'
import { type Process, scratchHome, startProcess } from './platform.ts'

const contract = openContract()
const { home, remove } = scratchHome()
let platform: Process
let ann: Person
let bob: Person
let id: string
const clients: TestClient[] = []
const open = async (credential: string): Promise<TestClient> => {
  const client = await connectAs(platform.url, credential)
  clients.push(client)
  return client
}

beforeAll(async () => {
  platform = await startProcess(home, { env: { FEEDS: 'sim?speed=20x' } })
  const api = openApi(platform.url, contract)
  const operator = await operatorToken(api)
  ann = await signUp(api, 'ann', operator)
  bob = await signUp(api, 'bob', operator)
  id = await startAssessment(ann, 'two-step-100k-usd')
}, 30_000)
afterAll(async () => {
  for (const { socket } of clients) socket.close()
  expect((await platform.stop()).code).toBe(0)
  remove()
})

describe('connecting', () => {
  test('a ticket opens one connection, an access token in the URL none', async () => {
    const { ticket } = await ann.api.post<{ ticket: string }>('/api/ws/ticket')
    const client = await connect(`${socketUrl(platform.url)}?token=${ticket}`)
    clients.push(client)
    client.send({ op: 'ping', id: 1 })
    await client.next(({ type }) => type === 'pong')
    expect(connect(`${socketUrl(platform.url)}?token=${ticket}`)).rejects.toThrow()
    expect(connect(`${socketUrl(platform.url)}?token=${ann.token}`)).rejects.toThrow()
    expect(connect(socketUrl(platform.url))).rejects.toThrow()
  })
  test('logout closes the connections of that session with the reason, and no other', async () => {
    const { email, password } = bob
    const { token } = await openApi(platform.url, contract).post<Tokens>('/api/auth/login', { email, password })
    const leaving = await open(token)
    const staying = await open(bob.token)
    await bob.api.as(token).post('/api/auth/logout')
    expect(await leaving.closed).toMatchObject({ code: 4403, reason: expect.stringContaining('revoked') })
    staying.send({ op: 'ping', id: 'still here' })
    await staying.next(({ type, id }) => type === 'pong' && id === 'still here')
  })
  test('a revoked key loses its connection', async () => {
    const { id: keyId, key } = await ann.api.post<{ id: string; key: string }>('/api/api-keys', { name: 'short' })
    const client = await open(key)
    await ann.api.delete(`/api/api-keys/${keyId}`)
    expect((await client.closed).code).toBe(4403)
  })
})

describe('the market', () => {
  test('ticks follow their snapshot in order, and a second client that resumes gets the very same', async () => {
    const first = follow('ticks:BTC/USD')
    await first.on(await open(ann.key))
    await until('60 ticks', () => first.events.length >= 60, 10_000)
    const { seq: start, data } = first.snapshots[0]!
    expect(data).toMatchObject({ symbol: 'BTC/USD', bid: expect.any(String) })
    const seqs = first.events.map((event) => event.seq!)
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b))
    expect(seqs[0]!).toBeGreaterThan(start!)

    const second = await open(ann.key)
    second.send({ op: 'subscribe', id: 'resume', channels: ['ticks:BTC-USD'], from: start })
    await second.next(({ type, seq }) => type === 'event' && seq === seqs.at(-1))
    const resumed = second.messages.filter(({ type }) => type === 'event').map(({ seq }) => seq!)
    expect(resumed.slice(0, seqs.length)).toEqual(seqs)
    expect(second.messages.some(({ type }) => type === 'snapshot' || type === 'gap')).toBe(false)
  }, 15_000)
  test('candles rise in seq with open time and revision; what their ring has lost is a gap and a snapshot', async () => {
    const candles = follow('candles:BTC/USD:1s')
    await candles.on(await open(ann.key))
    await until('20 candles', () => candles.events.length >= 20, 10_000)
    const seqs = candles.events.map((event) => event.seq!)
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
    expect(new Set(seqs).size).toBe(seqs.length)
    expect(candles.events.at(-1)!.data).toMatchObject({ open_time: expect.any(String), count: expect.any(Number) })

    const late = await open(ann.key)
    late.send({ op: 'subscribe', id: 'late', channels: ['candles:BTC/USD:1s'], from: 1 })
    const gap = await late.next(({ type }) => type === 'gap')
    expect(gap.data).toMatchObject({ from: 1 })
    await late.next(({ type }) => type === 'snapshot')
  }, 15_000)
  test('a symbol or channel that is not there is an error, the others of the operation are served', async () => {
    const client = await open(ann.key)
    client.send({ op: 'subscribe', id: 1, channels: ['ticks:NOPE/USD', 'nothing', 'ticks:ETH/USD'] })
    await client.next(({ type, channel }) => type === 'snapshot' && channel === 'ticks:ETH/USD')
    expect(client.messages.filter(({ type }) => type === 'error')).toHaveLength(2)
  })
})

describe('an assessment', () => {
  test('while orders run and connections come and go, every record arrives once and in order', async () => {
    const channel = follow(`assessment:${id}`)
    await channel.on(await open(ann.key))
    await until('the snapshot', () => channel.snapshots.length === 1)
    const start = channel.last()

    let trading = true
    const traders = Array.from({ length: 4 }, async (_, trader) => {
      for (let n = 0; trading; n++) {
        const body = { symbol: 'BTC/USD', side: (n + trader) % 2 ? 'buy' : 'sell', type: 'market', quantity: '0.001' }
        await ann.bot.post<OrderAnswer>(`/api/assessments/${id}/orders`, body)
      }
    })
    for (let turn = 0; turn < 5; turn++) {
      const before = channel.events.length
      await until('more records', () => channel.events.length >= before + 40, 10_000)
      clients.at(-1)!.socket.close()
      await channel.on(await open(ann.key))
    }
    trading = false
    await Promise.all(traders)

    const items = await readJournal(ann.bot, id, start)
    await until('the last record', () => channel.last() >= items.at(-1)!.aseq)
    expect(channel.events.map(({ seq, data }) => ({ seq, data }))).toEqual(
      items.map(({ aseq, record }) => ({ seq: aseq, data: record })),
    )
    expect(channel.snapshots).toHaveLength(1)
    expect(channel.gaps).toEqual([])
  }, 30_000)
  test('marks tell equity between records, at most 4 a second, never ahead of the records, mseq rising', async () => {
    const channel = follow(`assessment:${id}`)
    const began = performance.now()
    await channel.on(await open(ann.key))
    await until('5 marks', () => channel.marks.length >= 5, 10_000)
    expect(channel.marks.length).toBeLessThanOrEqual(2 + (4 * (performance.now() - began)) / 1000)
    const mseqs = channel.marks.map(({ mseq }) => mseq!)
    expect(mseqs).toEqual(mseqs.toSorted((a, b) => a - b))
    for (const { seq, data } of channel.marks) {
      expect(seq).toBe(channel.last())
      expect(data).toMatchObject({ account: { id, status: 'started', equity: expect.any(String) } })
    }
  }, 15_000)
  test('is nobody else’s', async () => {
    const client = await open(bob.token)
    client.send({ op: 'subscribe', id: 1, channels: [`assessment:${id}`, 'ticks:BTC/USD'] })
    const error = await client.next(({ type }) => type === 'error')
    expect(error).toMatchObject({ channel: `assessment:${id}`, data: { code: 'not_found' } })
    await client.next(({ type, channel }) => type === 'snapshot' && channel === 'ticks:BTC/USD')
  })
  test('a closing platform says so', async () => {
    const client = await open(ann.key)
    const [{ code }] = await Promise.all([client.closed, platform.stop()])
    expect(code).toBe(1001)
  }, 15_000)
})
