import { afterAll, beforeAll, expect, test } from 'bun:test'
import { systemClock } from '@assay/core/ports/clock/system'
import { createMemoryLimits } from '@assay/core/ports/limits/memory'
import { openSecretsFile } from '@assay/core/ports/secrets/file'
import type { Secrets } from '@assay/core/ports/secrets/port'
import { openVault } from '@assay/core/ports/secrets/vault'
import { describeAdapters } from '@assay/core/testing/adapters'
import { type TestDatabase, testPglite } from '@assay/core/testing/database'
import { testPostgres } from '@assay/core/testing/postgres'
import { testVault } from '@assay/core/testing/vault'
import { openIdentity } from './identity.ts'
import { makeFirstOperator } from './users/first-operator.ts'

interface Stores {
  database: TestDatabase
  /** a process's own view of the one store */
  secrets(): Promise<Secrets>
  drop(): Promise<void>
}
/** PGlite and the secrets file, which one process has; PostgreSQL and OpenBao, which many share. */
const stores = {
  async embedded(): Promise<Stores> {
    const database = await testPglite()
    const file = await openSecretsFile({ home: database.home, log: { warn() {} } })
    return { database, secrets: async () => file, drop: database.drop }
  },
  async real(): Promise<Stores> {
    const [database, server] = [await testPostgres(), await testVault()]
    const drop = async () => {
      await server.close()
      await database.drop()
    }
    return { database, secrets: () => openVault(server.options), drop }
  },
}

describeAdapters('gateways that start for the first time, at once', stores, (openStores) => {
  let all: Stores
  beforeAll(async () => {
    all = await openStores()
  }, 30_000)
  afterAll(() => all.drop(), 30_000)

  test('have the same secrets, signing keys and one operator', async () => {
    const secrets = await Promise.all([all.secrets(), all.secrets(), all.secrets()])
    const open = async (own: Secrets) => {
      const identity = await openIdentity({
        db: all.database.db,
        secrets: own,
        clock: systemClock,
        limits: createMemoryLimits(systemClock),
        idleMs: 1_800_000,
        pepper: true,
        requireFactor: false,
        onLimitHit() {},
        onCacheAsked() {},
      })
      const first = { email: 'first@assay.example', password: 'a long word of the first', production: false }
      expect(await makeFirstOperator(first, identity)).toEqual([])
      return identity
    }
    const gateways = await Promise.all(secrets.map(open))
    const word = await gateways[0]!.hasher.hash('a word')
    for (const gateway of gateways) {
      await gateway.keys.reload()
      expect(gateway.refreshSecret).toBe(gateways[0]!.refreshSecret)
      expect(gateway.keys.published()).toEqual(gateways[0]!.keys.published())
      expect(gateway.database.emailIndex('ann@x.io')).toBe(gateways[0]!.database.emailIndex('ann@x.io'))
      expect(await gateway.hasher.verify({ hash: word, password: 'a word' })).toBe(true)
    }
    expect(gateways[0]!.keys.published()).toHaveLength(1)
    const kept = await Promise.all(
      ['refresh_secret', 'auth_secret'].map((n) => secrets[1]!.getSecret('secret/data/jwt', n)),
    )
    expect(kept).toEqual([gateways[0]!.refreshSecret, expect.stringMatching(/^[\w-]{43}$/)])
    expect(await gateways[0]!.database.query('select 1 from users')).toHaveLength(1)
    await Promise.all(new Set(secrets).values().map((own) => own.close()))
  }, 30_000)
})
