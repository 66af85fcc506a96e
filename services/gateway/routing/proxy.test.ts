import { afterEach, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { until } from '@assay/core/testing/until'
import { answers, hangs, json, openProxyWorld, type ProxyWorld, resets, type Serve } from './testing/world.ts'

let world: ProxyWorld
afterEach(() => world.close())
const open = async (serves: Serve[], times?: Parameters<typeof openProxyWorld>[1], of?: string) => {
  world = await openProxyWorld(serves, times, of)
  return world
}
const ok = answers(json({ well: true }))
/** Short enough for a test, long enough for a busy machine. */
const HURRY = { 'x-deadline-ms': '1500' }
async function ask(path: string, init: RequestInit = {}) {
  const answer = await fetch(world.url + path, { ...init, headers: { authorization: 'Bearer x', ...init.headers } })
  const text = await answer.text()
  const body = text.startsWith('{') ? JSON.parse(text) : undefined
  return { status: answer.status, headers: answer.headers, text, body }
}
const post = (path: string, body: object, headers: Record<string, string> = {}) => {
  const type = { 'content-type': 'application/json' }
  return ask(path, { method: 'POST', body: JSON.stringify(body), headers: { ...type, ...headers } })
}
const asked = () => world.replicas.map((replica) => replica.asked.length)
const breakers = () => Object.values(world.upstreams.report().breakers)

describe('a replica that does not answer', () => {
  test('hangs: what may be asked twice is answered by another one, within the deadline', async () => {
    await open([hangs, ok])
    for (let n = 0; n < 2; n++) expect((await ask('/api/tiers', { headers: HURRY })).body).toEqual({ well: true })
    expect(asked()).toEqual([1, 2])
  })
  test('resets: a GET is answered by another one; a POST is not sent twice, and is said to be unknown', async () => {
    await open([resets, ok])
    expect((await ask('/api/tiers')).status).toBe(200)
    world.replicas[1]!.serve = resets
    const lost = await post('/api/purchases', {})
    expect([lost.status, lost.body.code, lost.body.order]).toEqual([504, 'outcome_unknown', undefined])
    expect(asked()[0]! + asked()[1]!).toBe(3)
  })
  test('nobody listens: not even a POST was sent, so another one gets it', async () => {
    await open([ok, ok])
    await world.replicas[0]!.close()
    for (let n = 0; n < 3; n++) expect((await post('/api/purchases', {})).status).toBe(200)
    expect(asked()).toEqual([0, 3])
  })
  test('503: asked elsewhere; where all say it, the client gets the service’s own words', async () => {
    await open([answers(json({ code: 'engine_behind' }, 503)), ok])
    for (let n = 0; n < 2; n++) expect((await ask('/api/tiers')).status).toBe(200)
    world.replicas[1]!.serve = answers(json({ code: 'engine_behind' }, 503))
    expect(await ask('/api/tiers')).toMatchObject({ status: 503, body: { code: 'engine_behind' } })
    expect(await post('/api/purchases', {})).toMatchObject({ status: 503, body: { code: 'engine_behind' } })
  })
  test('drips: a body that does not come in time is no answer', async () => {
    const drip: Serve = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n')
      const dripping = setInterval(() => socket.write('x'), 50)
      socket.on('close', () => clearInterval(dripping))
    }
    await open([drip, ok])
    for (let n = 0; n < 2; n++) expect((await ask('/api/tiers', { headers: HURRY })).body).toEqual({ well: true })
    world.replicas[1]!.serve = drip
    expect(await ask('/api/tiers', { headers: HURRY })).toMatchObject({ status: 503, body: { code: 'unavailable' } })
  })
  test('an order whose answer is lost is named: by its client_order_id, without one by the request id', async () => {
    await open([hangs])
    const order = { symbol: 'BTC/USD', side: 'buy', type: 'market', quantity: '1' }
    const named = await post('/api/assessments/a1/orders', { ...order, client_order_id: 'mine-1' }, HURRY)
    expect(named).toMatchObject({ status: 504, body: { code: 'outcome_unknown', order: 'client:mine-1' } })
    const unnamed = await post('/api/assessments/a1/orders', order, { ...HURRY, 'x-request-id': 'request-of-ann' })
    expect(unnamed.body.order).toBe('client:request-of-ann')
    expect(world.replicas[0]!.asked[1]).toContain('x-request-id: request-of-ann\r\n')
  })
  test('a client that has gone is no failure of the replica, and its request ends there too', async () => {
    await open([hangs])
    for (let n = 0; n < 6; n++) {
      const gone = new AbortController()
      const asking = ask('/api/tiers', { signal: gone.signal }).catch(({ name }) => name)
      await until('it has arrived', () => asked()[0] === n + 1)
      gone.abort()
      expect(await asking).toBe('AbortError')
    }
    await until('no connection is left', () => world.replicas[0]!.sockets.size === 0)
    expect(breakers()[0]).toBe('closed')
  })
  test('nor is a deadline that its client made short: nobody opens a circuit for the others', async () => {
    await open([hangs])
    const hurry = { headers: { 'x-deadline-ms': '1' } }
    for (let n = 0; n < 6; n++) expect((await ask('/api/tiers', hurry)).status).toBe(503)
    for (let n = 0; n < 6; n++) expect((await post('/api/purchases', {}, hurry.headers)).status).toBe(504)
    expect(breakers()[0]).toBe('closed')
    world.replicas[0]!.serve = ok
    expect((await ask('/api/tiers')).status).toBe(200)
  })
})

