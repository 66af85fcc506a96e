import type { OAuthClient } from '../clients/client.ts'
import { findClient } from '../clients/find-client.ts'
import { isRegistered } from '../clients/redirect-uri.ts'
import type { OAuthVerb } from '../deps.ts'
import { OAuthError } from '../oauth-error.ts'
import type { Parameters } from '../parameters.ts'
import { resourceOf } from '../resources.ts'
import { type AgentScope, askedScopes } from '../scopes.ts'

/** What a client asks of a user, once it is known that it may. */
export interface AuthorizationRequest {
  clientId: string
  clientName: string
  redirectUri: string
  state: string | null
  scopes: AgentScope[]
  resource: string
  challenge: string
}
/** Where the answer goes. */
export type Asker = Pick<AuthorizationRequest, 'clientId' | 'clientName' | 'redirectUri' | 'state'>

const STATE_MAX = 2_000

/** Who asks and where the answer may go. Until this is sure nothing is sent anywhere: what it throws is for the user's eyes. */
export async function readAsker({ ctx, input, deps }: OAuthVerb<Parameters>): Promise<Asker> {
  const client: OAuthClient = await findClient({ ctx, input: input.need('client_id'), deps })
  const redirectUri = input.need('redirect_uri')
  if (!isRegistered(redirectUri, client.redirectUris))
    throw new OAuthError('invalid_request', 'redirect_uri: is not one of those that the client has named.')
  const state = input.get('state')
  if (state && state.length > STATE_MAX)
    throw new OAuthError('invalid_request', `state: at most ${STATE_MAX} characters`)
  return { clientId: client.id, clientName: client.name, redirectUri, state }
}

/** The rest of the request; what it throws is told to the client. */
export function readRequest(params: Parameters, asker: Asker, base: string): AuthorizationRequest {
  if (params.need('response_type') !== 'code')
    throw new OAuthError('unsupported_response_type', 'response_type: must be code')
  if ((params.get('response_mode') ?? 'query') !== 'query')
    throw new OAuthError('invalid_request', 'response_mode: must be query')
  const challenge = params.need('code_challenge')
  if (params.get('code_challenge_method') !== 'S256')
    throw new OAuthError('invalid_request', 'code_challenge_method: must be S256')
  if (!/^[\w-]{43}$/.test(challenge))
    throw new OAuthError('invalid_request', 'code_challenge: must be a SHA-256 in base64url')
  const resource = resourceOf(base, params.all('resource'))
  return { ...asker, scopes: askedScopes(params.get('scope')), resource, challenge }
}
