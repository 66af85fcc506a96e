import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { until } from '../testing/until.ts'
import { type LocalCa, makeLocalCa } from './local-ca.ts'
import type { PeerAnswer, PeerRequest } from './peer-exchange.ts'
import { PeerPool } from './peer-pool.ts'
import type { PeerError } from './peers.ts'

const HOUR_MS = 3_600_000
let ca: LocalCa
const closing: (() => unknown)[] = []
beforeAll(async () => {
  ca = await makeLocalCa()
})
afterAll(() => {
  for (const close of closing) close()
})

/** A server of bytes behind mutual TLS: `serve` gets each request's head as it came. */
async function listen(serve: (socket: TLSSocket, head: string) => void, name = 'trading') {
  const sockets = new Set<TLSSocket>()
  const credentials = await ca.issue(name, HOUR_MS)
  const server: Server = createServer({ ...credentials, requestCert: true, rejectUnauthorized: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes) => serve(socket, bytes.toString('latin1')))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const pool = new PeerPool({
    where: 'trading',
    hostname: '127.0.0.1',
    port,
    serverName: 'trading.assay.internal',
    credentials: await ca.issue('gateway', HOUR_MS),
  })
  closing.push(
    () => pool.close(),
    () => server.close(),
  )
  const ask = (more: Partial<PeerRequest> = {}) =>
    pool.ask({ method: 'GET', path: '/x?y=1', headerLines: 'x-a: 1\r\n', timeoutMs: 5_000, ...more })
  return { pool, server, sockets, ask, port }
}
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
const textOf = async ({ body }: PeerAnswer) => (body ? await new Response(body).text() : '')
const failure = (asked: Promise<PeerAnswer>) =>
  asked.then(
    ({ status }) => `answered ${status}`,
    (error: PeerError) => ({ sent: error.sent, why: error.message.replace(/^trading: /, '') }),
  )

test('a request is sent as it was given, and its connection is kept for the next', async () => {
  const heads: string[] = []
  const { ask, sockets } = await listen((socket, head) => {
    heads.push(head)
    socket.write(OK)
  })
  expect(await textOf(await ask())).toBe('ok')
  const body = new TextEncoder().encode('{"a":"ü"}')
  await ask({ method: 'POST', body })
  await ask({ method: 'DELETE' })
  expect(sockets.size).toBe(1)
  expect(heads[0]).toMatch(/^GET \/x\?y=1 HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\nx-a: 1\r\n\r\n$/)
  expect(heads[1]).toMatch(/content-length: 10\r\n\r\n\{"a":"Ã¼"\}$/)
  expect(heads[2]).toEndWith('content-length: 0\r\n\r\n')
})
test('many at once have a connection each; afterwards all are kept', async () => {
  const { ask, sockets } = await listen((socket) => socket.write(OK))
  for (let round = 0; round < 2; round++) await Promise.all(Array.from({ length: 100 }, () => ask()))
  expect(sockets.size).toBeLessThanOrEqual(100)
  expect(sockets.size).toBeGreaterThan(50)
})