describe('a circuit', () => {
  test('opens after failures: the next requests fail at once and ask nobody; the trial after a second closes it', async () => {
    await open([resets])
    for (let n = 0; n < 5; n++) expect((await ask('/api/tiers')).status).toBe(503)
    const refused = await ask('/api/tiers')
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'unavailable', '1'])
    expect(asked()).toEqual([5])
    expect(world.upstreams.report()).toMatchObject({ breakers: { trading: 'open' } })
    expect(world.upstreams.report().degraded).toContain('trading: its circuit is open')
    expect(await world.metrics()).toMatch(/upstream_breaker\{service="trading",url="[^"]+"\} 2/)
    world.replicas[0]!.serve = ok
    await until('the trial succeeds', async () => (await ask('/api/tiers')).status === 200)
    expect(breakers()[0]).toBe('closed')
    expect(asked()).toEqual([6])
  })
  test('lets one trial through while others wait for its outcome', async () => {
    await open([resets])
    for (let n = 0; n < 5; n++) await ask('/api/tiers')
    world.replicas[0]!.serve = hangs
    await until('it is half-open', () => breakers()[0] === 'half-open')
    const all = await Promise.all(Array.from({ length: 10 }, () => ask('/api/tiers', { headers: HURRY })))
    expect(all.every(({ status }) => status === 503)).toBe(true)
    expect(asked()).toEqual([6])
  })
  test('of one replica leaves the others alone', async () => {
    await open([resets, resets])
    await Promise.all(Array.from({ length: 20 }, () => post('/api/purchases', {})))
    expect(breakers()).toEqual(['open', 'open'])
    world.replicas[1]!.serve = ok
    await until('one is back', async () => (await ask('/api/tiers')).status === 200)
    await until('its circuit is closed', () => breakers()[1] === 'closed')
    for (let n = 0; n < 6; n++) expect((await ask('/api/tiers')).status).toBe(200)
    expect(breakers()[0]).not.toBe('closed')
  })
  test('stays closed while the service itself says 503; a 502 of something between opens it', async () => {
    await open([answers(json({ code: 'unavailable' }, 503))])
    for (let n = 0; n < 12; n++) await ask('/api/tiers')
    expect(breakers()[0]).toBe('closed')
    world.replicas[0]!.serve = answers('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n')
    for (let n = 0; n < 14; n++) await ask('/api/tiers')
    expect(breakers()[0]).toBe('open')
  })
})

describe('a budget', () => {
  test('bounds what retries add: a service that fails altogether gets little more than its requests', async () => {
    const failing = answers(json({ code: 'unavailable' }, 503))
    await open([failing, failing, failing])
    const requests = 300
    for (let n = 0; n < requests; n += 10) await Promise.all(Array.from({ length: 10 }, () => ask('/api/tiers')))
    const sent = asked().reduce((sum, one) => sum + one, 0)
    expect(sent).toBeLessThanOrEqual(requests * 1.2 + 100)
    expect(await world.metrics()).toMatch(/upstream_retries_total\{service="trading",result="refused"\} \d+/)
  })
})

