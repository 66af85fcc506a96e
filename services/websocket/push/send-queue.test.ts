import { expect, test } from 'bun:test'
import { Registry } from 'prom-client'
import { pushStats } from './metrics.ts'
import { eventOf } from './outgoing.ts'
import { SendQueue } from './send-queue.ts'

/** A socket whose buffer the test fills and empties. */
function pressed(bufferedBytes = 10_000) {
  const wire: { seq: number; skipped?: number; data: unknown }[] = []
  const socket = {
    buffered: 0,
    send(data: string | Uint8Array) {
      wire.push(JSON.parse(String(data)))
      return socket.buffered > 0 ? -1 : 1
    },
    cork: (write: () => void) => write(),
    getBufferedAmount: () => socket.buffered,
  }
  const stats = pushStats(new Registry(), Date.now, { connections: () => 0, subscriptions: () => new Map() })
  let overflows = 0
  const queue = new SendQueue({
    socket,
    format: 'json',
    bufferedBytes,
    stats,
    now: () => 0,
    onOverflow: () => overflows++,
  })
  const push = (seq: number, conflate?: string, data: unknown = null) =>
    queue.push(eventOf('ticks:A', { seq, ts: 0, kind: 'event', conflate, data }, 0))
  return { wire, socket, stats, queue, push, overflows: () => overflows }
}

test('a client that keeps up gets every event, conflatable or not', () => {
  const { wire, queue, push } = pressed()
  for (let seq = 1; seq <= 5; seq++) push(seq, 'quote')
  queue.flush()
  expect(wire.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5])
})

test('under pressure the newest of a key stands at its own place in seq order and says how many it skipped', () => {
  const { wire, socket, stats, queue, push } = pressed()
  push(1, 'quote')
  socket.buffered = 500
  queue.flush()
  push(2, 'quote')
  push(3)
  push(4, 'quote')
  push(5, 'state')
  push(6, 'quote')
  expect(stats.conflated).toBe(2)
  socket.buffered = 0
  queue.drain()
  expect(wire.map(({ seq, skipped }) => [seq, skipped])).toEqual([
    [1, undefined],
    [3, undefined],
    [5, undefined],
    [6, 2],
  ])
  push(7, 'quote')
  queue.flush()
  expect(wire.at(-1)).toMatchObject({ seq: 7 })
  expect(wire.at(-1)!.skipped).toBeUndefined()
})

test('the count of one slow client is not seen by another', () => {
  const slow = pressed()
  const event = (seq: number) => eventOf('ticks:A', { seq, ts: 0, kind: 'event', conflate: 'quote', data: null }, 0)
  const [first, second] = [event(1), event(2)]
  slow.socket.buffered = 1
  slow.queue.flush()
  slow.queue.push(first)
  slow.queue.push(second)
  const quick = pressed()
  quick.queue.push(second)
  quick.queue.flush()
  expect(quick.wire[0]!.skipped).toBeUndefined()
})

test('past the byte limit the queue closes once, drops what waits and counts it', () => {
  const { socket, stats, queue, push, overflows } = pressed(1_000)
  socket.buffered = 100
  queue.flush()
  for (let seq = 1; seq <= 50; seq++) push(seq, undefined, 'x'.repeat(100))
  expect(overflows()).toBe(1)
  expect(stats.dropped).toBeGreaterThan(3)
  expect(stats.dropped).toBeLessThan(8)
})

test('a conflated backlog stays below the byte limit however much is published', () => {
  const { socket, queue, push, overflows } = pressed(2_000)
  socket.buffered = 100
  queue.flush()
  for (let seq = 1; seq <= 10_000; seq++) push(seq, `key ${seq % 5}`, 'x'.repeat(100))
  expect(overflows()).toBe(0)
})

test('settled resolves when the socket took all, not before', async () => {
  const { socket, queue, push } = pressed()
  push(1)
  let settled = false
  const waiting = queue.settled().then(() => {
    settled = true
  })
  socket.buffered = 10
  queue.flush()
  await Promise.resolve()
  expect(settled).toBe(false)
  socket.buffered = 0
  queue.drain()
  await waiting
  expect(settled).toBe(true)
})
