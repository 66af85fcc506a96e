import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { ChannelEvent, ChannelSource } from '@assay/core/kernel/channel'
import { createLifecycle, type Lifecycle } from '@assay/core/kernel/lifecycle'
import { PeerError } from '@assay/core/kernel/peers'
import { serveChannels } from '@assay/core/kernel/serve-channels'
import { systemClock } from '@assay/core/ports/clock/system'
import { until } from '@assay/core/testing/until'
import { type AnyElysia, Elysia } from 'elysia'
import { OWNED, OwnerLinks } from './owner-links.ts'

const quiet = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} }
type Push = (event: ChannelEvent) => void

/** The journal of one account, which whoever owns its slot writes and everybody reads. */
let journal: ChannelEvent[]
let owner: Trading | null
const here = new Set<Push>()
const closing: (() => unknown)[] = []
let lifecycle: Lifecycle
/** connections that were opened to owners */
let sockets: WebSocket[]
let links: OwnerLinks
/** how often it was asked who the owner is */
let looks = 0

interface Trading {
  url: string
  listeners: Set<Push>
  /** as kill -9 */
  kill(): void
}
function trading(port = 0): Trading {
  const listeners = new Set<Push>()
  const owned = {
    name: OWNED,
    listen(_: string, push: Push) {
      listeners.add(push)
      return () => listeners.delete(push)
    },
  } as unknown as ChannelSource
  const app: AnyElysia = new Elysia().use(serveChannels(() => [owned], quiet)).listen({ port, hostname: '127.0.0.1' })
  const kill = () => void app.server!.stop(true)
  closing.push(kill)
  return { url: `ws://127.0.0.1:${app.server!.port}`, listeners, kill }
}
const me: Trading = { url: 'here', listeners: here, kill() {} }
/** The owner commits a record, then tells who listens to it. */
function decide(): void {
  const event: ChannelEvent = { seq: journal.length + 1, ts: 0, kind: 'event', data: null }
  journal.push(event)
  for (const push of owner!.listeners) push(event)
}
/** A subscriber: drops what it has, reads the journal where events may be missing. */
function subscribe(account = 'acc') {
  const reader = { seen: [] as number[], lost: 0, stop: () => {} }
  const tell = ({ seq }: ChannelEvent) => {
    if (seq > (reader.seen.at(-1) ?? 0)) reader.seen.push(seq)
  }
  const lost = () => {
    reader.lost++
    for (const event of journal) tell(event)
  }
  reader.stop = links.listen(account, tell, lost)
  return reader
}
const all = () => journal.map(({ seq }) => seq)

beforeEach(() => {
  journal = []
  sockets = []
  owner = null
  here.clear()
  lifecycle = createLifecycle({ log: quiet, closeTimeoutMs: 2000 })
  links = new OwnerLinks({
    engine: {
      ownerOf() {
        looks++
        return owner?.url ?? null
      },
    },
    peers: {
      connect: (_service, url, path) =>
        new Promise((resolve, reject) => {
          const socket = new WebSocket(url + path)
          socket.onopen = () => {
            sockets.push(socket)
            resolve(socket)
          }
          socket.onerror = () => reject(new PeerError('refused', false))
        }),
    },
    clock: systemClock,
    lifecycle,
    here: (_account, push) => {
      here.add(push)
      return () => here.delete(push)
    },
  })
})
afterEach(async () => {
  await lifecycle.close()
  for (const close of closing.splice(0)) await close()
})

test('it listens where the slot is owned, and what was decided before it listened is read', async () => {
  owner = trading()
  const reader = subscribe()
  decide()
  await until('it listens', () => owner!.listeners.size === 1)
  await until('said', () => reader.lost === 1)
  for (let i = 0; i < 100; i++) decide()
  await until('all', () => reader.seen.length === 101)
  expect([reader.seen, reader.lost]).toEqual([all(), 1])
  reader.stop()
  await until('nobody listens', () => owner!.listeners.size === 0)
})

test('the slot moves while somebody listens, over every pair of owners and home: no hole, no repeat, nobody listens to a former owner', async () => {
  const processes = [trading(), trading(), me]
  const [b, c] = processes as [Trading, Trading, Trading]
  owner = b
  const reader = subscribe()
  for (const next of [c, me, b, me, c, b]) {
    for (let i = 0; i < 5; i++) decide()
    owner = next
    // the new owner decides before anybody has heard of it
    for (let i = 0; i < 5; i++) decide()
    await until('it listens there', () => next.listeners.size === 1)
    for (let i = 0; i < 5; i++) decide()
    await until('all', () => reader.seen.length === journal.length)
    for (const former of processes)
      if (former !== next) await until('nobody listens there', () => former.listeners.size === 0)
  }
  expect(reader.seen).toEqual(all())
})

test('while a slot has no owner nothing is lost: what the old one still tells is heard, the next one is listened to', async () => {
  const [b, c] = [trading(), trading()]
  owner = b
  const reader = subscribe()
  await until('it listens', () => b.listeners.size === 1)
  decide()
  await until('heard', () => reader.seen.length === 1)
  owner = null
  const before = looks
  await until('it was looked for', () => looks > before + 1)
  journal.push({ seq: 2, ts: 0, kind: 'event', data: null })
  for (const push of b.listeners) push(journal[1]!)
  await until('the last word of the old one', () => reader.seen.length === 2)
  owner = c
  decide()
  await until('all', () => reader.seen.length === 3)
  expect(reader.seen).toEqual(all())
})

test('an owner that is gone: its successor is listened to; one that is back under its address too', async () => {
  const b = trading()
  owner = b
  const reader = subscribe()
  await until('it listens', () => b.listeners.size === 1)
  decide()
  await until('heard', () => reader.seen.length === 1)
  b.kill()
  // its lease stands still: it is asked for in vain, then it is there again
  await until('it is gone', () => sockets[0]!.readyState === WebSocket.CLOSED)
  const again = trading(Number(new URL(b.url).port))
  owner = again
  decide()
  await until('it listens again', () => again.listeners.size === 1)
  await until('all', () => reader.seen.length === 2)
  again.kill()
  const successor = trading()
  owner = successor
  decide()
  await until('the successor is listened to', () => successor.listeners.size === 1)
  await until('all', () => reader.seen.length === 3)
  expect(reader.seen).toEqual(all())
})

test('one connection serves all accounts of an owner, ends with the last of them, and none outlives the process', async () => {
  owner = trading()
  const readers = Array.from({ length: 20 }, (_, i) => subscribe(`acc-${i}`))
  await until('all are listened to', () => owner!.listeners.size === 20)
  expect(sockets).toHaveLength(1)
  for (const { stop } of readers) stop()
  // comes while the connection ends: it has another one, which stays known when the first is closed
  subscribe('next')
  await until('the first is closed', () => sockets[0]!.readyState === WebSocket.CLOSED)
  await until('it is listened to', () => owner!.listeners.size === 1)
  subscribe('one more')
  await until('both are', () => owner!.listeners.size === 2)
  expect(sockets).toHaveLength(2)
  await lifecycle.close()
  await until('no connection is left', () => sockets.every(({ readyState }) => readyState === WebSocket.CLOSED))
})
