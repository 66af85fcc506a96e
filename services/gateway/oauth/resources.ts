import { API_AUDIENCE } from '@assay/core/contracts/services'
import { OAuthError } from './oauth-error.ts'

/** Paths below the platform's address that are resources of their own (RFC 8707); '' is its API. */
const RESOURCES = ['', '/mcp'] as const

/** The resource that is meant, in the form that tokens and metadata name it. Throws invalid_target. */
export function resourceOf(base: string, asked: readonly string[]): string {
  if (asked.length > 1) throw new OAuthError('invalid_target', 'One resource for each token.')
  if (asked[0] === undefined) return base
  const found = RESOURCES.map((path) => base + path).find((resource) => resource === asked[0]!.replace(/\/$/, ''))
  if (!found) throw new OAuthError('invalid_target', 'Tokens are issued for this platform only.')
  return found
}

/** `aud` of a token: the resource, and for the API also the name by which services know it. */
export const audiencesOfResource = (base: string, resource: string): string[] =>
  resource === base ? [API_AUDIENCE, base] : [resource]

/** The resource that a path-aware well-known document is asked about; null: there is none. */
export const resourceAt = (base: string, path: string): string | null =>
  (RESOURCES as readonly string[]).includes(path) ? base + path : null
