import { expect, test } from 'bun:test'
import { createRouteTable } from './route-table.ts'

test('a path has the methods of its most specific template', () => {
  const methodsOf = createRouteTable(() => [
    { method: 'GET', path: '/orders/:id' },
    { method: 'DELETE', path: '/orders/:id' },
    { method: 'POST', path: '/orders/preview' },
  ])
  expect(methodsOf('/orders/o1')).toEqual(['DELETE', 'GET'])
  expect(methodsOf('/orders/preview')).toEqual(['POST'])
  expect(methodsOf('/nothing')).toEqual([])
})
