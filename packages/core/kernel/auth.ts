import { AssayError } from '../contracts/errors.ts'
import { isHouse, type Scope } from '../contracts/scopes.ts'
import type { Actor, Ctx } from './context.ts'

/** Bearer token or API key -> actor. Throws AssayError unauthorized. */
export interface TokenVerifier {
  /** `address`: who sends it; a key that is bound to addresses is refused without */
  verify(credential: string, address?: string): Promise<Actor>
  /** the actor of an access token that was verified before and is still good, at once; undefined: ask verify */
  known?(token: string): Actor | undefined
  /** false: something that was revoked lately may not be known here; absent: all is */
  isCurrent?(): boolean
}
/** The actor, or 401. */
export function requireActor(ctx: Ctx): Actor {
  if (!ctx.actor) throw ctx.denied ?? new AssayError('unauthorized', 'Send a bearer token or an API key.')
  return ctx.actor
}
/** The actor holding the scope, or 401 / 403. */
export function requireScope(ctx: Ctx, scope: Scope): Actor {
  const actor = requireActor(ctx)
  if (!actor.scopes.includes(scope)) throw new AssayError('forbidden', `This needs the scope ${scope}.`, { scope })
  return actor
}
/** The actor holding the scope for the whole platform, as an operator of the house, or 401 / 403. */
export function requireHouse(ctx: Ctx, scope: Scope): Actor {
  const actor = requireScope(ctx, scope)
  if (!isHouse(actor)) throw new AssayError('forbidden', 'This is for those who run the platform.')
  return actor
}
