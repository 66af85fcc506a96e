import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRedisCache } from '@assay/core/ports/cache/redis'
import { openRedis } from '@assay/core/ports/cache/redis-server'
import { systemClock } from '@assay/core/ports/clock/system'
import { describeReal } from '@assay/core/testing/adapters'
import { makeCertificate } from '../../scripts/stack/certificate.ts'
import { freePorts } from '../../scripts/stack/ports.ts'
import type { Server } from '../../scripts/stack/server.ts'
import { startRedis } from '../../scripts/stack/servers/redis.ts'

const log = { info: () => {}, warn: () => {} }

describeReal('Redis behind TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-redis-tls-'))
  let server: Server
  let url: string
  let ca: string
  beforeAll(async () => {
    const { caFile, certFile, keyFile } = await makeCertificate(join(folder, 'tls'))
    const [port] = await freePorts(1)
    const settings = {
      'tls-port': String(port),
      'tls-cert-file': certFile,
      'tls-key-file': keyFile,
      'tls-ca-cert-file': caFile,
      'tls-auth-clients': 'no',
    }
    server = await startRedis({ folder, settings })
    url = `rediss://127.0.0.1:${port}`
    ca = readFileSync(caFile, 'utf8')
  }, 130_000)
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  test('rediss:// with the authority named works; without it the certificate is refused', async () => {
    const redis = await openRedis({ url, ca, clock: systemClock, log })
    const cache = createRedisCache({ redis, clock: systemClock })
    await cache.set('k', 'v', 1_000)
    expect(await cache.take<string>('k')).toBe('v')
    await redis.close()
    const failure = await openRedis({ url, clock: systemClock, log }).catch((error: Error) => error.message)
    expect(failure).toMatch(/REDIS_URL: no connection to the Redis server: .*(certificate|issuer)/i)
  }, 30_000)
})
