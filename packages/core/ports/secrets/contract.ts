import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Secrets } from './port.ts'

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
    expect(await secrets.listSecrets('secret/data/list/')).toEqual(['secret/data/list/a', 'secret/data/list/b'])
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
