import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { until } from '@assay/core/testing/until'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { HOST } from './ports.ts'

let echo: Server
let proxy: FaultProxy
let heard: string
beforeEach(async () => {
  heard = ''
  echo = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      heard += bytes
      socket.write(bytes)
    })
  })
  await new Promise<void>((resolve) => echo.listen(0, HOST, resolve))
  proxy = await startFaultProxy({ target: (echo.address() as AddressInfo).port })
})
afterEach(async () => {
  await proxy.close()
  await new Promise((resolve) => echo.close(resolve))
})

interface Client {
  socket: Socket
  got: string
  /** 'end', or an error's code */
  ended?: string
  send(text: string): void
}
async function client(): Promise<Client> {
  const socket = connect({ port: proxy.port, host: HOST })
  const one: Client = { socket, got: '', send: (text) => void socket.write(text) }
  socket.on('data', (bytes) => {
    one.got += bytes
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    one.ended ??= error.code
  })
  socket.on('close', () => {
    one.ended ??= 'end'
  })
  await new Promise<void>((resolve) => {
    socket.once('connect', () => resolve())
    socket.once('close', () => resolve())
  })
  return one
}
const answered = (one: Client, text: string) => until(`an answer of ${text}`, () => one.got === text)
const over = (one: Client) => until('the connection is over', () => one.ended !== undefined)

describe('a fault proxy', () => {
  test('carries megabytes both ways, in order', async () => {
    const one = await client()
    const text = Array.from({ length: 300_000 }, (_, i) => `${i},`).join('')
    one.send(text)
    await until('all is back', () => one.got.length === text.length)
    expect(Bun.hash(one.got)).toBe(Bun.hash(text))
    one.socket.destroy()
    await until('no connection is left', () => proxy.open === 0)
  })
  test('delay: every byte comes later, in order; heal lets go at once', async () => {
    const one = await client()
    proxy.delay(150)
    const start = performance.now()
    one.send('a')
    await answered(one, 'a')
    expect(performance.now() - start).toBeGreaterThan(290)
    proxy.delay(60_000)
    one.send('bc')
    one.send('d')
    await proxy.heal()
    one.send('e')
    await answered(one, 'abcde')
  })
  test('cut: connections end and new ones are refused; after heal they are taken on the same port', async () => {
    const one = await client()
    await proxy.cut()
    await over(one)
    const refused = await client()
    expect(refused.ended).toBe('ECONNREFUSED')
    await proxy.heal()
    const two = await client()
    two.send('back')
    await answered(two, 'back')
  })
  test('reset: open connections and new ones get ECONNRESET', async () => {
    const one = await client()
    one.send('a')
    await answered(one, 'a')
    proxy.reset()
    await over(one)
    expect(one.ended).toBe('ECONNRESET')
    const next = await client()
    await over(next)
    expect(next.ended).toBe('ECONNRESET')
    await proxy.heal()
    const healed = await client()
    healed.send('b')
    await answered(healed, 'b')
  })
  test('swallow down: the server hears, the client does not; such a connection does not survive heal', async () => {
    const one = await client()
    const idle = await client()
    proxy.swallow('down')
    one.send('order')
    await until('the answer is lost', () => heard === 'order' && proxy.swallowed === 5)
    expect({ got: one.got, ended: one.ended }).toEqual({ got: '', ended: undefined })
    await proxy.heal()
    await over(one)
    expect(one.got).toBe('')
    idle.send('x')
    await answered(idle, 'x')
  })
  test('swallow up: the server hears nothing', async () => {
    const one = await client()
    proxy.swallow('up')
    one.send('order')
    await until('the order is lost', () => proxy.swallowed === 5)
    expect({ heard, ended: one.ended }).toEqual({ heard: '', ended: undefined })
  })
  test('a server that is away ends the connection', async () => {
    await new Promise((resolve) => echo.close(resolve))
    const one = await client()
    await over(one)
    expect(one.got).toBe('')
  })
})
