import { describe, expect, test } from 'bun:test'
import { paymentsContract } from './contract.ts'
import { createTestPayments } from './test-provider.ts'

const open = async () => ({ payments: createTestPayments(), refused: '149.13' })
// the one adapter there is
describe('payments (embedded)', () => paymentsContract(open))

test.each([
  ['99.00', 'paid'],
  ['13.00', 'paid'],
  ['0.13', 'refused'],
  ['99.130', 'refused'],
  ['99.113', 'paid'],
])('the test provider: %s is %s', async (amount, status) => {
  const checkout = await createTestPayments().checkout({
    purchaseId: 'p',
    amount,
    currency: 'USD',
    description: '',
    idempotencyKey: 'k',
  })
  expect(checkout.status).toBe(status as 'paid')
})
