import { expect, test } from 'bun:test'
import { readConfig } from './config.ts'
import { openPayments } from './stores.ts'

const ENCRYPTION_KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => (i * 37 + 11) % 256)).toString('base64')
const order = { purchaseId: 'p', amount: '99.00', currency: 'USD', description: 'A tier', idempotencyKey: 'k' }

test.each([
  [{}, 'paid'],
  [{ NODE_ENV: 'production', ENCRYPTION_KEY }, 'refused'],
  [{ NODE_ENV: 'production', ENCRYPTION_KEY, PAYMENTS: 'test' }, 'paid'],
])(
  'nobody pays with the provider for tests in production, unless it is asked for: %j (V15.2.3)',
  async (env, status) => {
    const payments = openPayments({ config: readConfig(env as Record<string, string>), keep: (_, port) => port })
    expect(await payments.checkout(order)).toMatchObject({ status })
  },
)
