import { afterAll, beforeAll, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPostgres } from '@assay/core/ports/db/postgres'
import { describeReal } from '@assay/core/testing/adapters'
import { type CuttableProxy, cuttableProxy } from '@assay/core/testing/cuttable-proxy'
import { makeCertificate } from '../../scripts/stack/certificate.ts'
import { type Postgres, startPostgres } from '../../scripts/stack/servers/postgres.ts'

const log = { info: () => {}, warn: () => {}, error: () => {} }

describeReal('TLS to PostgreSQL', () => {
  let folder: string
  let server: Postgres
  let plain: Postgres
  /** the same server under an address that its certificate does not name */
  let otherName: CuttableProxy
  let otherCa: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'assay-tls-'))
    // the user of PostgreSQL passes through it
    chmodSync(folder, 0o711)
    ;[server, plain] = await Promise.all([
      startPostgres({ folder: join(folder, 'tls'), tls: true }),
      startPostgres({ folder: join(folder, 'plain') }),
    ])
    otherName = await cuttableProxy(server.env.DATABASE_URL!, '127.0.0.2')
    otherCa = (await makeCertificate(join(folder, 'other'))).caFile
  }, 120_000)
  afterAll(async () => {
    await otherName.close()
    await Promise.all([server.stop(), plain.stop()])
    rmSync(folder, { recursive: true, force: true })
  })

  /** whether the session is encrypted, or why there is none */
  async function tried(base: string, options: Record<string, string>): Promise<boolean | string> {
    const url = new URL(base)
    for (const [name, value] of Object.entries(options)) url.searchParams.set(name, value)
    try {
      const db = await openPostgres({ url: url.href, log, retryMs: 0, announced: [] })
      const [row] = await db.query<{ ssl: boolean }>('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
      await db.close()
      return row!.ssl
    } catch (error) {
      return (error as Error).message
    }
  }

  test.each([
    ['disable', false],
    ['prefer', true],
    ['require', true],
  ])('sslmode=%s to a server that offers it: encrypted %p', async (sslmode, encrypted) => {
    expect(await tried(server.env.DATABASE_URL!, { sslmode })).toBe(encrypted)
  })

  test('a server without it is used by prefer, and refused by require', async () => {
    expect(await tried(plain.env.DATABASE_URL!, {})).toBe(false)
    expect(await tried(plain.env.DATABASE_URL!, { sslmode: 'require' })).toContain('does not support SSL')
  })

  test('verify-ca wants a certificate of the root, verify-full also the name in it', async () => {
    const sslrootcert = server.caFile!
    const at = (base: string, options: Record<string, string>) => tried(base, { sslrootcert, ...options })
    expect(await at(server.env.DATABASE_URL!, { sslmode: 'verify-ca' })).toBe(true)
    expect(await at(server.env.DATABASE_URL!, { sslmode: 'verify-full' })).toBe(true)
    expect(await at(otherName.url, { sslmode: 'verify-ca' })).toBe(true)
    expect(await at(otherName.url, { sslmode: 'verify-full' })).toMatch(/127\.0\.0\.2/)
    for (const sslmode of ['verify-ca', 'verify-full', 'require'])
      expect(await at(server.env.DATABASE_URL!, { sslmode, sslrootcert: otherCa })).toMatch(/certificate|issuer/i)
    expect(await tried(server.env.DATABASE_URL!, { sslmode: 'verify-full' })).toMatch(/certificate|issuer/i)
  })
})
