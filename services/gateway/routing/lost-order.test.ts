import { expect, test } from 'bun:test'
import { lostOrder } from './lost-order.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

test('the order of a lost answer is found under its client_order_id, without one under the request id', () => {
  const orders = '/api/assessments/a1/orders'
  expect(lostOrder(orders, bytes('{"symbol":"X","client_order_id":"mine-1"}'), 'req-1')).toBe('client:mine-1')
  expect(lostOrder(orders, bytes('{"symbol":"X"}'), 'req-1')).toBe('client:req-1')
  expect(lostOrder('/api/assessments/a1/positions/p1/close', undefined, 'req-1')).toBe('client:req-1')
})
test('what places no order has none', () => {
  for (const path of ['/api/assessments', '/api/assessments/a1/orders/preview', '/api/purchases'])
    expect(lostOrder(path, bytes('{"client_order_id":"x"}'), 'req-1')).toBeUndefined()
})
