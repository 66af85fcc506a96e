import { AssayError } from '@assay/core/contracts/errors'
import type { Verb } from '../deps.ts'
import { issueTokens } from '../tokens/issue-tokens.ts'
import { refreshClient } from '../tokens/refresh-token.ts'
import { rotate } from '../tokens/rotate-refresh-token.ts'
import type { RefreshBody, Tokens } from './schemas.ts'

export interface RefreshInput extends RefreshBody {
  userAgent: string
}

/**
 * Trades a refresh token for new tokens, once. Asked again by the same client within 10 s, as after a lost answer, it
 * gives the same next token; any other reuse means that two hold it, and ends the whole session.
 */
export async function refresh({ ctx, input, deps }: Verb<RefreshInput>): Promise<Tokens> {
  const token = input.refresh_token
  const client = refreshClient(ctx.address, input.userAgent)
  const outcome = await deps.database.inTransaction((sql) => rotate(sql, { token, client, clientId: null, deps }))
  if (outcome && 'next' in outcome) {
    const { row, next } = outcome
    const user = { id: row.user_id, role: row.role, tenant: row.tenant, plan: row.plan, epoch: row.epoch }
    const { session_id: id, session_ends: ends, kind, session_scopes: scopes, amr } = row
    const factorWanted = deps.requireFactor || row.mfa_required
    return issueTokens(deps, { user, session: { id, ends, kind, scopes, amr }, factorWanted, refreshToken: next })
  }
  if (outcome) deps.verifier.revokeSession(outcome.ended)
  throw new AssayError('unauthorized', 'The refresh token is not valid, or not any more. Log in again.')
}
