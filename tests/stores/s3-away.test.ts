import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openS3Blobs, type S3Blobs, type S3Options } from '@assay/core/ports/blobs/s3'
import { systemClock } from '@assay/core/ports/clock/system'
import { describeReal } from '@assay/core/testing/adapters'
import { type FaultProxy, startFaultProxy } from '../../scripts/stack/fault-proxy.ts'
import type { Server } from '../../scripts/stack/server.ts'
import { startVersitygw } from '../../scripts/stack/servers/versitygw.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describeReal('the S3 server away', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-s3-'))
  let server: Server
  let proxy: FaultProxy
  let options: S3Options
  let blobs: S3Blobs
  beforeAll(async () => {
    server = await startVersitygw({ folder })
    proxy = await startFaultProxy({ target: server.ports.s3! })
    options = {
      endpoint: `http://${proxy.address}`,
      bucket: server.env.S3_BUCKET!,
      region: server.env.S3_REGION!,
      accessKeyId: server.env.S3_ACCESS_KEY_ID!,
      secretAccessKey: server.env.S3_SECRET_ACCESS_KEY!,
      clock: systemClock,
      timeoutMs: 700,
    }
    blobs = await openS3Blobs(options)
  }, 600_000)
  afterAll(async () => {
    await blobs.close()
    await proxy.close()
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  const faults: Record<string, { begin: () => unknown; end: () => unknown }> = {
    'killed and started again': { begin: () => server.signal('SIGKILL'), end: () => server.restart() },
    'stopped and continued': { begin: () => server.signal('SIGSTOP'), end: () => server.signal('SIGCONT') },
    'cut off': { begin: () => proxy.cut(), end: () => proxy.heal() },
    'losing its answers': { begin: () => proxy.swallow('down'), end: () => proxy.heal() },
  }
  test.each(Object.keys(faults))(
    '%s: calls end unavailable within their tries, what was put before is there after',
    async (name) => {
      const { begin, end } = faults[name]!
      await blobs.put('kept', bytes(name))
      await begin()
      const began = performance.now()
      const failures = await Promise.all(
        [blobs.put('during', bytes(name)), blobs.get('kept'), blobs.has('kept'), blobs.list('')].map((call) =>
          call.then(
            () => 'done',
            (error) => error.code,
          ),
        ),
      )
      expect(failures).toEqual(failures.map(() => 'unavailable'))
      expect(performance.now() - began).toBeLessThan(6_000)
      expect(blobs.away()).not.toBeNull()
      await end()
      expect(await blobs.get('kept')).toEqual(bytes(name))
      expect(blobs.away()).toBeNull()
    },
    60_000,
  )

  test('a fault shorter than the tries is not noticed', async () => {
    await proxy.cut()
    const putting = blobs.put('through', bytes('x'))
    await proxy.heal()
    await putting
    expect(await blobs.has('through')).toBe(true)
  })

  test('large content goes up in parts and comes back as it was', async () => {
    const patient = await openS3Blobs({ ...options, timeoutMs: 20_000 })
    const content = new Uint8Array(20 * 1024 * 1024 + 7).map((_, i) => (i * 31 + (i >> 13)) & 0xff)
    await patient.put('large', content)
    const back = await patient.get('large')
    expect(new Bun.CryptoHasher('sha256').update(back!).digest('hex')).toBe(
      new Bun.CryptoHasher('sha256').update(content).digest('hex'),
    )
    const many = Array.from({ length: 1_050 }, (_, i) => `many/${String(i).padStart(4, '0')}`)
    for (let at = 0; at < many.length; at += 50)
      await Promise.all(many.slice(at, at + 50).map((name) => patient.put(name, bytes('x'))))
    expect(await patient.list('many/', { limit: 2_000 })).toEqual(many)
    expect(await patient.list('many/', { after: 'many/0999', limit: 10 })).toEqual(many.slice(1_000, 1_010))
  }, 90_000)

  test('a wrong secret or bucket stops the start and names the reason', async () => {
    const failureOf = (wrong: Partial<S3Options>) =>
      openS3Blobs({ ...options, ...wrong }).catch((error: Error) => error.message)
    expect(await failureOf({ secretAccessKey: 'wrong' })).toContain('SignatureDoesNotMatch')
    expect(await failureOf({ bucket: 'nobody' })).toContain('S3_BUCKET: "nobody" can\'t be read: NoSuchBucket')
  })
})
