/** Two websocket processes and two trading processes over one database, in one process: a client goes on anywhere while slots move. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { ChannelSource } from '@assay/core/kernel/channel'
import { createLifecycle } from '@assay/core/kernel/lifecycle'
import { PeerError, type Peers } from '@assay/core/kernel/peers'
import { remoteChannels } from '@assay/core/kernel/remote-channels'
import { serveChannels } from '@assay/core/kernel/serve-channels'
import { systemClock } from '@assay/core/ports/clock/system'
import { createLockstep } from '@assay/core/ports/marketlog/lockstep-memory'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import { type TestDatabase, testDatabase } from '@assay/core/testing/database'
import { until } from '@assay/core/testing/until'
import { spec } from '@assay/core/testing/world'
import { type AnyElysia, Elysia } from 'elysia'
import { assessmentChannel, followHere, ownedChannel } from '../../services/trading/channel/assessment-channel.ts'
import { OwnerLinks } from '../../services/trading/channel/owner-links.ts'
import type { TradingDeps } from '../../services/trading/deps.ts'
import { quoteAt } from '../../services/trading/engine/testing.ts'
import { openReplicas, type Replica, type Replicas } from '../../services/trading/testing/replicas.ts'
import { connect, type TestClient } from '../../services/websocket/testing/client.ts'
import { startServer, type TestServer } from '../../services/websocket/testing/server.ts'

const quiet = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} }
const lifecycle = createLifecycle({ log: quiet, closeTimeoutMs: 2000 })
const closing: (() => unknown)[] = []
/** where the channels of a trading process are served, by its name */
const addresses = new Map<string, string>()
let database: TestDatabase
let cluster: Replicas
beforeAll(async () => {
  database = await testDatabase()
  const marketlog = createMemoryLog()
  await marketlog.fence('main', 1, true)
  const lockstep = createLockstep('main', systemClock)
  cluster = openReplicas({ db: database.db.as('trading'), marketlog, lockstep: () => lockstep })
  await marketlog.append('main', 1, [quoteAt(1, '100.00', '100.02')])
  await lockstep.applied(1)
}, 30_000)
afterAll(async () => {
  await lifecycle.close()
  for (const close of closing.splice(0)) await close()
  await cluster.close()
  await database.drop()
}, 30_000)

const open = (url: string) =>
  new Promise<WebSocket>((resolve, reject) => {
    const socket = new WebSocket(url)
    socket.onopen = () => resolve(socket)
    socket.onerror = () => reject(new PeerError('refused', false))
  })
/** As services/trading/service.ts puts it together; whose account it is is asked elsewhere. */
async function trading(name: string): Promise<Replica> {
  const replica = await cluster.start(name)
  const own = { db: database.db.as('trading'), engine: replica.engine } as unknown as TradingDeps
  const links = new OwnerLinks({
    engine: replica.engine,
    peers: { connect: (_service, url, path) => open(addresses.get(url.slice('https://'.length)) + path) },
    clock: systemClock,
    lifecycle,
    here: (account, push) => followHere(own, account, push),
  })
  const channels: ChannelSource[] = [{ ...assessmentChannel(own, links), authorize: async () => {} }, ownedChannel(own)]
  const app: AnyElysia = new Elysia()
    .use(serveChannels(() => channels, quiet))
    .listen({ port: 0, hostname: '127.0.0.1' })
  closing.push(() => app.server!.stop(true))
  addresses.set(name, `ws://127.0.0.1:${app.server!.port}`)
  return replica
}
/** A websocket process whose link goes to that trading process. */
function websocket(to: string): TestServer {
  const peers = {
    replicas: () => [addresses.get(to)!],
    connect: (_: string, url: string, path: string) => open(url + path),
  } as unknown as Peers
  const isHere = (service: string) => service !== 'trading'
  const server = startServer({
    sources: remoteChannels(isHere, { peers, clock: systemClock, log: quiet, lifecycle }),
  })
  closing.push(() => server.stop())
  return server
}
const buy = { op: 'order', symbol: 'TST/USD', side: 'buy', type: 'market', quantity: '1' } as const

test('clients that stay, and clients that resume at another websocket process, have every record once and in order while slots move', async () => {
  const a = await trading('a')
  await cluster.balanced()
  const names = Array.from({ length: 8 }, (_, i) => `resume-${i}`)
  for (const name of names) {
    await a.submit(name, { op: 'create' }, { spec: spec([]) })
    await a.submit(name, { op: 'start' })
  }
  const b = await trading('b')
  const servers = [websocket('a'), websocket('b')] as const
  const got = new Map(names.map((name) => [name, [] as number[]]))
  const odd: string[] = []
  let at = 0
  let client: TestClient | undefined
  /** Leaves where it is and goes on at the other process with what it has. */
  async function goOn(): Promise<void> {
    client?.socket.close()
    client = undefined
    const server = servers[at++ % 2]!
    const last = new Map([...got].map(([name, seqs]) => [`assessment:${name}`, seqs.at(-1) ?? 0]))
    const next = await connect(`ws://${server.host}/ws`, {
      protocols: ['bearer', server.token('ann')],
      onMessage: ({ type, channel, seq, kind }) => {
        if (client !== next || type !== 'event' || kind === 'mark') return
        const seqs = got.get(channel!.slice('assessment:'.length))!
        if (seq !== (seqs.at(-1) ?? 0) + 1) odd.push(`${channel}: ${seq} after ${seqs.at(-1)}`)
        seqs.push(seq!)
      },
    })
    client = next
    next.send({ op: 'subscribe', channels: [...last.keys()], from: Object.fromEntries(last) })
  }
  await goOn()
  const stayed = new Map(names.map((name) => [name, [0]]))
  const staying = await connect(`ws://${servers[0].host}/ws`, {
    protocols: ['bearer', servers[0].token('bob')],
    onMessage: ({ type, channel, seq, kind }) => {
      if (type === 'event' && kind !== 'mark') stayed.get(channel!.slice('assessment:'.length))!.push(seq!)
    },
  })
  staying.send({ op: 'subscribe', channels: names.map((name) => `assessment:${name}`), from: 0 })
  let running = true
  const load = names.map(async (name, n) => {
    for (let i = n; running; i++) {
      await [a, b][i % 2]!.submit(name, buy)
      await Bun.sleep(5)
    }
  })
  const moving = cluster.balanced()
  for (let i = 0; i < 5; i++) {
    const before = [...got.values()].flat().length
    await until('it hears of trades', () => [...got.values()].flat().length > before + 5, 10_000)
    await goOn()
  }
  await moving
  running = false
  await Promise.all(load)
  const moved = names.filter((name) => b.engine.owns(name))
  expect(moved.length).toBeGreaterThan(0)
  expect(moved.length).toBeLessThan(names.length)
  const rows = await database.db.query<{ account: string; aseq: string }>(
    `select account, aseq from trading.journal where account like 'resume-%' and aseq > 0 order by account, aseq`,
  )
  const journal = new Map(names.map((name) => [name, [] as number[]]))
  for (const { account, aseq } of rows) journal.get(account)!.push(Number(aseq))
  await until('all of every account', () => names.every((n) => got.get(n)!.length >= journal.get(n)!.length))
  expect(odd).toEqual([])
  await until('all of who stayed', () => names.every((n) => stayed.get(n)!.at(-1) === got.get(n)!.at(-1)))
  for (const name of names) expect(stayed.get(name)).toEqual([0, ...got.get(name)!])
  expect(Object.fromEntries(got)).toEqual(Object.fromEntries(journal))
}, 40_000)
