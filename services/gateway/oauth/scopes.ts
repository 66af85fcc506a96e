import type { Scope } from '@assay/core/contracts/scopes'
import { OAuthError } from './oauth-error.ts'

/**
 * What an agent may be let do, in the words of the consent page. Keys, accounts, users, tenants, audit and operations are
 * not among it: nobody can hand those to a program by one click.
 */
export const AGENT_SCOPES = {
  'market:read': 'See prices, candles and instruments',
  'trading:read': 'See your assessments: orders, positions, trades, results',
  'orders:write': 'Place, change and cancel orders in your assessments',
  'trading:write': 'Buy, start, pause and abandon assessments: this can spend money',
  'account:read': 'See your profile, your sessions and your usage',
} as const satisfies Partial<Record<Scope, string>>
export type AgentScope = keyof typeof AGENT_SCOPES
export const AGENT_SCOPE_NAMES = Object.keys(AGENT_SCOPES) as AgentScope[]

/** Asked for nothing, a client gets what changes nothing. */
const UNASKED: readonly AgentScope[] = ['market:read', 'trading:read']

export const isAgentScope = (text: string): text is AgentScope => Object.hasOwn(AGENT_SCOPES, text)

/** The scopes of a request in our order; those that no agent may have are left out, as RFC 6749 allows. */
export function askedScopes(text: string | null): AgentScope[] {
  if (text === null || text.trim() === '') return [...UNASKED]
  const words = new Set(text.split(' ').filter(Boolean))
  const scopes = AGENT_SCOPE_NAMES.filter((scope) => words.has(scope))
  if (scopes.length === 0)
    throw new OAuthError('invalid_scope', `No scope of these can be given. There are: ${AGENT_SCOPE_NAMES.join(' ')}.`)
  return scopes
}
