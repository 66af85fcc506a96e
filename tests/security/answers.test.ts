import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { OPERATOR, openTarget, type Target } from './platform.ts'

interface Operation {
  parameters?: { name: string; in: string }[]
  responses: Record<string, unknown>
}
type Document = { paths: Record<string, Record<string, Operation>> }

let target: Target
let operator: Record<string, string>
let document: Document
/** every GET, with ids of nothing in its path */
let reads: string[]
beforeAll(async () => {
  target = await openTarget()
  operator = { authorization: `Bearer ${await target.logIn(OPERATOR)}` }
  document = (await (await target.get('/openapi.json')).json()) as Document
  reads = Object.entries(document.paths)
    .filter(([, methods]) => methods.get)
    .map(([path]) => path.replace(/\{[^}]*\}/g, '00000000-0000-4000-8000-000000000000'))
}, 60_000)
afterAll(() => target.close())

/** Documents for people are the only answers that a browser renders. */
const isPage = (answer: Response) => (answer.headers.get('content-type') ?? '').startsWith('text/html')

/** One of each kind: a page, JSON, text, problems by route, path, method, body and login. */
async function allKinds(): Promise<[string, Response][]> {
  const kinds: [string, Response][] = []
  for (const path of reads) {
    kinds.push([`GET ${path}`, await target.get(path, operator)])
    kinds.push([`GET ${path} by nobody`, await target.get(path)])
  }
  kinds.push(['no such path', await target.get('/nowhere')])
  kinds.push(['wrong method', await target.send('PUT', '/api/tiers', {})])
  kinds.push(['broken body', await target.send('POST', '/api/auth/login', '{')])
  kinds.push(['refused login', await target.send('POST', '/api/auth/login', { email: 'a@b.io', password: 'nobody' })])
  return kinds
}

describe('every answer', () => {
  let kinds: [string, Response][]
  beforeAll(async () => {
    kinds = await allKinds()
  }, 60_000)
  const each = (read: (answer: Response) => unknown) => kinds.map(([name, answer]) => [name, read(answer)])
  const all = (value: unknown) => kinds.map(([name]) => [name, value])

  test('is never sniffed, tells no other site where it was read, is framed by nobody (V3.4.4, V3.4.5, V3.4.6)', () => {
    expect(each(({ headers }) => headers.get('x-content-type-options'))).toEqual(all('nosniff'))
    // a form of ours must say its origin to us
    for (const [name, { headers }] of kinds)
      expect([name, headers.get('referrer-policy')]).toEqual([
        name,
        name.includes('/oauth/') ? expect.stringMatching(/^(no-referrer|same-origin)$/) : 'no-referrer',
      ])
    const frames = each(({ headers }) => /frame-ancestors 'none'/.test(headers.get('content-security-policy') ?? ''))
    expect(frames).toEqual(all(true))
  })
  test('names a policy that loads nothing but what it lists, no objects, no other base (V3.4.3)', () => {
    for (const part of ["default-src 'none'", "object-src 'none'", "base-uri 'none'"])
      expect(each(({ headers }) => headers.get('content-security-policy')?.includes(part))).toEqual(all(true))
  })
  test('has the type of what it holds, text with its character set (V4.1.1)', async () => {
    for (const [name, answer] of kinds) {
      const text = await answer.clone().text()
      const type = answer.headers.get('content-type') ?? ''
      if (text === '') continue
      if (type === 'application/zip') {
        expect([name, text.slice(0, 2)]).toEqual([name, 'PK'])
        expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="[\w.-]+"$/)
      } else if (type.startsWith('text/'))
        expect([name, type]).toEqual([name, expect.stringContaining('charset=utf-8')])
      else expect([name, type]).toEqual([name, expect.stringMatching(/^application\/(problem\+)?json/)])
      if (type.includes('json')) expect(() => JSON.parse(text)).not.toThrow()
    }
  })
  test('is JSON that no browser renders, unless it is a page of ours (V3.2.1)', () => {
    const pages = kinds.filter(([, answer]) => isPage(answer)).map(([name]) => name.replace(' by nobody', ''))
    for (const page of pages) expect(page).toMatch(/^GET \/(docs|oauth\/\w+)$/)
    for (const [name, answer] of kinds)
      if (!isPage(answer))
        expect([name, answer.headers.get('content-security-policy')]).toEqual([
          name,
          expect.stringMatching(/^default-src 'none'; base-uri 'none'/),
        ])
  })
  test('is kept by no cache unless its route says so, and those that do hold nothing of a user (V14.2.2, V14.3.2)', () => {
    const kept = kinds.filter(([, answer]) => answer.headers.get('cache-control') !== 'no-store')
    const paths = new Set(kept.map(([name]) => name.replace(' by nobody', '')))
    for (const name of paths) expect(name).toMatch(/^GET (\/\.well-known\/|\/oauth\/)/)
  })
  test('says nothing of the machine: no server name, no stack, no file (V16.5.1)', async () => {
    for (const [name, answer] of kinds) {
      expect([name, answer.headers.get('server'), answer.headers.get('x-powered-by')]).toEqual([name, null, null])
      if (answer.status >= 400)
        expect(await answer.clone().text()).not.toMatch(/\.ts:\d|node_modules|at async |select /)
    }
  })
})