describe('what goes along', () => {
  test('request id, trace, tenant, address, deadline and the service’s own word; nothing that a client forged', async () => {
    await open([ok])
    const trace = '0af7651916cd43dd8448eb211c80319c'
    await ask('/api/tiers?x=1', {
      headers: {
        ...HURRY,
        traceparent: `00-${trace}-b7ad6b7169203331-00`,
        tracestate: 'vendor=1',
        'x-assay-tenant': 'forged',
        'x-assay-service': 'forged',
        'x-assay-relayed': '1',
        'x-forwarded-for': '10.0.0.1',
        forwarded: 'for=10.0.0.1',
        'x-real-ip': '10.0.0.1',
      },
    })
    const head = world.replicas[0]!.asked[0]!
    expect(head).toStartWith('GET /api/tiers?x=1 HTTP/1.1\r\n')
    expect(head).toContain('x-assay-tenant: acme\r\n')
    expect(head).toContain('x-forwarded-for: 127.0.0.1\r\n')
    expect(head).toContain('tracestate: vendor=1\r\n')
    expect(head).toMatch(new RegExp(`traceparent: 00-${trace}-(?!b7ad6b7169203331)[\\da-f]{16}-00\\r\\n`))
    expect(Number(/x-deadline-ms: (\d+)/.exec(head)![1])).toBeLessThanOrEqual(1500)
    expect(head).not.toMatch(/forged|10\.0\.0\.1|x-assay-relayed/)
    expect(head.match(/x-assay-service: /g)).toHaveLength(1)
    await ask('/api/tiers')
    expect(world.replicas[0]!.asked[1]).toMatch(/traceparent: 00-[\da-f]{32}-[\da-f]{16}-01\r\n/)
  })
  test('headers of an answer: all of its cookies, its own policy over the gateway’s, nothing of its connection', async () => {
    await open([
      answers(
        'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nkeep-alive: timeout=5\r\nset-cookie: a=1\r\nset-cookie: b=2\r\netag: "1"\r\ncontent-security-policy: own\r\n\r\nok',
      ),
    ])
    const { headers, text } = await ask('/api/tiers')
    expect([text, headers.getSetCookie(), headers.get('etag')]).toEqual(['ok', ['a=1', 'b=2'], '"1"'])
    expect([headers.get('content-security-policy'), headers.get('keep-alive')]).toEqual(['own', null])
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })
  test('answers without a body: 204, 304, and those to HEAD', async () => {
    await open([answers('HTTP/1.1 204 No Content\r\n\r\n')])
    expect(await ask('/api/tiers', { method: 'DELETE' })).toMatchObject({ status: 204, text: '' })
    world.replicas[0]!.serve = answers('HTTP/1.1 304 Not Modified\r\netag: "1"\r\n\r\n')
    expect(await ask('/api/tiers')).toMatchObject({ status: 304, text: '' })
    world.replicas[0]!.serve = answers('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n')
    expect(await ask('/api/tiers', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
  })
  test('no path leads out of the services’ own: dots, backslashes and second slashes find nothing', async () => {
    await open([ok])
    const { port } = new URL(world.url)
    for (const path of [
      '/api/tiers/..\\..\\internal\\x',
      '/api/tiers/%2e%2e/%2e%2e/internal/x',
      '//internal/x',
      '/api/../internal/x',
    ]) {
      const socket = connect(Number(port), '127.0.0.1')
      socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
      let said = ''
      socket.on('data', (bytes) => {
        said += bytes
      })
      await new Promise((resolve) => socket.on('close', resolve))
      expect([path, said.slice(9, 12)]).toEqual([path, '404'])
    }
    expect(asked()).toEqual([0])
  })
})

describe('a handshake', () => {
  /** What is answered to one; Bun's own client tells nothing but that it failed. */
  const handshake = async (path: string) => {
    const socket = connect(Number(new URL(world.url).port), '127.0.0.1')
    const key = 'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n${key}\r\n`)
    const said = await new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(bytes.toString())))
    socket.destroy()
    return said
  }
  test('for a path without WebSockets is a plain request: the service answers as ever', async () => {
    await open([ok])
    for (let n = 0; n < 6; n++) expect(await handshake('/api/tiers')).toStartWith('HTTP/1.1 200')
    expect(world.replicas[0]!.asked[0]).not.toContain('upgrade')
    expect(breakers()).toEqual(['closed'])
  })
  test('that the service refuses as too large is no failure of the replica: nobody opens a circuit with it', async () => {
    const tooLarge = 'HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\r\n'
    await open([(socket) => void socket.end(tooLarge)], undefined, 'websocket')
    for (let n = 0; n < 6; n++) expect(await handshake('/ws')).toStartWith('HTTP/1.1 400')
    expect(breakers()).toEqual(['closed'])
    world.replicas[0]!.serve = resets
    for (let n = 0; n < 6; n++) expect(await handshake('/ws')).toStartWith('HTTP/1.1 503')
    expect(breakers()).toEqual(['open'])
  })
})

