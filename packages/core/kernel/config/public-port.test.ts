import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Elysia } from 'elysia'
import { readCertificate } from '../certificate.ts'
import type { Platform } from '../compose.ts'
import { ConfigError, readConfig } from '../config.ts'
import { listen, listenForRedirects } from '../listen.ts'
import { makeLocalCa } from '../local-ca.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-public-port-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const HOUR = 3_600_000
const ca = await makeLocalCa()

async function certificate(name: string) {
  const { cert, key } = await ca.issue(name, HOUR)
  const [HTTPS_CERT_FILE, HTTPS_KEY_FILE] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
  writeFileSync(HTTPS_CERT_FILE, cert)
  writeFileSync(HTTPS_KEY_FILE, key)
  return { HTTPS_CERT_FILE, HTTPS_KEY_FILE }
}
const read = (env: Record<string, string>, now?: number) => {
  try {
    return readCertificate(readConfig(env).platform, now)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ variable }) => variable)
  }
}

test('the public port speaks TLS 1.2 and later with the certificate from the files, and no plain HTTP', async () => {
  const found = readCertificate(readConfig(await certificate('public')).platform)
  const app = new Elysia().get('/open', ({ request }) => ({ url: request.url }))
  const at = { hostname: '127.0.0.1', port: 0, certificate: found }
  const server = listen({ app, websocket: undefined } as unknown as Platform, at)
  const tls = { ca: ca.ca, checkServerIdentity: () => undefined }
  const answer = await fetch(`https://127.0.0.1:${server.port}/open`, { tls })
  expect(await answer.json()).toEqual({ url: `https://127.0.0.1:${server.port}/open` })
  expect(await fetch(`http://127.0.0.1:${server.port}/open`).then((got) => got.status, String)).not.toBe(200)
  const old = fetch(`https://127.0.0.1:${server.port}/open`, { tls: { ...tls, maxVersion: 'TLSv1.1' } as never })
  expect(await old.then((got) => got.status, String)).not.toBe(200)
  await server.stop(true)
})

test('the plain port beside it only says where to go, and takes no body', async () => {
  const server = listenForRedirects({ hostname: '127.0.0.1', port: 0 }, 8443)
  const ask = (init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${server.port}/api/tiers?limit=1`, { redirect: 'manual', ...init })
  const answer = await ask()
  expect([answer.status, answer.headers.get('location')]).toEqual([308, 'https://127.0.0.1:8443/api/tiers?limit=1'])
  expect((await ask({ method: 'POST', body: 'secret' })).status).not.toBe(308)
  for (const host of ['a:b', '[::1', 'a b'])
    expect([host, (await ask({ headers: { host } })).status]).toEqual([host, 400])
  await server.stop(true)
})

test('a certificate that is over, unreadable, alone or of another key stops the start and names the variable', async () => {
  const one = await certificate('one')
  const other = await certificate('other')
  expect(read(one)).toHaveProperty('cert')
  expect(read(one, Date.now() + 2 * HOUR)).toEqual(['HTTPS_CERT_FILE'])
  expect(read({ ...one, HTTPS_KEY_FILE: other.HTTPS_KEY_FILE })).toEqual(['HTTPS_KEY_FILE'])
  expect(read({ ...one, HTTPS_CERT_FILE: join(folder, 'absent') })).toEqual(['HTTPS_CERT_FILE'])
  expect(read({ HTTPS_CERT_FILE: one.HTTPS_CERT_FILE })).toEqual(['HTTPS_KEY_FILE'])
  expect(read({ HTTPS_REDIRECT_PORT: '80' })).toEqual(['HTTPS_REDIRECT_PORT'])
  expect(read({ ADDRESS_DENY: '10.0.0.0/33' })).toEqual(['ADDRESS_DENY'])
  expect(read({})).toBeNull()
})
