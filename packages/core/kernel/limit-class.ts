import type { LimitedRequest } from './limit.ts'

const UNCOUNTED = /^\/(health|ready|metrics|openapi\.json|docs|api\/health|\.well-known\/.+)$/
const ORDERS = /^\/api\/assessments\/[^/]+\/(orders|positions)(\/|$)/
/** a handshake reads nothing, and the one who opens it with a ticket is known */
const isRead = (method: string, path: string) => (method === 'GET' || method === 'HEAD') && path !== '/ws'

/** How a request is counted: by its path, since limits apply before a route is chosen. */
export function classOf(method: string, path: string): LimitedRequest {
  const read = isRead(method, path)
  if (UNCOUNTED.test(path)) return { routeClass: 'none', read }
  return { routeClass: !read && ORDERS.test(path) ? 'orders' : 'default', read }
}
