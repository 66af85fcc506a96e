import type { Logger } from 'pino'
import type { RequestState } from './request.ts'

/** What probes and scrapers ask every few seconds. */
export const QUIET: ReadonlySet<string> = new Set(['/health', '/ready', '/metrics'])

export interface End {
  route: string | undefined
  status: number
  ms: number
}

/** The one wide line of a request; one that nobody keeps is not made. */
export function writeRequestLine(log: Logger, request: Request, state: RequestState, end: End): void {
  const { error } = state
  if (error && end.status >= 500) {
    log.error({ ...fieldsOf(request, state, end), err: error.cause ?? error }, 'request')
    return
  }
  const level = QUIET.has(state.path) || state.internal ? 'debug' : 'info'
  if (log.isLevelEnabled(level)) log[level](fieldsOf(request, state, end), 'request')
}

const fieldsOf = (request: Request, { ctx, path, error }: RequestState, { route, status, ms }: End) => ({
  request_id: ctx.requestId,
  method: request.method,
  route,
  path,
  status,
  ms: Math.round(ms * 100) / 100,
  user: ctx.actor?.userId,
  tenant: ctx.actor?.tenant,
  key: ctx.actor?.keyId,
  assessment: /^\/api\/assessments\/([^/]+)/.exec(path)?.[1],
  address: ctx.address,
  trace: ctx.trace,
  code: error?.code,
})
