import { afterAll, beforeAll, expect, test } from 'bun:test'
import { makeLocalCa } from '@assay/core/kernel/local-ca'
import type { Server } from 'bun'
import { isPublicAddress } from './public-address.ts'
import { createDocumentReader } from './read-document.ts'

const HOST = 'client.assay.internal'
let server: Server<unknown>
let ca: string
const asked: { path: string; host: string | null }[] = []
let hang: (() => void) | undefined

beforeAll(async () => {
  const authority = await makeLocalCa()
  ca = authority.ca
  const { cert, key } = await authority.issue('client', 60_000)
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { cert, key },
    async fetch(request) {
      const { pathname } = new URL(request.url)
      asked.push({ path: pathname, host: request.headers.get('host') })
      if (pathname === '/moved') return Response.redirect('https://client.assay.internal/document')
      if (pathname === '/html') return new Response('<p>', { headers: { 'content-type': 'text/html' } })
      if (pathname === '/large') return Response.json({ pad: 'x'.repeat(6_000) })
      if (pathname === '/broken') return new Response('{', { headers: { 'content-type': 'application/json' } })
      if (pathname === '/missing') return new Response(null, { status: 404 })
      if (pathname === '/endless') {
        const endless = new ReadableStream({
          pull: (controller) => void controller.enqueue(new TextEncoder().encode('x'.repeat(1_024))),
        })
        return new Response(endless, { headers: { 'content-type': 'application/json' } })
      }
      if (pathname === '/slow') await new Promise<void>((resolve) => (hang = resolve))
      return Response.json({ here: true }, { headers: { 'cache-control': 'public, max-age=120' } })
    },
  })
})
afterAll(async () => {
  hang?.()
  await server.stop(true)
})

const at = (path: string) => new URL(`https://${HOST}:${server.port}${path}`)
const read = (path: string, more: object = {}) =>
  createDocumentReader({ local: true, ca, resolve: async () => ['127.0.0.1'], ...more })(at(path)).then(
    (answer) => JSON.stringify(answer),
    (error) => `${error.error}: ${error.description}`,
  )

test('the document comes from the checked address, under the certificate and the host of its name', async () => {
  expect(await read('/document')).toBe('{"document":{"here":true},"maxAgeS":120}')
  expect(asked.at(-1)).toEqual({ path: '/document', host: `${HOST}:${server.port}` })
})

test('a certificate of another name or another authority is refused', async () => {
  const other = new URL(`https://other.assay.internal:${server.port}/document`)
  const reader = createDocumentReader({ local: true, ca, resolve: async () => ['127.0.0.1'] })
  expect(await reader(other).then(() => 'read', String)).toContain('could not be read')
  expect(await read('/document', { ca: undefined })).toContain('could not be read')
})

test('redirects, other types, errors, what is too large, broken or endless give nothing (V15.3.2)', async () => {
  expect(await read('/moved')).toContain('answers 302')
  expect(asked.at(-1)!.path).toBe('/moved')
  expect(await read('/html')).toContain('is not application/json')
  expect(await read('/missing')).toContain('answers 404')
  expect(await read('/large')).toContain('is larger than 5120 bytes')
  expect(await read('/endless')).toContain('is larger than 5120 bytes')
  expect(await read('/broken')).toContain('could not be read')
})

test('a server or a resolver that does not answer is waited for no longer than the time-out', async () => {
  const began = performance.now()
  expect(await read('/slow', { timeoutMs: 100 })).toContain('could not be read')
  expect(await read('/document', { timeoutMs: 100, resolve: () => new Promise(() => {}) })).toContain(
    'could not be read',
  )
  expect(performance.now() - began).toBeLessThan(2_000)
})

test('in production nothing but https to the public internet is asked, even if only one address is inside (V1.3.6)', async () => {
  const before = asked.length
  for (const addresses of [['127.0.0.1'], ['10.0.0.1'], ['::1'], ['93.184.215.14', '169.254.169.254'], []]) {
    expect(await read('/document', { local: false, resolve: async () => addresses })).toContain(
      'not on the public internet',
    )
  }
  const reader = createDocumentReader({ local: false })
  for (const url of [
    'http://93.184.215.14/x',
    'https://127.0.0.1/x',
    'https://[::1]/x',
    'https://0x7f.1/x',
    'https://2130706433/x',
  ])
    expect(await reader(new URL(url)).then(() => 'read', String)).toMatch(/public internet|https/)
  expect(asked.length).toBe(before)
})

test('in development this machine may be asked, another inside network not', async () => {
  expect(await read('/document', { resolve: async () => ['192.168.1.1'] })).toContain('not on the public internet')
})

test('public addresses are those that IANA has not set aside', () => {
  for (const address of ['1.1.1.1', '93.184.215.14', '2606:4700::1111', '2a00:1450:4001::1'])
    expect({ address, is: isPublicAddress(address) }).toEqual({ address, is: true })
  for (const address of [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.31.255.255',
    '192.168.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    '2001:db8::1',
    '2002:7f00:1::',
    '2001::1',
    'nonsense',
    '',
  ])
    expect({ address, is: isPublicAddress(address) }).toEqual({ address, is: false })
})
