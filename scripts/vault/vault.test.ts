import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SECRET_ACCESS } from '@assay/core/contracts/secrets'
import { SERVICES } from '@assay/core/contracts/services'
import { systemClock } from '@assay/core/ports/clock/system'
import { migrate } from '@assay/core/ports/db/migrate'
import { openPostgres } from '@assay/core/ports/db/postgres'
import { type Secrets, SecretsError } from '@assay/core/ports/secrets/port'
import { openVault, type VaultOptions } from '@assay/core/ports/secrets/vault'
import { describeReal } from '@assay/core/testing/adapters'
import { emptyPostgres, testServerUrl } from '@assay/core/testing/postgres'
import { until } from '@assay/core/testing/until'
import { testVault } from '@assay/core/testing/vault'
import pg from 'pg'
import { vaultAdmin } from './admin.ts'
import { setUpVault } from './setup.ts'
import { tellStatus } from './status.ts'

test('every service has an entry for its policy', () => {
  expect(Object.keys(SECRET_ACCESS)).toEqual(SERVICES.map(({ name }) => name))
})

describeReal('vault setup', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-vault-'))
  const owner = `assay_owner_${crypto.randomUUID().slice(0, 8)}`
  const operations: string[] = []
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const opened: Secrets[] = []
  let server: Awaited<ReturnType<typeof testVault>>
  let database: Awaited<ReturnType<typeof emptyPostgres>>
  const told: string[] = []

  async function setUp(): Promise<void> {
    const url = new URL(database.url)
    url.password ||= 'unused'
    await setUpVault({
      vault: vaultAdmin({ VAULT_ADDR: server.address, VAULT_TOKEN: server.token }),
      // renewed a few times, then at the end of its life, within seconds
      database: { url: url.href, owner, ttl: '4s', maxTtl: '9s' },
      folder,
      renew: false,
      progress: (line) => told.push(line),
    })
  }
  async function logIn(service: string, more: Partial<VaultOptions> = {}): Promise<Secrets> {
    const of = Object.fromEntries(
      readFileSync(join(folder, `${service}.env`), 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split('=')),
    )
    const secrets = await openVault({
      address: of.VAULT_ADDR,
      login: { method: 'approle', roleId: of.VAULT_ROLE_ID, secretId: of.VAULT_SECRET_ID },
      clock: systemClock,
      log,
      onOperation: (operation) => operations.push(operation),
      ...more,
    })
    opened.push(secrets)
    return secrets
  }
  async function dropOwner(): Promise<void> {
    const client = new pg.Client({ connectionString: testServerUrl() })
    await client.connect()
    await client.query(`drop role ${owner}`).finally(() => client.end())
  }
  const refused = (work: Promise<unknown>) =>
    work.then(
      () => 'allowed',
      (error) => (error instanceof SecretsError ? 'refused' : error),
    )

  beforeAll(async () => {
    server = await testVault()
    database = await emptyPostgres()
    await setUp()
  })
  afterAll(async () => {
    await Promise.all(opened.map((secrets) => secrets.close()))
    await server.admin('POST', 'sys/leases/revoke-force/database/creds/postgres-role')
    await database.drop()
    await dropOwner()
    await server.close()
    rmSync(folder, { recursive: true })
  })

  test('a second run changes nothing and keeps the logins; they are their owner’s alone', async () => {
    const logins = () => readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
    const before = logins()
    told.length = 0
    await setUp()
    expect(logins()).toEqual(before)
    expect(told.filter((line) => line.startsWith('mounted') || line.includes('; login in'))).toEqual([])
    expect(before).toHaveLength(SERVICES.length + 1)
    for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)
    const lines: string[] = []
    await tellStatus(vaultAdmin({ VAULT_ADDR: server.address, VAULT_TOKEN: server.token }), (line) => lines.push(line))
    expect(lines.filter((line) => line.startsWith('MISSING') && !line.includes('audit'))).toEqual([])
  })

  test('a service reaches its own secrets and keys, nobody else’s (V13.3.2)', async () => {
    const gateway = await logIn('gateway')
    const trading = await logIn('trading')
    await gateway.setSecret('secret/data/jwt', 'probe', 'one')
    expect(await gateway.getSecret('secret/data/jwt', 'probe')).toBe('one')
    const sealed = await gateway.encrypt('gateway.probe', new Uint8Array([1]), 'c')
    expect(await gateway.decrypt('gateway.probe', sealed, 'c')).toEqual(new Uint8Array([1]))
    await gateway.createTotp('probe', { issuer: 'Assay', account: 'a' })
    expect(await gateway.verifyTotp('probe', await gateway.generateTotp('probe'))).toBe(true)
    await gateway.deleteTotp('probe')
    await gateway.deleteSecret('secret/data/jwt', 'probe')
    const attempts = [
      trading.getSecret('secret/data/jwt', 'probe'),
      trading.setSecret('secret/data/jwt', 'probe', 'two'),
      trading.deleteSecret('secret/data/jwt', 'probe'),
      trading.decrypt('gateway.probe', sealed, 'c'),
      trading.generateTotp('probe'),
      gateway.getSecret('secret/data/journal-keys', 'keys'),
      gateway.listSecrets('secret/data/'),
    ]
    expect(await Promise.all(attempts.map(refused))).toEqual(attempts.map(() => 'refused'))
  })

  test('database logins are renewed, and issued anew behind the pool without a failed query', async () => {
    const secrets = await logIn('assay', { database: { role: 'postgres-role', owner, graceMs: 2_000 } })
    const withoutLogin = new URL(database.url)
    withoutLogin.username = owner
    withoutLogin.password = ''
    const db = await openPostgres({
      url: withoutLogin.href,
      log: log as never,
      credentials: await secrets.databaseCredentials(),
    })
    const users = new Set<string>()
    const failures: unknown[] = []
    let queries = 0
    let done = false
    try {
      await migrate(db)
      const work = async (as: 'owner' | 'gateway') => {
        const sql = as === 'owner' ? db : db.as('gateway')
        while (!done) {
          const [row] = await sql.query<{ login: string; role: string }>(
            'select session_user::text as login, current_user::text as role, pg_sleep(0.005)',
          )
          users.add(row!.login)
          if (row!.role !== (as === 'owner' ? owner : 'gateway')) failures.push(row!.role)
          queries++
        }
      }
      const load = Array.from({ length: 6 }, (_, i) =>
        work(i % 2 ? 'owner' : 'gateway').catch((error) => failures.push(error)),
      )
      await until('two logins came to the end of their life', () => users.size >= 3 || failures.length > 0, 40_000)
      const before = users.size
      await secrets.rotateDatabaseCredentials()
      await until('the pool uses the login that was asked for', () => users.size > before || failures.length > 0)
      done = true
      await Promise.all(load)
      expect(failures).toEqual([])
      expect(queries).toBeGreaterThan(1_000)
      expect(operations.filter((operation) => operation === 'lease-renew').length).toBeGreaterThan(2)
      const owned = await db.query<{ owner: string }>(
        `select distinct tableowner as owner from pg_tables where schemaname = 'trading'`,
      )
      expect(owned).toEqual([{ owner }])
      await until(
        'ended logins are gone from the database',
        async () => {
          const rows = await db.query(`select from pg_roles where rolname = any($1)`, [[...users]])
          return rows.length <= 2
        },
        15_000,
      )
    } finally {
      done = true
      await db.close()
    }
  }, 90_000)
})