describe('what a client says', () => {
  test('comes back as JSON text, never as markup or a header (V1.1.2, V1.2.1, V1.2.3)', async () => {
    const evil = `</script><img src=x onerror=alert(1)>"'\u2028`
    const answer = await target.get(`/api/${encodeURIComponent(evil)}%0d%0aset-cookie:%20a=b`)
    expect(answer.status).toBe(404)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.headers.get('set-cookie')).toBeNull()
    expect(((await answer.json()) as { instance: string }).instance).toStartWith('/api/')
    const named = await target.send('POST', '/api/auth/register', { email: 'a', password: 'b', [evil]: 1 })
    expect(await named.json()).toMatchObject({ code: 'validation_failed' })
  })
  test('is decoded once: what was encoded twice is another name (V1.1.1)', async () => {
    const status = async (path: string) => (await target.get(path)).status
    expect(await status('/api/instruments/BTC%2FUSD')).toBe(200)
    expect(await status('/api/instruments/BTC%252FUSD')).toBe(404)
    expect(await status('/api/instruments/%00')).toBe(422)
    expect(await status('/api/instruments/%2500')).toBe(404)
  })
  test('is a value of a query, never a part of it (V1.2.4)', async () => {
    const people = async () => (await target.get('/api/auth/check', operator)).status
    const attacks = [
      `' or '1'='1`,
      `'; drop table gateway.users; --`,
      `$1`,
      `\\'; select pg_sleep(9); --`,
      `%' union select 1--`,
    ]
    for (const attack of attacks) {
      const value = encodeURIComponent(attack)
      for (const path of reads) {
        const asked = path.includes('00000000')
          ? path.replace(/0{8}-[\d-]+/, value)
          : `${path}?cursor=${value}&id=${value}`
        const answer = await target.get(asked, operator)
        expect([asked, answer.status >= 500]).toEqual([asked, false])
      }
      const login = await target.send('POST', '/api/auth/login', { email: `a${attack}@b.io`, password: attack })
      expect([401, 422, 429]).toContain(login.status)
    }
    expect(await people()).toBe(200)
  }, 60_000)
  test('that names no file opens none: paths that climb are not found (V5.3.2, V13.4.3)', async () => {
    const climbs = ['/', '/.git/config', '/.git/', '/packages/', '/node_modules/', '/package.json', '/.env']
    for (const path of climbs) expect([path, (await target.get(path, operator)).status]).toEqual([path, 404])
    for (const up of ['..%2f..%2fetc%2fpasswd', '%2e%2e%2fpackage.json', '..%5c..%5cpackage.json', '....//etc/passwd'])
      for (const at of ['/api/presets/', '/api/calendars/', '/docs/', '/api/instruments/', '/']) {
        const answer = await target.get(at + up, operator)
        expect([404, 405, 422]).toContain(answer.status)
        expect(await answer.text()).not.toContain('root:')
      }
  })
  test('changes the prototype of no object and adds no field that was not asked for (V15.3.3, V15.3.6)', async () => {
    const password = 'an honest sentence 12'
    const text = `{"email":"proto@x.example","password":"${password}","role":"admin","tenant":"other","plan":"gold",
      "__proto__":{"role":"admin","polluted":true},"constructor":{"prototype":{"polluted":true}}}`
    const answer = await target.send('POST', '/api/auth/register', text)
    const token = { authorization: `Bearer ${await target.logIn({ email: 'proto@x.example', password })}` }
    expect([201, 422]).toContain(answer.status)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    if (answer.status === 201) {
      const { user } = (await (await target.get('/api/auth/check', token)).json()) as { user: object }
      expect(user).toMatchObject({ role: 'trader', tenant: 'default' })
    }
  })
  test('as a number past every range is refused by its field (V1.4.2)', async () => {
    for (const number of ['9007199254740993', '99999999999999999999', '1e400', '-1', '2147483648.5', 'NaN', '0x10'])
      for (const field of ['limit', 'cursor']) {
        const path = field === 'limit' ? '/api/tiers' : `/api/assessments`
        const answer = await target.get(`${path}?${field}=${encodeURIComponent(number)}`, operator)
        expect([field, number, answer.status < 500]).toEqual([field, number, true])
        if (field === 'limit' && number !== '0x10') expect([number, answer.status]).toEqual([number, 422])
      }
    for (const orders_per_second of [1e308, -1, 1.5, 2 ** 53]) {
      const made = await target.send('POST', '/api/api-keys', { name: 'n', limits: { orders_per_second } }, operator)
      expect([orders_per_second, made.status]).toEqual([orders_per_second, 422])
    }
  })
  test('twice under one name in a query is refused or read as one, never as another type (V15.3.7)', async () => {
    const twice = await target.get('/api/tiers?limit=1&limit=2', operator)
    expect(twice.status).toBe(422)
    expect(await twice.json()).toMatchObject({ code: 'validation_failed', field: 'limit' })
    const email = await target.send('POST', '/api/auth/login?email=other@x.io', OPERATOR)
    expect(email.status).toBe(200)
  })
})

