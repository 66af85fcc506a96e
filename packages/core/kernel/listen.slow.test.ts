/** The real listener against clients that send slowly or too much: raw sockets. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect } from 'node:net'
import type { Server } from 'bun'
import { Elysia } from 'elysia'
import type { Platform } from './compose.ts'
import { listen } from './listen.ts'

let server: Server<unknown>
beforeAll(() => {
  const app = new Elysia()
    .get('/', () => 'well')
    .post('/', ({ body }) => ({ length: String(body).length }), { parse: 'text' })
  server = listen({ app, websocket: undefined } as unknown as Platform, { hostname: '127.0.0.1', port: 0 })
})
afterAll(() => server.stop(true))

interface Ended {
  afterMs: number
  said: string
}
/** Sends `head`, then `piece` twice a second, until the other side ends it. */
function drip(head: string, piece: string, mostMs: number): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    let said = ''
    const socket = connect(Number(server.port), '127.0.0.1', () => socket.write(head))
    const sending = setInterval(() => piece && socket.writable && socket.write(piece), 500)
    const late = setTimeout(() => {
      socket.destroy()
      reject(new Error(`still open after ${mostMs} ms`))
    }, mostMs)
    socket.on('data', (data) => {
      said += data
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(sending)
      clearTimeout(late)
      resolve({ afterMs: performance.now() - began, said })
    })
  })
}
const HEAD = 'GET / HTTP/1.1\r\nHost: x\r\n'
const sized = (bytes: number) => `${HEAD}X-Long: ${'a'.repeat(bytes)}\r\n\r\n`

test('a connection that sends its headers byte by byte, half of them or none is ended within 20 s (V4.2.5)', async () => {
  const ended = await Promise.all([
    drip(`${HEAD}X-Slow: `, 'a', 20_000),
    drip(`${HEAD}X-Half: `, '', 20_000),
    drip('', '', 20_000),
    drip('G', 'E', 20_000),
  ])
  for (const { said } of ended) expect(said).not.toContain('200')
}, 30_000)

test('a body that comes byte by byte, or not at all, is ended within 45 s', async () => {
  const post = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n'
  await Promise.all([drip(post, 'a', 45_000), drip(`${post}abc`, '', 45_000)])
}, 60_000)

test('headers of 12 KB are taken, more than 16 KiB, a path as long and 300 of them are 431 at once (V4.2.5)', async () => {
  const answered = await drip(sized(12_000).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'), '', 20_000)
  expect(answered.said).toStartWith('HTTP/1.1 200')
  const many = Array.from({ length: 300 }, (_, n) => `X-${n}: a\r\n`).join('')
  for (const request of [
    sized(20_000),
    `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `${HEAD}${many}\r\n`,
  ]) {
    const { said, afterMs } = await drip(request, '', 10_000)
    expect(said).toStartWith('HTTP/1.1 431')
    expect(afterMs).toBeLessThan(5_000)
  }
}, 60_000)

test('two lengths, a length beside chunks, and a length that is no number are refused and the connection ends (V4.2.1)', async () => {
  const post = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n'
  for (const lengths of [
    'Content-Length: 5\r\nContent-Length: 6\r\n',
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
    'Content-Length: 5x\r\n',
  ]) {
    const { said } = await drip(`${post}${lengths}\r\nhello`, '', 45_000)
    expect([lengths, said.slice(9, 12)]).toEqual([lengths, '400'])
  }
}, 60_000)
