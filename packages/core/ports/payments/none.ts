import type { Payments } from './port.ts'

/** Nobody to pay with: whatever costs something is refused, and no money is asked for. */
export function createNoPayments(): Payments {
  return {
    provider: 'none',
    checkout: async ({ idempotencyKey }) => ({
      id: `none_${idempotencyKey}`,
      url: null,
      status: 'refused',
      reason: 'There is no payment provider here.',
    }),
    async close() {},
  }
}
