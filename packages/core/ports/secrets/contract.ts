import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Secrets, SecretsError } from './port.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

/** What every secret store guarantees. */
export function secretsContract(open: () => Promise<Secrets>): void {
  let secrets: Secrets
  beforeAll(async () => {
    secrets = await open()
  })
  afterAll(() => secrets.close())

  test('a secret is found by path and key until it is deleted', async () => {
    await secrets.setSecret('secret/data/jwt', 'private', 'one')
    await secrets.setSecret('secret/data/jwt', 'public', 'two')
    await secrets.setSecret('secret/data/jwt', 'private', 'three')
    expect(await secrets.getSecret('secret/data/jwt', 'private')).toBe('three')
    expect(await secrets.getSecret('secret/data/jwt', 'public')).toBe('two')
    await secrets.deleteSecret('secret/data/jwt', 'private')
    await secrets.deleteSecret('secret/data/jwt', 'never')
    expect(await secrets.getSecret('secret/data/jwt', 'private')).toBeNull()
    expect(await secrets.getSecret('secret/data/none', 'x')).toBeNull()
  })
  test('paths are listed by prefix, never values', async () => {
    await secrets.setSecret('secret/data/list/b', 'k', 'hidden')
    await secrets.setSecret('secret/data/list/a', 'k', 'hidden')
    await secrets.setSecret('secret/data/list/deep/c', 'k', 'hidden')
    await secrets.setSecret('secret/data/list/gone', 'k', 'hidden')
    await secrets.deleteSecret('secret/data/list/gone', 'k')
    const all = ['secret/data/list/a', 'secret/data/list/b', 'secret/data/list/deep/c']
    expect(await secrets.listSecrets('secret/data/list/')).toEqual(all)
    expect(await secrets.listSecrets('secret/data/list/d')).toEqual(all.slice(2))
    expect(await secrets.listSecrets('secret/data/nothing/')).toEqual([])
    await secrets.setSecret('secret/data/list/gone', 'k', 'again')
    expect(await secrets.getSecret('secret/data/list/gone', 'k')).toBe('again')
  })
  test('keys set and deleted at once at one path: none of those set is lost', async () => {
    const path = 'secret/data/contended'
    const keys = Array.from({ length: 8 }, (_, i) => `k${i}`)
    for (let round = 0; round < 3; round++) {
      await secrets.setSecret(path, 'last', 'x')
      await Promise.all([secrets.deleteSecret(path, 'last'), ...keys.map((key) => secrets.setSecret(path, key, key))])
      expect(await Promise.all(keys.map((key) => secrets.getSecret(path, key)))).toEqual(keys)
      expect(await secrets.getSecret(path, 'last')).toBeNull()
      await Promise.all(keys.map((key) => secrets.deleteSecret(path, key)))
    }
  })
  test('of those who add one secret at once, one sets it and all get that; what is there stays', async () => {
    for (let round = 0; round < 5; round++) {
      const path = `secret/data/added/${round}`
      // beside others of its path, and where the path is new
      if (round % 2 === 0) await secrets.setSecret(path, 'other', 'stays')
      const values = Array.from({ length: 8 }, (_, i) => `v${i}`)
      const got = await Promise.all(values.map((value) => secrets.addSecret(path, 'k', value)))
      const kept = await secrets.getSecret(path, 'k')
      expect(values).toContain(kept!)
      expect(got).toEqual(values.map(() => kept!))
      expect(await secrets.addSecret(path, 'k', 'later')).toBe(kept!)
      expect(await secrets.getSecret(path, 'other')).toBe(round % 2 === 0 ? 'stays' : null)
      await secrets.deleteSecret(path, 'k')
      expect(await secrets.addSecret(path, 'k', 'again')).toBe('again')
    }
  })
  test.each(['jwt', 'secret/jwt', 'secret/data/../x', 'secret/data/', 'secret/data/A', 'secret/data/a//b'])(
    'the path %j is refused',
    async (path) => {
      expect(await secrets.getSecret(path, 'k').catch((error) => error)).toBeInstanceOf(RangeError)
      expect(await secrets.setSecret(path, 'k', 'v').catch((error) => error)).toBeInstanceOf(RangeError)
      expect(await secrets.encrypt('../x', bytes('x'), '').catch((error) => error)).toBeInstanceOf(RangeError)
    },
  )
  test('a TOTP code counts once, is the one an app would show, and a new key ends the old one', async () => {
    const url = new URL(await secrets.createTotp('person', { issuer: 'Assay', account: 'a@x.io' }))
    expect([url.protocol, decodeURIComponent(url.pathname)]).toEqual(['otpauth:', '/Assay:a@x.io'])
    expect(url.searchParams.get('secret')).toMatch(/^[A-Z2-7]{32}$/)
    const code = await secrets.generateTotp('person')
    expect(code).toMatch(/^\d{6}$/)
    expect(await secrets.verifyTotp('person', code === '000000' ? '000001' : '000000')).toBe(false)
    expect(await secrets.verifyTotp('person', 'x')).toBe(false)
    expect([await secrets.verifyTotp('person', code), await secrets.verifyTotp('person', code)]).toEqual([true, false])
    await secrets.createTotp('person', { issuer: 'Assay', account: 'a@x.io' })
    expect(await secrets.verifyTotp('person', code)).toBe(false)
    expect(await secrets.generateTotp('nobody').catch((error) => error)).toBeInstanceOf(SecretsError)
    expect(await secrets.verifyTotp('nobody', '123456').catch((error) => error)).toBeInstanceOf(SecretsError)
  })
  test('a TOTP key that is deleted has no codes, and its name may be used again', async () => {
    const label = { issuer: 'Assay', account: 'a@x.io' }
    await secrets.createTotp('leaver', label)
    await secrets.createTotp('stayer', label)
    const code = await secrets.generateTotp('leaver')
    await secrets.deleteTotp('leaver')
    await secrets.deleteTotp('leaver')
    await secrets.deleteTotp('never')
    expect(await secrets.generateTotp('leaver').catch((error) => error)).toBeInstanceOf(SecretsError)
    expect(await secrets.verifyTotp('leaver', code).catch((error) => error)).toBeInstanceOf(SecretsError)
    expect(await secrets.generateTotp('stayer')).toMatch(/^\d{6}$/)
    await secrets.createTotp('leaver', label)
    expect(await secrets.verifyTotp('leaver', await secrets.generateTotp('leaver'))).toBe(true)
    expect(await secrets.deleteTotp('../x').catch((error) => error)).toBeInstanceOf(RangeError)
  })
  test('where nothing issues database logins the error says so', async () => {
    for (const asked of [secrets.databaseCredentials(), secrets.rotateDatabaseCredentials()])
      expect(await asked.catch((error) => error)).toBeInstanceOf(SecretsError)
  })
  test('a store that answers is not away', () => {
    expect(secrets.away()).toBeNull()
  })
  test('secrets set at once are all kept', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => secrets.setSecret('secret/data/many', `k${i}`, `${i}`)))
    expect(
      await Promise.all(Array.from({ length: 20 }, (_, i) => secrets.getSecret('secret/data/many', `k${i}`))),
    ).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`))
  })
  test('what was encrypted is read under the same key and context, and no other', async () => {
    const sealed = await secrets.encrypt('webhooks', bytes('plain'), 'user-1')
    expect(sealed).not.toContain('plain')
    expect(await secrets.encrypt('webhooks', bytes('plain'), 'user-1')).not.toBe(sealed)
    expect(await secrets.decrypt('webhooks', sealed, 'user-1')).toEqual(bytes('plain'))
    await secrets.encrypt('other', bytes('x'), '')
    const middle = Math.floor(sealed.length / 2)
    const damaged = sealed.slice(0, middle) + (sealed[middle] === 'A' ? 'B' : 'A') + sealed.slice(middle + 1)
    const refused = [
      secrets.decrypt('webhooks', sealed, 'user-2'),
      secrets.decrypt('other', sealed, 'user-1'),
      secrets.decrypt('unknown', sealed, 'user-1'),
      secrets.decrypt('webhooks', damaged, 'user-1'),
      secrets.decrypt('webhooks', 'v1.AAAA', 'user-1'),
    ].map((attempt) =>
      attempt.then(
        () => 'read',
        () => 'refused',
      ),
    )
    expect(await Promise.all(refused)).toEqual(refused.map(() => 'refused'))
  })
}
