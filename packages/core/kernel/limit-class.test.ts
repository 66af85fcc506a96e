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
  ['POST', '/api/auth/login', 'auth'],
  ['DELETE', '/api/auth/sessions/s1', 'auth'],
  ['GET', '/api/auth/check', 'default'],
  ['POST', '/oauth/token', 'auth'],
  ['POST', '/api/purchases', 'payments'],
  ['GET', '/api/purchases', 'default'],
  ['GET', '/api/assessments/a/proof', 'exports'],
  ['GET', '/api/privacy/export', 'exports'],
  ['GET', '/health', 'none'],
  ['GET', '/.well-known/jwks.json', 'none'],
  ['POST', '/health', 'default'],
  // a slash at the end is the same route
  ['POST', '/api/purchases/', 'payments'],
  ['GET', '/api/privacy/export/', 'exports'],
  ['GET', '/health/', 'none'],
])('%s %s counts as %s', (method, path, routeClass) =>
  expect(classOf(method, path).routeClass).toBe(routeClass as never),
)

test.each([
  ['GET', '/ws', 'live'],
  ['POST', '/api/ws/ticket', 'live'],
  ['POST', '/api/api-keys', 'api_keys'],
  ['POST', '/api/api-keys/', 'api_keys'],
  ['GET', '/ws/', 'live'],
  ['POST', '/api/ws/ticket/', 'live'],
  ['GET', '/api/assessments/a/proof', 'proofs'],
  ['GET', '/api/assessments/a/explain', 'proofs'],
  ['GET', '/api/privacy/export', undefined],
  ['DELETE', '/api/api-keys/k1', undefined],
])('%s %s needs of the plan: %s', (method, path, feature) =>
  expect(classOf(method, path).feature).toBe(feature as never),
)
