import type { AssayError } from '../contracts/errors.ts'

export interface Challenged {
  /** whether the request carried a credential */
  sent: boolean
  /** the platform's origin, where it is known */
  base: string | null
}

/** `WWW-Authenticate` of a refusal (RFC 6750, RFC 9728): from it a client finds the authorization server, and which scope it lacks. */
export function challenge({ status, options }: AssayError, { sent, base }: Challenged): string | undefined {
  const { scope } = options
  if (status !== 401 && !(status === 403 && scope)) return undefined
  const parts: string[] = []
  if (status === 403) parts.push('error="insufficient_scope"', `scope="${scope}"`)
  else if (sent) parts.push('error="invalid_token"')
  if (base) parts.push(`resource_metadata="${base}/.well-known/oauth-protected-resource"`)
  return parts.length === 0 ? 'Bearer' : `Bearer ${parts.join(', ')}`
}
