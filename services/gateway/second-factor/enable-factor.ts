import { AssayError } from '@assay/core/contracts/errors'
import type { Verb } from '../deps.ts'
import { confirmPassword } from '../passwords/confirm-password.ts'
import { findUser } from '../users/rows.ts'
import { makeKey } from './factor-key.ts'
import type { NewFactor } from './schemas.ts'

/** A new key for the user's app. It counts from the first code that is shown: `verifyFactor`. */
export async function enableFactor({ ctx, input, deps }: Verb<{ password: string }>): Promise<NewFactor> {
  const account = await confirmPassword(deps, ctx, input.password)
  const key = `gateway.${account.id}`
  const user = await findUser(deps.database, account.id)
  return deps.database.inTransaction(async (sql) => {
    const [made] = await sql.query(
      `insert into second_factors as f (user_id, key_name, created_at) values ($1, $2, $3)
       on conflict (user_id) do update set created_at = excluded.created_at where f.enabled_at is null returning 1`,
      [account.id, key, new Date(deps.clock.now())],
    )
    if (!made)
      throw new AssayError('conflict', 'The second factor is on; turn it off before another app takes its place.')
    const url = await makeKey(deps, key, user!.email)
    return { success: true, otpauth_url: url, secret: new URL(url).searchParams.get('secret') ?? '' }
  })
}
