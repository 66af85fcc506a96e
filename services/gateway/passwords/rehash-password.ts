import { AssayError } from '@assay/core/contracts/errors'
import type { GatewayDeps } from '../deps.ts'

export interface SeenPassword {
  userId: string
  /** as it is stored */
  hash: string
  password: string
}

/** A right password whose hash is of another kind than new ones, of an import or from before a change, is hashed anew. */
export async function rehashPassword(
  { database, hasher }: Pick<GatewayDeps, 'database' | 'hasher'>,
  { userId, hash, password }: SeenPassword,
): Promise<void> {
  if (!hasher.isOutdated(hash)) return
  try {
    // one that was set meanwhile stays
    await database.query(
      `update accounts set password = $3 where user_id = $1 and provider_id = 'credential' and password = $2`,
      [userId, hash, await hasher.hash(password)],
    )
  } catch (error) {
    // no login fails for it: the next one does it
    if (!(error instanceof AssayError)) throw error
  }
}
