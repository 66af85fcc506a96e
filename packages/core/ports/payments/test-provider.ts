import type { Checkout, Payments } from './port.ts'

/** Pays at once; an amount that ends in .13 is refused. A checkout's id follows from its idempotency key alone. */
export function createTestPayments(): Payments {
  const checkouts = new Map<string, Checkout>()
  return {
    provider: 'test',
    async checkout({ amount, idempotencyKey }) {
      const known = checkouts.get(idempotencyKey)
      if (known) return known
      const id = `test_${new Bun.CryptoHasher('sha256').update(idempotencyKey).digest('hex').slice(0, 24)}`
      const checkout: Checkout = /\.130*$/.test(amount)
        ? { id, url: null, status: 'refused', reason: 'The test provider refuses amounts that end in .13.' }
        : { id, url: null, status: 'paid' }
      checkouts.set(idempotencyKey, checkout)
      return checkout
    },
    async close() {},
  }
}
