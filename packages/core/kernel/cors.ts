const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const HEADERS = 'authorization, content-type, idempotency-key, x-api-key, x-request-id, traceparent'
const EXPOSED = 'etag, location, retry-after, ratelimit, ratelimit-policy, www-authenticate, x-request-id'

/** CORS headers for an allowed origin, nothing for any other. Credentials travel in headers, never in cookies. */
export function corsHeaders(origin: string | null, allowed: readonly string[]): Record<string, string> {
  if (!origin || !allowed.includes(origin)) return {}
  return { 'access-control-allow-origin': origin, vary: 'origin', 'access-control-expose-headers': EXPOSED }
}

export const isPreflight = (request: Request): boolean =>
  request.method === 'OPTIONS' && request.headers.has('origin') && request.headers.has('access-control-request-method')

export const preflight = (headers: Record<string, string>): Response =>
  new Response(null, {
    status: 204,
    headers: headers['access-control-allow-origin']
      ? {
          'access-control-allow-methods': METHODS,
          'access-control-allow-headers': HEADERS,
          'access-control-max-age': '600',
        }
      : {},
  })
