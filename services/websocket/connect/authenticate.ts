import { AssayError } from '@assay/core/contracts/errors'
import type { TokenVerifier } from '@assay/core/kernel/auth'
import { requireActor } from '@assay/core/kernel/auth'
import type { Actor, Ctx } from '@assay/core/kernel/context'
import type { Cache } from '@assay/core/ports/cache/port'
import { redeemTicket } from '../tickets/redeem-ticket.ts'

export interface Credentials {
  /** access token or API key from the subprotocol */
  token: string | null
  /** `?token=`: a ticket and nothing else */
  ticket: string | undefined
  /** in a header */
  sent: string | undefined
  origin: string | null
}
export interface Authenticated {
  actor: Actor
  /** what it was verified by; absent: another service's word */
  credential: string | undefined
}
/** The subprotocol's token, else the ticket's, else what the edge found in the Authorization header. Throws unauthorized. */
export async function authenticate(
  deps: { tokens: TokenVerifier; cache: Cache },
  ctx: Ctx,
  { token, ticket, sent, origin }: Credentials,
): Promise<Authenticated> {
  const verified = async (credential: string) => ({
    actor: await deps.tokens.verify(credential, ctx.address),
    credential,
  })
  if (token !== null) return verified(token)
  if (ticket === undefined) return { actor: requireActor(ctx), credential: sent }
  const credential = await redeemTicket(deps.cache, ticket, origin)
  if (credential === null)
    throw new AssayError('unauthorized', 'The ticket is unknown, used or too old; POST /api/ws/ticket gives a new one.')
  return verified(credential)
}
