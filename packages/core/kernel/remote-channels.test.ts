import { afterEach, expect, test } from 'bun:test'
import { type AnyElysia, Elysia } from 'elysia'
import { AssayError } from '../contracts/errors.ts'
import { systemClock } from '../ports/clock/system.ts'
import { until } from '../testing/until.ts'
import type { ChannelEvent, ChannelSource } from './channel.ts'
import type { Ctx } from './context.ts'
import { createLifecycle, type Lifecycle } from './lifecycle.ts'
import { openLog } from './log.ts'
import { PeerError, type Peers } from './peers.ts'
import { remoteChannels } from './remote-channels.ts'
import { serveChannels } from './serve-channels.ts'

const log = openLog({ level: 'silent' }).logger
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})
const ctx = { requestId: 'r', address: '127.0.0.1', actor: { userId: 'ann' }, signal: undefined } as unknown as Ctx

/** One journal behind every replica, as a database is. */
const events: ChannelEvent[] = []
const event = (seq: number): ChannelEvent => ({ seq, ts: seq, kind: 'event', data: { seq } })

function replica() {
  const pushes = new Set<(event: ChannelEvent) => void>()
  const source: ChannelSource = {
    name: 'ticks',
    parse: (key) => (key === 'nothing' ? null : key.toUpperCase()),
    async authorize({ actor }, key) {
      if (key === 'SECRET' && actor?.userId !== 'bob') throw new AssayError('forbidden', 'Not yours.', { field: 'key' })
    },
    snapshot: async (_, key) => ({ seq: events.length, data: { key } }),
    since: async (_, after) => events.filter(({ seq }) => seq > after),
    listen(_, push) {
      pushes.add(push)
      return () => pushes.delete(push)
    },
  }
  const app: AnyElysia = new Elysia().use(serveChannels(() => [source], log))
  app.listen({ port: 0, hostname: '127.0.0.1' })
  const stop = () => app.server!.stop(true)
  closing.push(stop)
  return {
    url: `ws://127.0.0.1:${app.server!.port}`,
    stop,
    listeners: () => pushes.size,
    publish(seq: number) {
      for (const push of pushes) push(event(seq))
    },
  }
}

function follow(urls: string[]): { ticks: ChannelSource; lifecycle: Lifecycle } {
  const peers = {
    replicas: () => urls,
    connect: (_: string, url: string, path: string) =>
      new Promise<WebSocket>((resolve, reject) => {
        const socket = new WebSocket(url + path)
        socket.onopen = () => resolve(socket)
        socket.onerror = () => reject(new PeerError('refused', false))
      }),
  } as unknown as Peers
  const lifecycle = createLifecycle({ log })
  closing.push(() => lifecycle.close())
  const isHere = (service: string) => service !== 'market-data'
  const sources = remoteChannels(isHere, { peers, clock: systemClock, log, lifecycle })
  expect(sources.map(({ name }) => name)).toEqual(['ticks', 'candles'])
  return { ticks: sources[0]!, lifecycle }
}

test('asks the service for names, rights and snapshots, and hears its refusals as they are', async () => {
  const { ticks } = follow([replica().url])
  expect([await ticks.parse('btc'), await ticks.parse('nothing')]).toEqual(['BTC', null])
  await ticks.authorize(ctx, 'BTC')
  expect(await ticks.authorize(ctx, 'SECRET').catch((error) => error)).toMatchObject({
    code: 'forbidden',
    detail: 'Not yours.',
    options: { field: 'key' },
  })
  expect(await ticks.snapshot(ctx, 'BTC')).toEqual({ seq: events.length, data: { key: 'BTC' } })
})

test('events come in order; whoever stops listening is forgotten by the service', async () => {
  const one = replica()
  const { ticks } = follow([one.url])
  const seen: number[] = []
  const stop = ticks.listen('BTC', ({ seq }) => void seen.push(seq))
  await until('it listens', () => one.listeners() === 1)
  for (let seq = 1; seq <= 200; seq++) one.publish(seq)
  await until('all', () => seen.length === 200)
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  stop()
  await until('nobody listens', () => one.listeners() === 0)
})

test('a replica that dies: another one is listened to, and what happened meanwhile can be read', async () => {
  const [first, second] = [replica(), replica()]
  const { ticks } = follow([first.url, second.url])
  const seen: number[] = []
  let lost = 0
  ticks.listen(
    'BTC',
    ({ seq }) => void seen.push(seq),
    () => void lost++,
  )
  await until('it listens', () => first.listeners() === 1)
  first.publish(1)
  await until('the first event', () => seen.length === 1)
  first.stop()
  events.push(event(1), event(2))
  await until('the other one is listened to', () => second.listeners() === 1)
  await until('said', () => lost === 1)
  expect((await ticks.since('BTC', 1))!.map(({ seq }) => seq)).toEqual([2])
  second.publish(3)
  await until('the next event', () => seen.at(-1) === 3)
  expect([seen, lost]).toEqual([[1, 3], 1])
})

test('no replica: an answer at once, not silence', async () => {
  const gone = replica()
  gone.stop()
  const { ticks } = follow([gone.url])
  expect(await ticks.snapshot(ctx, 'BTC').catch((error) => error)).toMatchObject({ code: 'unavailable' })
})
