import { OAuthError } from './oauth-error.ts'

/** Parameters of OAuth: each at most once (RFC 6749 section 3.1), `resource` and the scopes of the consent form aside. */
export interface Parameters {
  /** null: not sent, or empty */
  get(name: string): string | null
  need(name: string): string
  all(name: string): string[]
}
const MOST_BYTES = 16 * 1024

/** Throws invalid_request. */
export function readParameters(text: string): Parameters {
  if (text.length > MOST_BYTES) throw new OAuthError('invalid_request', `At most ${MOST_BYTES} bytes.`)
  const params = new URLSearchParams(text)
  const get = (name: string): string | null => {
    const values = params.getAll(name)
    if (values.length > 1) throw new OAuthError('invalid_request', `${name}: once at most`)
    if (values[0]?.includes('\u0000')) throw new OAuthError('invalid_request', `${name}: is not valid`)
    return values[0] || null
  }
  return {
    get,
    need(name) {
      const value = get(name)
      if (value === null) throw new OAuthError('invalid_request', `${name}: is missing`)
      return value
    },
    all: (name) => params.getAll(name).filter(Boolean),
  }
}
