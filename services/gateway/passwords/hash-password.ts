import { requireScope } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'
import { requireGoodPassword } from './require-good-password.ts'
import type { HashedPassword } from './schemas.ts'

/** For provisioning: the hash that a login of this platform takes. */
export async function hashPassword({ ctx, input, deps }: Verb<{ password: string }>): Promise<HashedPassword> {
  requireScope(ctx, 'users:write')
  requireGoodPassword(input.password, [])
  return { success: true, hash: await deps.hasher.hash(input.password), algorithm: 'argon2id' }
}
