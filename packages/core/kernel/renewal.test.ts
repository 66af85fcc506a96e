import { afterAll, expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { Elysia } from 'elysia'
import { Registry } from 'prom-client'
import { z } from 'zod'
import type { Clock } from '../ports/clock/port.ts'
import { systemClock } from '../ports/clock/system.ts'
import { ManualClock } from '../testing/clock.ts'
import { until } from '../testing/until.ts'
import { withCtx } from './edge.ts'
import { createHealth } from './health.ts'
import { createLifecycle } from './lifecycle.ts'
import { makeLocalCa, writeCredentials } from './local-ca.ts'
import type { Peers } from './peers.ts'
import { renewCertificates } from './renewal.ts'
import { type Started, startPlatform } from './run.ts'
import type { Service } from './service.ts'
import type { PeerCredentials } from './service-token.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-renewal-'))
const open: (() => unknown)[] = []
afterAll(async () => {
  await Promise.all(open.map((close) => close()))
  rmSync(folder, { recursive: true, force: true })
}, 30_000)
const HOUR = 3_600_000
const ca = await makeLocalCa()
const quiet = { info() {}, warn() {}, error() {}, debug() {} }
/** Files are looked at as often as it can be awaited. */
const hasty: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 50), signal) }
const serialOf = ({ cert }: Pick<PeerCredentials, 'cert'>) => new X509Certificate(cert).serialNumber

/** The serial number that a new handshake shows; the socket stays open. */
function handshake({ port, ...tls }: { port: number } & Partial<PeerCredentials>): Promise<[string, TLSSocket]> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', ...tls, rejectUnauthorized: false }
    const socket = connect(options, () => resolve([socket.getPeerCertificate().serialNumber, socket]))
    socket.on('error', reject)
  })
}
const shown = async (asked: Parameters<typeof handshake>[0]) => {
  const [serial, socket] = await handshake(asked)
  socket.destroy()
  return serial
}
/** Waits for it; who connects in the moment of the change may be reset. */
const untilShown = (asked: Parameters<typeof handshake>[0], wanted: PeerCredentials) =>
  until(
    'new handshakes show it',
    () =>
      shown(asked).then(
        (serial) => serial === serialOf(wanted),
        () => false,
      ),
    20_000,
  )

test('a port for peers and the connections to them take a renewed certificate while the process runs', async () => {
  const release = Promise.withResolvers<void>()
  let peers: Peers | undefined
  const trading: Service = {
    name: 'trading',
    config: z.object({}),
    create(deps) {
      peers = deps.peers
      return {
        app: new Elysia({ name: 'trading' })
          .use(withCtx)
          .get('/api/slow', () => release.promise.then(() => 'whole'))
          .get('/api/from', ({ ctx }) => ctx.address)
          .ws('/api/echo', { message: (socket, message) => void socket.send(message) }),
      }
    },
  }
  const first = await ca.issue('trading', HOUR)
  const files = writeCredentials(folder, 'trading', first)
  const started = await startPlatform({
    services: [trading],
    clock: hasty,
    port: 0,
    env: {
      ASSAY_HOME: join(folder, 'home'),
      LOG_LEVEL: 'silent',
      ASSAY_PEERS: 'https://127.0.0.1:{port}',
      ASSAY_PEER_URL: 'https://127.0.0.1:1',
      FORCE_HTTPS: 'false',
      ...files,
    },
  })
  open.push(started.close)
  const { port } = started
  const asPeer = { port, ...(await ca.issue('gateway', HOUR)) }
  const tls = { ...asPeer, port: undefined, serverName: 'trading.assay.internal' }
  const get = (path: string) =>
    fetch(`https://127.0.0.1:${port}${path}`, { tls, keepalive: false }).then((a) => a.text())
  expect(await shown(asPeer)).toBe(serialOf(first))

  // whom it calls sees its certificate, and its service token names it
  const seen = { serial: '', token: '' }
  const gateway = createServer({ ...(await ca.issue('gateway', HOUR)), requestCert: true }, (caller) => {
    let text = ''
    caller.on('error', () => {})
    caller.on('data', (bytes) => {
      text += bytes.toString()
      if (!text.includes('\r\n\r\n')) return
      const [header] = /x-assay-service: (\S+)/i.exec(text)![1]!.split('.')
      const { x5c } = JSON.parse(Buffer.from(header!, 'base64url').toString()) as { x5c: string[] }
      seen.token = new X509Certificate(Buffer.from(x5c[0]!, 'base64')).serialNumber
      seen.serial = caller.getPeerCertificate().serialNumber
      caller.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}')
    })
  })
  await new Promise<void>((listening) => gateway.listen(0, '127.0.0.1', listening))
  open.push(() => gateway.close())
  const base = `https://127.0.0.1:${(gateway.address() as { port: number }).port}`
  const byFetch = async () => {
    await peers!.fetch('gateway', base, '/')
    return { ...seen }
  }
  const byPool = async () => {
    await peers!.ask('gateway', base, { method: 'GET', path: '/', headerLines: '', timeoutMs: 5_000 })
    return { ...seen }
  }
  const own = (credentials: PeerCredentials) => ({ serial: serialOf(credentials), token: serialOf(credentials) })
  expect([await byFetch(), await byPool()]).toEqual([own(first), own(first)])

  const slow = get('/api/slow')
  const socket = new WebSocket(`wss://127.0.0.1:${port}/api/echo`, { tls } as never)
  await new Promise((opened) => (socket.onopen = opened))
  const echo = () =>
    new Promise<string>((heard) => {
      socket.onmessage = ({ data }) => heard(String(data))
      socket.send('still here')
    })
  expect(await echo()).toBe('still here')

  // another key than that of the certificate: as between the writes of the two
  const second = await ca.issue('trading', HOUR)
  writeFileSync(files.TLS_KEY_FILE, second.key)
  await hasty.sleep(HOUR)
  await hasty.sleep(HOUR)
  await hasty.sleep(HOUR)
  expect([await shown(asPeer), (await byFetch()).serial]).toEqual([serialOf(first), serialOf(first)])
  writeFileSync(files.TLS_CERT_FILE, second.cert)
  await untilShown(asPeer, second)
  expect([await byFetch(), await byPool()]).toEqual([own(second), own(second)])

  // what was under way goes on where it was
  expect(await echo()).toBe('still here')
  release.resolve()
  expect(await slow).toBe('whole')
  expect(await get('/api/from')).toBe('127.0.0.1')

  // again and again
  for (let time = 0; time < 3; time++) {
    const next = await ca.issue('trading', HOUR)
    writeCredentials(folder, 'trading', next)
    await untilShown(asPeer, next)
    expect(await get('/api/slow')).toBe('whole')
  }
  expect(await echo()).toBe('still here')
  socket.close()
}, 60_000)

