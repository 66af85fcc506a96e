import type { Ctx } from '@assay/core/kernel/context'

/** Between two neighbours only (RFC 9110, 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]
/** What only a service may say: nobody outside can speak for one. */
const OURS = [
  'x-assay-service',
  'x-deadline-ms',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'forwarded',
]

function withoutHops(headers: Headers): Headers {
  const copy = new Headers(headers)
  for (const named of (headers.get('connection') ?? '').split(',')) {
    if (/^[\w-]+$/.test(named.trim())) copy.delete(named.trim())
  }
  for (const name of HOP_BY_HOP) copy.delete(name)
  return copy
}

/** A client's headers as a service gets them: for whom is asked, under which request id. */
export function forwardedHeaders(request: Request, ctx: Ctx): Headers {
  const headers = withoutHops(request.headers)
  const host = headers.get('host')
  for (const name of [...OURS, 'host', 'content-length']) headers.delete(name)
  headers.set('x-request-id', ctx.requestId)
  headers.set('x-forwarded-for', ctx.address)
  headers.set('x-forwarded-proto', new URL(request.url).protocol.slice(0, -1))
  if (host) headers.set('x-forwarded-host', host)
  return headers
}

/** A service's headers as the client gets them; the length is the client's connection's to say. */
export function answeredHeaders(answer: Response): Headers {
  const headers = withoutHops(answer.headers)
  headers.delete('date')
  return headers
}
