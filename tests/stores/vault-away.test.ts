import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@assay/core/ports/clock/system'
import type { Secrets } from '@assay/core/ports/secrets/port'
import { openVault } from '@assay/core/ports/secrets/vault'
import { describeReal } from '@assay/core/testing/adapters'
import { until } from '@assay/core/testing/until'
import type { Logger } from 'pino'
import { type Openbao, startOpenbao } from '../../scripts/stack/servers/openbao.ts'
import { vaultAdmin } from '../../scripts/vault/admin.ts'
import { setUpVault } from '../../scripts/vault/setup.ts'

describeReal('the secrets server away', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-openbao-'))
  const said: string[] = []
  const operations: string[] = []
  const note = (facts: object, text: string) => void said.push(JSON.stringify(facts) + text)
  const log = { info: note, warn: note } as unknown as Pick<Logger, 'info' | 'warn'>
  let server: Openbao
  let secrets: Secrets
  const admin = () => vaultAdmin({ VAULT_ADDR: server.address, VAULT_TOKEN: server.rootToken })

  beforeAll(async () => {
    server = await startOpenbao({ folder })
    const whole = await setUpVault({ vault: admin(), folder: join(folder, 'logins'), renew: false, progress: () => {} })
    // its configuration file has the audit device
    expect(whole).toBe(true)
    // a token of two seconds, four with renewals: it is taken anew all the time
    await admin().call('POST', 'auth/approle/role/assay-gateway', {
      token_policies: ['assay-gateway'],
      token_ttl: '2s',
      token_max_ttl: '4s',
    })
    const roleId = (await admin().call('GET', 'auth/approle/role/assay-gateway/role-id')).data.role_id
    const secretId = (await admin().call('POST', 'auth/approle/role/assay-gateway/secret-id', {})).data.secret_id
    const login = { method: 'approle', roleId, secretId } as const
    secrets = await openVault({
      address: server.address,
      login,
      clock: systemClock,
      log,
      timeoutMs: 500,
      onOperation: (operation) => operations.push(operation),
    })
    await secrets.setSecret('secret/data/jwt', 'known', 'the hidden value')
    await secrets.getSecret('secret/data/jwt', 'known')
  }, 130_000)
  afterAll(async () => {
    await secrets.close()
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  const seal = () => admin().call('PUT', 'sys/seal')
  const unseal = () => server.restart()
  const faults: Record<string, { begin: () => unknown; end: () => unknown }> = {
    'killed and started again': { begin: () => server.signal('SIGKILL'), end: () => server.restart() },
    'stopped and continued': { begin: () => server.signal('SIGSTOP'), end: () => server.signal('SIGCONT') },
    'sealed and unsealed': { begin: seal, end: unseal },
  }
  test.each(Object.keys(faults))(
    '%s: what was read is still there, the rest is unavailable at once, it is back by itself',
    async (name) => {
      const { begin, end } = faults[name]!
      await begin()
      const outcomes = await Promise.all([
        timed(secrets.getSecret('secret/data/jwt', 'known')),
        timed(secrets.setSecret('secret/data/jwt', 'other', 'x')),
        timed(secrets.encrypt('gateway.k', new Uint8Array([1]), '')),
        timed(secrets.verifyTotp('nobody', '123456')),
      ])
      expect(outcomes.map(({ outcome }) => outcome)).toEqual([
        'the hidden value',
        'unavailable',
        'unavailable',
        'unavailable',
      ])
      for (const { ms } of outcomes) expect(ms).toBeLessThan(3_000)
      expect(secrets.away()).not.toBeNull()
      const rested = await timed(secrets.getSecret('secret/data/jwt', 'known'))
      expect([rested.outcome, rested.ms < 1_500]).toEqual(['the hidden value', true])
      await end()
      await until(
        'it is back',
        async () => (await timed(secrets.setSecret('secret/data/jwt', 'back', name))).outcome === undefined,
        30_000,
      )
      expect(await secrets.getSecret('secret/data/jwt', 'back')).toBe(name)
      expect(secrets.away()).toBeNull()
    },
    90_000,
  )

  test('a token that ends, or is revoked, is taken anew before anybody notices', async () => {
    const logins = () => operations.filter((operation) => operation === 'login').length
    const before = logins()
    for (const end = performance.now() + 6_000; performance.now() < end; await systemClock.sleep(20))
      expect(await secrets.getSecret('secret/data/jwt', 'known')).toBe('the hidden value')
    expect(logins()).toBeGreaterThan(before)
    const { data } = await admin().call('GET', 'auth/token/accessors?list=true')
    for (const accessor of data.keys as string[]) {
      const { data: token } = await admin().call('POST', 'auth/token/lookup-accessor', { accessor })
      if (token.policies.includes('assay-gateway'))
        await admin().call('POST', 'auth/token/revoke-accessor', { accessor })
    }
    expect(await secrets.getSecret('secret/data/jwt', 'known')).toBe('the hidden value')
  }, 30_000)

  test('neither values nor tokens are in the log or in errors', async () => {
    const refusal = await secrets.setSecret('secret/data/journal-keys', 'k', 'the hidden value').catch((error) => error)
    const shown = said.join('\n') + Bun.inspect(refusal, { depth: 10 })
    expect(refusal.message).toContain('permission denied')
    expect(shown).not.toContain('the hidden value')
    expect(shown).not.toMatch(/x-vault-token|hvs\.|s\.[A-Za-z0-9]{20}/i)
  })

  test('a service does not take the root token in production', async () => {
    const login = { method: 'token', token: server.rootToken, refuseRoot: true } as const
    const failure = await openVault({ address: server.address, login, clock: systemClock, log }).catch(
      (error: Error) => error.message,
    )
    expect(failure).toContain('VAULT_TOKEN is a root token')
    expect(failure).not.toContain(server.rootToken)
  })
})

async function timed(work: Promise<unknown>): Promise<{ outcome: unknown; ms: number }> {
  const began = performance.now()
  const outcome = await work.catch((error) => error.code ?? error.message)
  return { outcome, ms: performance.now() - began }
}
