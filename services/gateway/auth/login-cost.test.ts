import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openSecretsFile } from '@assay/core/ports/secrets/file'
import { type TestDatabase, testDatabase } from '@assay/core/testing/database'
import { createPersonalFields } from '../privacy/personal-fields.ts'
import { openSigningKeys } from '../tokens/signing-keys.ts'
import { createUser } from '../users/create-user.ts'
import { createAuth } from './better-auth.ts'
import { createAuthDatabase } from './database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

test('an unknown e-mail costs one password hash, as a wrong password does', async () => {
  const spent: string[] = []
  const hasher = {
    hash: async (password: string) => {
      spent.push('hash')
      return `hash of ${password}`
    },
    verify: async () => {
      spent.push('verify')
      return false
    },
  }
  const secrets = { getSecret: async () => null, setSecret: async () => {} }
  const wrapping = await openSecretsFile({ home: database.home, log: { warn() {} } })
  const personal = createPersonalFields({ secrets: wrapping, indexKey: 'of this test', now: Date.now })
  const clock = { now: Date.now, monotonic: Date.now, sleep: () => Promise.resolve() }
  const authDatabase = createAuthDatabase(database.db.as('gateway'), personal)
  const keys = await openSigningKeys({ secrets, clock, alone: (work) => work() })
  const auth = createAuth({ database: authDatabase, hasher, keys, secret: 'a secret of this test alone, long enough' })
  const known = { email: 'known@assay.example', password: 'right password' }
  await createUser({ input: { ...known, role: 'trader' }, deps: { auth, database: authDatabase, hasher } })
  spent.length = 0

  const signIn = (email: string) =>
    auth.api.signInEmail({ body: { email, password: 'wrong password' } }).catch(() => {})
  await signIn(known.email)
  await signIn('unknown@assay.example')
  expect(spent).toEqual(['verify', 'hash'])
})
