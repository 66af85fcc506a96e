import { AssayError } from '@assay/core/contracts/errors'
import type { Reply } from './authorize/reply.ts'
import type { OAuthDeps } from './deps.ts'
import { OAuthError } from './oauth-error.ts'
import { errorPage } from './pages/error-page.ts'
import { pageHeaders } from './pages/layout.ts'
import { readParameters } from './parameters.ts'
import type { OAuthRefusal } from './schemas.ts'

/** Elysia's `set`. */
export type Answering = { status?: number | string; headers: Record<string, string | number> }

export const agentOf = (request: Request): string => request.headers.get('user-agent') ?? ''
export const cookiesOf = (request: Request): string | null => request.headers.get('cookie')
export const formOf = async (request: Request) => readParameters(await request.text())

export function baseOf(publicUrl: OAuthDeps['publicUrl'], request: Request): string {
  const base = publicUrl.of(request)
  if (!base) throw new AssayError('unavailable', 'OAuth needs the address of this platform: PUBLIC_URL.')
  return base
}

/** Forms come from our own pages: a browser says so, beside the cookie that only those pages come with. */
export function ownForm(request: Request, { publicUrl }: OAuthDeps): string {
  const base = baseOf(publicUrl, request)
  const origin = request.headers.get('origin')
  if (origin !== null && origin !== base) throw new OAuthError('invalid_request', 'This form is not of this page.')
  return base
}

/** Pages for people: also what goes wrong is one. */
export async function shown(set: Answering, work: () => Promise<Reply>): Promise<string> {
  const reply = await work().catch((error: unknown): Reply => {
    if (error instanceof OAuthError) return { page: errorPage(error.description), status: 400 }
    throw error
  })
  if ('location' in reply) {
    set.status = 303
    Object.assign(set.headers, { location: reply.location, 'cache-control': 'no-store' })
    return ''
  }
  set.status = reply.status
  Object.assign(set.headers, pageHeaders(reply.formTo))
  if (reply.cookie) set.headers['set-cookie'] = reply.cookie
  if (reply.retryAfterS !== undefined) set.headers['retry-after'] = reply.retryAfterS
  return reply.page
}

/** Endpoints for clients: OAuth's refusals in OAuth's form, everything else as everywhere. */
export async function answered<T>(set: Answering, work: () => Promise<T>): Promise<T | OAuthRefusal> {
  Object.assign(set.headers, { 'cache-control': 'no-store', pragma: 'no-cache' })
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    set.status = error.status
    return { error: error.error, error_description: error.description }
  }
}
