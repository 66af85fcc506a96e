import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Payments } from './port.ts'

const order = (idempotencyKey: string, amount: string) => ({
  purchaseId: idempotencyKey,
  amount,
  currency: 'USD',
  description: 'A tier',
  idempotencyKey,
})

/** What every payment provider guarantees; `refused` is an amount that it refuses. */
export function paymentsContract(open: () => Promise<{ payments: Payments; refused: string }>): void {
  let payments: Payments
  let refused: string
  beforeAll(async () => {
    ;({ payments, refused } = await open())
  })
  afterAll(() => payments.close())

  test('the same key never pays twice: it gets the first checkout, whatever it asks', async () => {
    const first = await payments.checkout(order('key-1', '99.00'))
    expect(first.status).not.toBe('refused')
    expect(await payments.checkout(order('key-1', '99.00'))).toEqual(first)
    expect(await payments.checkout(order('key-1', refused))).toEqual(first)
  })
  test('another key is another checkout', async () => {
    const [one, other] = await Promise.all([
      payments.checkout(order('key-2', '5.00')),
      payments.checkout(order('key-3', '5.00')),
    ])
    expect(one.id).not.toBe(other.id)
  })
  test('a refusal says why', async () => {
    const checkout = await payments.checkout(order('key-4', refused))
    expect(checkout.status).toBe('refused')
    expect(checkout.reason).toBeTruthy()
  })
}
