import type { Feature } from '../contracts/plans.ts'
import type { LimitedRequest, RouteClass } from './limit.ts'

const UNCOUNTED = new Set(['/health', '/ready', '/metrics', '/openapi.json', '/docs', '/api/health'])
const ASSESSMENTS = '/api/assessments/'
const ORDERS = /^\/api\/assessments\/[^/]+\/(orders|positions)(\/|$)/
const PROOFS = /^\/api\/assessments\/[^/]+\/(proof|explain)\/?$/

const one = (routeClass: RouteClass, read: boolean, feature?: Feature): LimitedRequest => ({
  routeClass,
  read,
  ...(feature && { feature }),
})
const NONE = one('none', true)
const READ = one('default', true)
const WRITE = one('default', false)
const ORDER = one('orders', false)
const AUTH = one('auth', false)
const KEY = one('auth', false, 'api_keys')
const PAYMENT = one('payments', false)
const EXPORT = one('exports', true)
const PROOF = one('exports', true, 'proofs')
const LIVE = one('default', false, 'live')

/** How a request is counted: by its path, since limits apply before a route is chosen. */
export function classOf(method: string, asked: string): LimitedRequest {
  // with a slash at its end the router finds the same route
  const path = asked.endsWith('/') ? asked.slice(0, -1) : asked
  // a handshake reads nothing, and the one who opens it with a ticket is known
  if (path === '/ws' || path === '/api/ws/ticket') return LIVE
  if (method === 'GET' || method === 'HEAD') return classOfRead(path)
  if (path.startsWith(ASSESSMENTS)) return ORDERS.test(path) ? ORDER : WRITE
  if (path.startsWith('/api/auth/') || path.startsWith('/oauth/')) return AUTH
  if (path === '/api/api-keys') return KEY
  return path === '/api/purchases' ? PAYMENT : WRITE
}

function classOfRead(path: string): LimitedRequest {
  if (UNCOUNTED.has(path) || path.startsWith('/.well-known/')) return NONE
  if (path.startsWith(ASSESSMENTS) && PROOFS.test(path)) return PROOF
  return path === '/api/privacy/export' ? EXPORT : READ
}
