import { z } from 'zod'
import { OAuthError } from '../oauth-error.ts'
import { redirectProblem } from './redirect-uri.ts'

const REDIRECTS_MAX = 20
const words = z.array(z.string().max(100)).max(20)

/** What is read of a client's own words (RFC 7591), from a document or a registration; the rest is ignored. */
const Metadata = z.object({
  client_name: z.string().max(200).optional(),
  redirect_uris: z.array(z.string().max(2_000)).min(1).max(REDIRECTS_MAX),
  token_endpoint_auth_method: z.string().max(100).optional(),
  grant_types: words.optional(),
  response_types: words.optional(),
})
export type ClientMetadata = z.infer<typeof Metadata>

/** Throws invalid_client_metadata or invalid_redirect_uri. */
export function readMetadata(document: unknown): ClientMetadata {
  const result = Metadata.safeParse(document)
  if (!result.success) {
    const { path, message } = result.error.issues[0]!
    throw new OAuthError('invalid_client_metadata', `${path.join('.') || 'the document'}: ${message}`)
  }
  const metadata = result.data
  for (const uri of metadata.redirect_uris) {
    const problem = redirectProblem(uri)
    if (problem) throw new OAuthError('invalid_redirect_uri', `redirect_uris: each ${problem}`)
  }
  const { grant_types: grants, response_types: responses } = metadata
  if (grants && !grants.includes('authorization_code'))
    throw new OAuthError('invalid_client_metadata', 'grant_types: must have authorization_code')
  if (responses && !responses.includes('code'))
    throw new OAuthError('invalid_client_metadata', 'response_types: must have code')
  return metadata
}

/** A name as a page may show it: no control characters, nothing that turns the direction of the text. */
export function shownName(name: string | undefined): string {
  const clean = (name ?? '')
    .normalize('NFKC')
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
    .slice(0, 60)
  return clean || 'A program without a name'
}
