import { expect, test } from 'bun:test'
import { classOf } from './limit-class.ts'

test.each([
  ['POST', '/api/assessments/a/orders', 'orders'],
  ['POST', '/api/assessments/a/orders/preview', 'orders'],
  ['PATCH', '/api/assessments/a/orders/o1', 'orders'],
  ['POST', '/api/assessments/a/positions/o1/close', 'orders'],
  ['GET', '/api/assessments/a/orders', 'default'],
  ['GET', '/api/assessments/a/positions', 'default'],
  ['POST', '/api/assessments/a/pause', 'default'],
  ['GET', '/health', 'none'],
])('%s %s counts as %s', (method, path, routeClass) =>
  expect(classOf(method, path).routeClass).toBe(routeClass as never),
)