test('large bodies of many at once arrive as they were sent, also where the other side reads slowly', async () => {
  const whole = await listen(() => {})
  whole.server.removeAllListeners('secureConnection')
  whole.server.on('secureConnection', (socket: TLSSocket) => {
    let got: Buffer = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.pause()
    setTimeout(() => socket.resume(), 50)
    socket.on('data', (bytes) => {
      got = Buffer.concat([got, bytes as Buffer])
      const at = got.indexOf('\r\n\r\n') + 4
      const length = Number(/content-length: (\d+)/.exec(got.toString('latin1', 0, at))?.[1])
      if (at < 4 || got.length < at + length) return
      const sum = Bun.hash(got.subarray(at)).toString()
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${sum.length}\r\n\r\n${sum}`)
    })
  })
  const bodies = Array.from({ length: 8 }, (_, n) => new Uint8Array(n % 2 ? 1_000_000 : 20_000).fill(n + 1))
  const sums = await Promise.all(bodies.map(async (body) => textOf(await whole.ask({ method: 'POST', body }))))
  expect(sums).toEqual(bodies.map((body) => Bun.hash(body).toString()))
})

describe('no answer', () => {
  test('nobody listens: it was not sent', async () => {
    const { server, ask, pool } = await listen(() => {})
    await new Promise((resolve) => server.close(resolve))
    expect(await failure(ask())).toMatchObject({ sent: false })
    pool.close()
  })
  test('the connection is reset, or ends in the middle: it may have been done', async () => {
    const reset = await listen((socket) => socket.destroy())
    expect(await failure(reset.ask())).toEqual({ sent: true, why: 'the connection ended' })
    const half = await listen((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel'))
    expect(await failure(half.ask())).toEqual({ sent: true, why: 'the connection ended' })
  })
  test('it hangs, before its answer or within it: the time given is not exceeded by much', async () => {
    for (const said of ['', OK.slice(0, -1)]) {
      const { ask } = await listen((socket) => said && socket.write(said))
      const began = performance.now()
      expect(await failure(ask({ timeoutMs: 200 }))).toEqual({ sent: true, why: 'no answer within 200 ms' })
      expect(performance.now() - began).toBeLessThan(1_500)
    }
  })
  test('whoever asked has gone: the other side sees its connection end', async () => {
    const { ask, sockets } = await listen(() => {})
    const gone = new AbortController()
    const asked = failure(ask({ signal: () => gone.signal }))
    await until('it is under way', () => sockets.size === 1)
    gone.abort()
    expect(await asked).toMatchObject({ sent: true })
    await until('its connection has ended', () => sockets.size === 0)
  })
  test('more bytes than the answer: what follows is nobody’s, and the connection is not kept', async () => {
    let answers = 0
    const { ask, sockets } = await listen((socket) => socket.write(answers++ === 0 ? `${OK}${OK}` : OK))
    expect(await textOf(await ask())).toBe('ok')
    await until('it was closed', () => sockets.size === 0)
    expect(await textOf(await ask())).toBe('ok')
  })
})

describe('whom it talks to', () => {
  test('another service, or a server of another CA, gets no request', async () => {
    let asked = 0
    const other = await listen(() => asked++, 'market-data')
    expect(await failure(other.ask())).toMatchObject({ sent: false })
    const { port } = await listen(() => asked++)
    const foreign = await makeLocalCa()
    const pool = new PeerPool({
      where: 'trading',
      hostname: '127.0.0.1',
      port,
      serverName: 'trading.assay.internal',
      credentials: { ...(await ca.issue('gateway', HOUR_MS)), ca: foreign.ca },
    })
    const request = { method: 'GET', path: '/', headerLines: '', timeoutMs: 3_000 }
    expect(await failure(pool.ask(request))).toMatchObject({ sent: false })
    expect(asked).toBe(0)
  })
})

describe('a long answer', () => {
  const MIB = 1024 * 1024
  test('comes as it is read: a slow reader holds the sender up, and gets every byte', async () => {
    let written = 0
    const size = 64 * MIB
    const { ask } = await listen((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`)
      const more = () => {
        while (written < size) {
          written += MIB
          if (!socket.write(Buffer.alloc(MIB, 1))) return void socket.once('drain', more)
        }
      }
      more()
    })
    const { body } = await ask()
    const reader = (body as ReadableStream<Uint8Array>).getReader()
    let read = (await reader.read()).value!.byteLength
    let before = -1
    let same = 0
    await until('the sender is held up', () => {
      same = before === written ? same + 1 : 0
      before = written
      return same > 50
    })
    expect(written).toBeLessThan(size)
    for (let part = await reader.read(); !part.done; part = await reader.read()) read += part.value.byteLength
    expect(read).toBe(size)
  }, 30_000)
  test('that nobody wants any more ends its connection', async () => {
    const { ask, sockets } = await listen((socket) =>
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n'),
    )
    const { body } = await ask()
    await (body as ReadableStream).cancel()
    await until('its connection has ended', () => sockets.size === 0)
  })
  test('that has come whole and that nobody wants any more leaves its connection to the next request', async () => {
    const { ask, sockets } = await listen((socket, head) => {
      if (head.startsWith('GET /next')) setTimeout(() => socket.write(OK), 50)
      else socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n')
    })
    const { body } = await ask()
    const next = ask({ path: '/next', timeoutMs: 1_000 })
    await (body as ReadableStream).cancel()
    expect(await next.then(textOf, String)).toBe('ok')
    expect(sockets.size).toBe(1)
  })
  test('that breaks off is an error for its reader, never an end', async () => {
    const { ask } = await listen((socket) =>
      socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n'),
    )
    expect(
      await textOf(await ask()).then(
        () => 'whole',
        ({ name }) => name,
      ),
    ).toBe('PeerError')
  })
})
