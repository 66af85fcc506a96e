import { z } from 'zod'

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const HEADERS =
  'authorization, content-type, idempotency-key, if-match, if-none-match, x-api-key, x-deadline-ms, x-request-id, traceparent'
const EXPOSED =
  'content-disposition, etag, location, retry-after, ratelimit, ratelimit-policy, www-authenticate, x-request-id'

const ORIGIN = 'must be origins like https://app.example: scheme, host and port, without a path or *'
/** As browsers write it in `Origin`; with the slash that people copy along. */
export const origin = () =>
  z.string().transform((text, ctx) => {
    const url = URL.parse(text)
    // a page of a scheme of its own (capacitor://localhost) has an origin for browsers, none for URL
    const its = url && (url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin)
    if (url?.host && !url.host.includes('*') && [its, `${its}/`].includes(url.href)) return its!
    ctx.addIssue(ORIGIN)
    return z.NEVER
  })

/** CORS headers for an allowed origin; for any other, and none, only that answers differ by it. Credentials travel in headers, never in cookies. */
export function corsHeaders(origin: string | null, allowed: readonly string[]): Record<string, string> {
  if (!origin || !allowed.includes(origin)) return { vary: 'origin' }
  return { 'access-control-allow-origin': origin, vary: 'origin', 'access-control-expose-headers': EXPOSED }
}

export const isPreflight = (request: Request): boolean =>
  request.method === 'OPTIONS' && request.headers.has('origin') && request.headers.has('access-control-request-method')

export const preflightHeaders = (cors: Record<string, string>): Record<string, string> =>
  cors['access-control-allow-origin']
    ? {
        'access-control-allow-methods': METHODS,
        'access-control-allow-headers': HEADERS,
        'access-control-max-age': '600',
      }
    : {}