test('a header that hides another one in its value never gets to a service', async () => {
  await open([ok])
  const { port } = new URL(world.url)
  for (const hidden of ['x-a: 1\nx-assay-service: forged', 'x-a: 1\rx-b: 2', 'x-a: one\r\n two', 'x-a: 1\0']) {
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`GET /api/tiers HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${hidden}\r\n\r\n`)
    let said = ''
    socket.on('data', (bytes) => {
      said += bytes
    })
    await new Promise((resolve) => socket.on('close', resolve))
    expect([hidden, said.slice(9, 12)]).toEqual([hidden, '400'])
  }
  expect(asked()).toEqual([0])
})

describe('a stream', () => {
  const events: Serve = (socket) =>
    void socket.write(
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n',
    )
  const quick = { eventsIdleMs: 60, streamIdleMs: 200 }
  const stream = async (path: string) => {
    const answer = await fetch(world.url + path)
    const reader = answer.body!.getReader()
    const read = async () => {
      const { done, value } = await reader.read()
      return done ? null : Buffer.from(value).toString()
    }
    // what has come meanwhile is read at once
    const readTo = async (end: string) => {
      let text = ''
      while (!text.endsWith(end)) {
        const more = await read()
        if (more === null) throw new Error(`it ended after ${JSON.stringify(text)}`)
        text += more
      }
      return text
    }
    return { answer, reader, read, readTo }
  }

  test('of events is passed on as it comes, with comments while it is silent', async () => {
    await open([events], quick)
    const { answer, read, readTo, reader } = await stream('/api/tiers')
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    expect(await read()).toBe('data: 1\n\n')
    expect(await readTo(':\n\n')).toMatch(/^(:\n\n)+$/)
    await reader.cancel()
    await until('the service hears of it', () => world.replicas[0]!.sockets.size === 0)
  })
  test('of JSON whose length nobody knows is neither kept until it ends nor compressed', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n'
    await open([answers(`${head}2\r\n[1\r\n`)])
    const { answer, read, reader } = await stream('/api/tiers')
    expect([await read(), answer.headers.get('content-encoding')]).toEqual(['[1', null])
    await reader.cancel()
  })
  test('of events gets no comment within an event', async () => {
    const half = '13\r\ndata: 1\n\ndata: ha\r\n'.replace('13', (11 + 8).toString(16).padStart(2, '0'))
    await open(
      [
        (socket) => {
          socket.write(
            `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n${half.replace(/^\w+/, '11')}`,
          )
          setTimeout(() => socket.write('4\r\nlf\n\n\r\n'), 200)
        },
      ],
      quick,
    )
    const { readTo, reader } = await stream('/api/tiers')
    expect(await readTo('half\n\n')).toBe('data: 1\n\ndata: half\n\n')
    await reader.cancel()
  })
  test('that breaks off, or says nothing any more, is an error for the client, never an end', async () => {
    const chunk = 'HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ntransfer-encoding: chunked\r\n\r\n2\r\na,\r\n'
    await open([(socket) => void socket.end(chunk)], quick)
    const outcome = () =>
      fetch(`${world.url}/api/tiers`)
        .then((answer) => answer.text())
        .then(
          () => 'whole',
          () => 'broken',
        )
    expect(await outcome()).toBe('broken')
    world.replicas[0]!.serve = answers(chunk)
    expect(await outcome()).toBe('broken')
  })
  test('ends with its replica: when that is found away, and when the gateway closes', async () => {
    await open([events], { eventsIdleMs: 10_000, streamIdleMs: 10_000 })
    const { read } = await stream('/api/tiers')
    expect(await read()).toBe('data: 1\n\n')
    world.upstreams.forsake()
    expect(await read()).toBeNull()
  })
})

test('health checks: a replica that is not ready is asked last, one that is away after it; back again it is asked', async () => {
  await open([ok, ok])
  const done = new AbortController()
  const running = world.upstreams.run(done.signal)
  const readyCount = async () => ((await world.metrics()).match(/upstream_ready\{[^}]+\} 1/g) ?? []).length
  await until('both are ready', async () => (await readyCount()) === 2, 15_000)
  world.replicas[0]!.ready = false
  await until('one is not', async () => (await readyCount()) === 1, 15_000)
  for (let n = 0; n < 4; n++) await ask('/api/tiers')
  expect(asked()).toEqual([0, 4])
  expect(world.upstreams.report().degraded).toContain('trading-0 is not ready')
  world.replicas[0]!.ready = true
  await until('both are ready', async () => (await readyCount()) === 2, 15_000)
  for (let n = 0; n < 4; n++) await ask('/api/tiers')
  expect(asked()).toEqual([2, 6])
  done.abort()
  await running
}, 60_000)
