import { expect, test } from 'bun:test'
import { createPasswordHasher } from './password.ts'

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
