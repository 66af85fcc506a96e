import type { Verb } from '../deps.ts'
import { createUser } from './create-user.ts'
import type { RegisterBody, User } from './schemas.ts'

/** Anybody may become a trader, at a limited pace. */
export async function register({ ctx, input, deps }: Verb<RegisterBody>): Promise<User> {
  await deps.guard.registration(ctx.address)
  return createUser({ input: { ...input, role: 'trader' }, deps })
}