describe('credentials', () => {
  const routes = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, one]) => ({ path, method, ...one })),
    )

  test('are never named in a query of the documented interface (V14.2.1)', () => {
    const named = routes().flatMap(({ parameters = [] }) => parameters.filter((one) => one.in === 'query'))
    expect(
      named
        .map(({ name }) => name)
        .filter((name) => /token|key|secret|password|pin|session/i.test(name) && !name.endsWith('_id')),
    ).toEqual([])
  })
  test('in a query, a cookie or a body open nothing: a page of another origin cannot send them (V3.5.2)', async () => {
    const token = operator.authorization!.slice('Bearer '.length)
    for (const name of ['token', 'access_token', 'api_key', 'authorization'])
      expect((await target.get(`/api/auth/check?${name}=${token}`)).status).toBe(401)
    const cookie = ['token', 'session', 'better-auth.session_token'].map((name) => `${name}=${token}`).join('; ')
    expect((await target.get('/api/auth/check', { cookie })).status).toBe(401)
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const login = await target.send('POST', '/api/auth/login', JSON.stringify(OPERATOR), { 'content-type': type })
      expect([type, login.status]).toEqual([type, 415])
    }
    const untyped = new Blob([JSON.stringify(OPERATOR)])
    expect((await fetch(`${target.url}/api/auth/login`, { method: 'POST', body: untyped })).status).toBe(415)
  })
  test('are in no log line, nor is a query (V14.2.1)', async () => {
    await target.get('/api/auth/check?token=assay_secret_in_a_query')
    const text = JSON.stringify(target.lines)
    expect(text).not.toContain('assay_secret_in_a_query')
    expect(text).not.toContain(OPERATOR.password)
    expect(text).not.toContain(operator.authorization!.slice(-40))
  })
  test('that lack the right are in the log with who, what and why (V16.3.2, V16.3.3)', async () => {
    const who = { email: 'noted@x.example', password: 'an honest sentence 13' }
    const { user } = (await (await target.send('POST', '/api/auth/register', who)).json()) as { user: { id: string } }
    const trader = { authorization: `Bearer ${await target.logIn(who)}` }
    await target.send('POST', '/api/auth/signing-keys', undefined, { ...trader, 'x-request-id': 'noted-forbidden' })
    await target.send('POST', '/api/auth/login', '{"email":7}', { 'x-request-id': 'noted-invalid' })
    await target.get('/api/auth/check', { authorization: 'Bearer forged', 'x-request-id': 'noted-forged' })
    const line = (id: string) => target.lines.find(({ request_id }) => request_id === id)
    const end = performance.now() + 2_000
    while (!line('noted-forged') && performance.now() < end) await Bun.sleep(1)
    expect(line('noted-forbidden')).toMatchObject({
      status: 403,
      code: 'forbidden',
      user: user.id,
      address: '127.0.0.1',
    })
    expect(line('noted-invalid')).toMatchObject({ status: 422, code: 'validation_failed' })
    expect(line('noted-forged')).toMatchObject({ status: 401, code: 'unauthorized', route: '/api/auth/check' })
  })
})

