import type { Ctx } from '@assay/core/kernel/context'
import { traceparentOf } from '@assay/core/kernel/trace'

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
/** What only the gateway may say: nobody outside can speak for a service, or for another client. */
const OURS = [
  'x-deadline-ms',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-real-ip',
  'forwarded',
  'x-request-id',
  'traceparent',
]
const NOT_FORWARDED: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...OURS, 'host', 'content-length', 'expect'])
/** The length is the client's connection's to say, where a body is passed on whole. */
const NOT_ANSWERED: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'date', 'content-length'])
const OUR_PREFIX = 'x-assay-'
/** For logs and routing between services; a service believes the token alone. */
export const TENANT = 'x-assay-tenant'

/** A client's headers as a service gets them: for whom is asked, under which request id and trace. */
export function eachForwarded(request: Request, ctx: Ctx, give: (name: string, value: string) => void): void {
  const { headers } = request
  const named = connectionNames(headers.get('connection'))
  headers.forEach((value, name) => {
    if (!NOT_FORWARDED.has(name) && !name.startsWith(OUR_PREFIX) && !named?.has(name)) give(name, value)
  })
  give('x-request-id', ctx.requestId)
  give('traceparent', traceparentOf(ctx, headers.get('traceparent')))
  give('x-forwarded-for', ctx.address)
  give('x-forwarded-proto', request.url.startsWith('https:') ? 'https' : 'http')
  const host = headers.get('host')
  if (host) give('x-forwarded-host', host)
  if (ctx.actor) give(TENANT, ctx.actor.tenant)
}
export function forwardedLines(request: Request, ctx: Ctx): string {
  let lines = ''
  eachForwarded(request, ctx, (name, value) => {
    lines += `${name}: ${value}\r\n`
  })
  return lines
}

/** Names that a connection keeps for itself; almost no client sends any. */
function connectionNames(connection: string | null): Set<string> | undefined {
  if (connection === null || /^\s*(keep-alive|close)\s*$/i.test(connection)) return undefined
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()))
}

export type SetHeaders = Record<string, string | number | string[]>
/** A service's headers as the client gets them, over those that every answer has. */
export function answerHeaders(
  into: SetHeaders,
  headers: readonly (readonly [name: string, value: string])[],
  withLength = false,
): void {
  for (const [name, value] of headers) {
    if (name === 'set-cookie') {
      const before = into[name]
      into[name] = [...(Array.isArray(before) ? before : []), value]
    } else if (!NOT_ANSWERED.has(name) || (withLength && name === 'content-length')) into[name] = value
  }
}
