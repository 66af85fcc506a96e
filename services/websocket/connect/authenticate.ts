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
  origin: string | null
}
/** The subprotocol's token, else the ticket, else what the edge found in the Authorization header. Throws unauthorized. */
export async function authenticate(
  deps: { tokens: TokenVerifier; cache: Cache },
  ctx: Ctx,
  { token, ticket, origin }: Credentials,
): Promise<Actor> {
  if (token !== null) return deps.tokens.verify(token, ctx.address)
  if (ticket === undefined) return requireActor(ctx)
  const actor = await redeemTicket(deps.cache, ticket, origin)
  if (!actor)
    throw new AssayError('unauthorized', 'The ticket is unknown, used or too old; POST /api/ws/ticket gives a new one.')
  return actor
}
