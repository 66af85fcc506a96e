import { refreshClient } from '../../tokens/refresh-token.ts'
import { type RotatedRow, rotate } from '../../tokens/rotate-refresh-token.ts'
import type { OAuthVerb } from '../deps.ts'
import { OAuthError } from '../oauth-error.ts'
import { resourceOf } from '../resources.ts'
import type { GrantedTokens } from '../schemas.ts'
import { isAgentScope } from '../scopes.ts'
import type { Exchange } from './exchange-code.ts'
import { grantTokens } from './grant-tokens.ts'

export interface Refreshing extends Exchange {
  userAgent: string
}

/** The next pair of tokens of a grant, by the rules of every refresh token: good once, reuse ends the family. */
export async function refreshGrant({ ctx, input, deps }: OAuthVerb<Refreshing>): Promise<GrantedTokens> {
  const { form, base } = input
  const token = form.need('refresh_token')
  const clientId = form.need('client_id')
  const wanted = form.get('scope')?.split(' ').filter(Boolean)
  const resource = form.all('resource').length > 0 ? resourceOf(base, form.all('resource')) : null
  const client = refreshClient(ctx.address, input.userAgent)
  const outcome = await deps.database.inTransaction(async (sql) => {
    const rotated = await rotate(sql, { token, client, clientId, deps })
    // what is asked for wrongly does not use the token up: this rolls back
    if (rotated && 'next' in rotated) checkAsked(rotated.row, wanted, resource)
    return rotated
  })
  if (!outcome || !('next' in outcome)) {
    if (outcome) deps.verifier.revokeSession(outcome.ended)
    throw new OAuthError('invalid_grant', 'The refresh token is not valid, or not any more.')
  }
  const { row, next } = outcome
  const granted = row.scopes!.filter(isAgentScope)
  return grantTokens(deps, {
    base,
    clientId,
    resource: row.resource!,
    scopes: wanted ? granted.filter((scope) => wanted.includes(scope)) : granted,
    user: { id: row.user_id, role: row.role, tenant: row.tenant, plan: row.plan, epoch: row.epoch },
    session: { id: row.session_id, ends: row.session_ends, amr: row.amr },
    factorWanted: row.mfa_required,
    refreshToken: next,
  })
}

function checkAsked(row: RotatedRow, wanted: string[] | undefined, resource: string | null): void {
  if (resource !== null && resource !== row.resource)
    throw new OAuthError('invalid_target', 'The grant is for another resource.')
  if (wanted?.some((scope) => !(row.scopes as string[]).includes(scope)))
    throw new OAuthError('invalid_scope', 'The user has not allowed all of these.')
}
