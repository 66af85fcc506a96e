import { describe, expect, test } from 'bun:test'
import { createPasswordHasher } from './hasher.ts'

test('passwords are argon2id with 19 MiB and two passes (V11.4.2)', async () => {
  const hasher = createPasswordHasher({ running: 1, waiting: 1 })
  const hash = await hasher.hash('correct horse')
  expect(hash).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$')
  expect(await hasher.verify({ hash, password: 'correct horse' })).toBe(true)
  expect(await hasher.verify({ hash, password: 'correct horsf' })).toBe(false)
})

test('the same password typed on another keyboard, composed or not, is the same password', async () => {
  const hasher = createPasswordHasher({ running: 1, waiting: 1 })
  const hash = await hasher.hash('caf\u00e9 au lait')
  expect(await hasher.verify({ hash, password: 'cafe\u0301 au lait' })).toBe(true)
})

test('past its queue the hasher refuses at once instead of making everybody wait, and recovers (V15.2.2)', async () => {
  const hasher = createPasswordHasher({ running: 1, waiting: 2 })
  const results = await Promise.allSettled(Array.from({ length: 6 }, () => hasher.hash('12345678')))
  expect(results.map((r) => r.status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
    'rejected',
    'rejected',
  ])
  expect((results[5] as PromiseRejectedResult).reason).toMatchObject({
    code: 'unavailable',
    options: { retryAfterS: 1 },
  })
  expect(await hasher.hash('12345678')).toStartWith('$argon2id$')
})

test('a password of 128 characters counts to its last one, in its own case (V6.2.8, V6.2.9)', async () => {
  const hasher = createPasswordHasher({ running: 1, waiting: 4 })
  const password = `Long${'ü'.repeat(123)}x`
  const hash = await hasher.hash(password)
  const others = [`${password.slice(0, -1)}y`, password.slice(0, -1), password.toLowerCase()]
  expect(await Promise.all(others.map((other) => hasher.verify({ hash, password: other })))).toEqual([
    false,
    false,
    false,
  ])
  expect(await hasher.verify({ hash, password })).toBe(true)
})

describe('hashes of an import', () => {
  const hasher = createPasswordHasher({ running: 1, waiting: 4 })
  test.each(['2b', '2y', '2a'])('bcrypt $%s$ is verified, and is to be made anew', async (kind) => {
    const made = await Bun.password.hash('correct horse', { algorithm: 'bcrypt', cost: 4 })
    const hash = `$${kind}$${made.slice(4)}`
    expect(await hasher.verify({ hash, password: 'correct horse' })).toBe(true)
    expect(await hasher.verify({ hash, password: 'correct horsf' })).toBe(false)
    expect(hasher.isOutdated(hash)).toBe(true)
  })
  test('a long password is verified as bcrypt elsewhere saw it: by its first 72 bytes', async () => {
    const hash = await Bun.password.hash('x'.repeat(72), { algorithm: 'bcrypt', cost: 4 })
    expect(await hasher.verify({ hash, password: 'x'.repeat(80) })).toBe(true)
  })
  test('a hash that would cost minutes, one of another kind and none at all let nobody in', async () => {
    const bcrypt = await Bun.password.hash('correct horse', { algorithm: 'bcrypt', cost: 4 })
    const began = performance.now()
    for (const hash of [bcrypt.replace('$04$', '$31$'), '$1$salt$md5', 'correct horse', ''])
      expect(await hasher.verify({ hash, password: 'correct horse' })).toBe(false)
    expect(performance.now() - began).toBeLessThan(1_000)
  })
})

describe('pepper', () => {
  const plain = createPasswordHasher({ running: 1, waiting: 4 })
  const peppered = createPasswordHasher({ running: 1, waiting: 4, pepper: { key: 'of the secrets port', used: true } })
  test('without its key a peppered hash verifies nothing, with it the password', async () => {
    const hash = await peppered.hash('correct horse')
    expect(await peppered.verify({ hash, password: 'correct horse' })).toBe(true)
    const stolen = [plain, createPasswordHasher({ running: 1, waiting: 4, pepper: { key: 'another', used: true } })]
    for (const hasher of stolen) expect(await hasher.verify({ hash, password: 'correct horse' })).toBe(false)
    expect(await Bun.password.verify('correct horse', hash.slice('pepper1:'.length))).toBe(false)
  })
  test('hashes of before are good and outdated, whichever way it was switched', async () => {
    const off = createPasswordHasher({ running: 1, waiting: 4, pepper: { key: 'of the secrets port', used: false } })
    const [old, current] = [await plain.hash('correct horse'), await peppered.hash('correct horse')]
    expect(await peppered.verify({ hash: old, password: 'correct horse' })).toBe(true)
    expect(await off.verify({ hash: current, password: 'correct horse' })).toBe(true)
    expect([peppered.isOutdated(old), peppered.isOutdated(current)]).toEqual([true, false])
    expect([off.isOutdated(old), off.isOutdated(current)]).toEqual([false, true])
  })
})

test('who waits for a hash longer than it is worth is refused for now, and nobody behind is held up by it', async () => {
  const hasher = createPasswordHasher({ running: 1, waiting: 3, waitMs: 1 })
  const outcome = (work: Promise<unknown>) =>
    work.then(
      () => 'hashed',
      (error) => error.code,
    )
  expect(await Promise.all([1, 2, 3].map(() => outcome(hasher.hash('a password'))))).toEqual([
    'hashed',
    'unavailable',
    'unavailable',
  ])
  expect(await outcome(hasher.hash('a password'))).toBe('hashed')
})