describe('methods and connections', () => {
  /** The raw answers to these bytes, until the server closes or is silent for 300 ms. */
  function raw(bytes: string): Promise<string> {
    const { hostname, port } = new URL(target.url)
    return new Promise((resolve, reject) => {
      let answer = ''
      const socket = connect(Number(port), hostname, () => socket.write(bytes))
      socket.setTimeout(300, () => socket.destroy())
      socket.on('data', (part) => {
        answer += part
      })
      socket.on('close', () => resolve(answer))
      socket.on('error', (error) => (answer ? resolve(answer) : reject(error)))
    })
  }
  const answersIn = (text: string) => text.match(/^HTTP\/1\.1 \d+/gm) ?? []

  test('TRACE and methods that no route has are refused and nothing is echoed (V13.4.4)', async () => {
    const trace = await raw(
      'TRACE /api/auth/check HTTP/1.1\r\nHost: x\r\nX-Secret: echo-me\r\nConnection: close\r\n\r\n',
    )
    expect(trace).toMatch(/^HTTP\/1\.1 (400|404|405|501)|^$/)
    expect(trace).not.toContain('echo-me')
    expect((await target.send('PURGE', '/api/tiers', undefined)).status).toBe(405)
  })
  test('a body whose end is said twice is not the beginning of another request (V4.2.1)', async () => {
    const smuggled = 'GET /api/time HTTP/1.1\r\nHost: x\r\n\r\n'
    const head = 'POST /api/auth/logout HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
    const both = await raw(`${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`)
    const lengths = await raw(`${head}Content-Length: 2\r\nContent-Length: ${smuggled.length + 2}\r\n\r\n{}${smuggled}`)
    const unknown = await raw(`${head}Transfer-Encoding: xchunked\r\n\r\n{}${smuggled}`)
    expect([both, lengths, unknown].map(answersIn)).toEqual([['HTTP/1.1 400'], ['HTTP/1.1 400'], ['HTTP/1.1 400']])
  })
  test('metrics are for this machine and for who may read them (V13.4.5)', async () => {
    expect((await target.get('/metrics')).status).toBe(200)
    const outside = { 'x-forwarded-for': '203.0.113.5' }
    expect((await target.get('/metrics', outside)).status).toBe(401)
    const who = { email: 'metrics@x.example', password: 'an honest sentence 14' }
    await target.send('POST', '/api/auth/register', who)
    const trader = { authorization: `Bearer ${await target.logIn(who)}` }
    expect((await target.get('/metrics', { ...outside, ...trader })).status).toBe(403)
    expect((await target.get('/internal/identity', operator)).status).toBe(404)
  })
})