test('the public port takes a renewed certificate, and one that is of no use is not taken', async () => {
  const plain: Service = {
    name: 'gateway',
    config: z.object({}),
    create: () => ({ app: new Elysia({ name: 'gateway' }).get('/open', () => 'open') }),
  }
  const [HTTPS_CERT_FILE, HTTPS_KEY_FILE] = [join(folder, 'public.crt'), join(folder, 'public.key')]
  const write = ({ cert, key }: PeerCredentials) => {
    writeFileSync(HTTPS_KEY_FILE, key)
    writeFileSync(HTTPS_CERT_FILE, cert)
  }
  const first = await ca.issue('public', HOUR)
  write(first)
  const started: Started = await startPlatform({
    services: [plain],
    clock: hasty,
    port: 0,
    env: { ASSAY_HOME: join(folder, 'public'), LOG_LEVEL: 'silent', HTTPS_CERT_FILE, HTTPS_KEY_FILE },
  })
  open.push(started.close)
  const at = { port: started.port }
  expect(await shown(at)).toBe(serialOf(first))
  write({ ...(await ca.issue('public', HOUR)), cert: 'no certificate' })
  await hasty.sleep(HOUR)
  await hasty.sleep(HOUR)
  expect(await shown(at)).toBe(serialOf(first))
  const second = await ca.issue('public', HOUR)
  write(second)
  await untilShown(at, second)
  const tls = { ca: ca.ca, checkServerIdentity: () => undefined }
  expect(await (await fetch(`https://127.0.0.1:${at.port}/open`, { tls })).text()).toBe('open')
}, 30_000)

test('/health warns of a certificate near its end that nobody renews; the metric tells its days', async () => {
  const clock = new ManualClock(Date.now())
  const [metrics, health, lifecycle] = [new Registry(), createHealth(clock), createLifecycle({ log: quiet })]
  open.push(lifecycle.close)
  const { cert } = await ca.issue('trading', 80 * HOUR)
  const one = { name: 'peers', files: [join(folder, 'none')], read: () => cert, use() {} }
  renewCertificates([one], { clock, log: quiet, metrics, health, lifecycle })
  const degraded = async () => (await health.report()).degraded.join()
  const { validTo } = new X509Certificate(cert)
  expect(await degraded()).toBe('')
  expect(await metrics.metrics()).toMatch(/certificate_days_left\{certificate="peers"\} 3\.3\d+/)
  await clock.advance(71 * HOUR)
  expect(await degraded()).toBe(`certificate peers: ends at ${validTo}, no newer one came`)
  await clock.advance(10 * HOUR)
  expect(await degraded()).toBe(`certificate peers: ended at ${validTo}`)
})
