import { createHash } from 'node:crypto'
import { AssayError } from '@assay/core/contracts/errors'
import { recordAudit } from '@assay/core/kernel/audit'
import { SecretsError } from '@assay/core/ports/secrets/port'
import type { GatewayDeps } from '../deps.ts'
import { networkOf } from '../limits/client.ts'
import type { Account } from '../users/account.ts'

export interface Shown {
  account: Pick<Account, 'id' | 'tenant' | 'totpKey'>
  code: string | undefined
  address: string
}
export const hashRecoveryCode = (code: string): string => createHash('sha256').update(code.toLowerCase()).digest('hex')

/**
 * Checks the code of a user whose second factor is on: 'otp', 'recovery' for a recovery code, which is spent by it, null
 * where none is on. Throws second_factor_required without a code, invalid_credentials for a wrong or used one.
 */
export async function showFactor(
  deps: GatewayDeps,
  { account, code, address }: Shown,
): Promise<'otp' | 'recovery' | null> {
  const { id: userId, tenant, totpKey } = account
  if (totpKey === null) return null
  if (code === undefined)
    throw new AssayError('second_factor_required', 'Send the code of the app, or a recovery code.', { field: 'totp' })
  const network = networkOf(address)
  const attempt = await deps.guard.code({ userId, address, isKnownAddress: () => knows(deps, userId, network) })
  const isOtp = /^\d{6}$/.test(code)
  const right = await (isOtp ? isCode(deps, totpKey, code) : spend(deps, account, code)).catch(async (error) => {
    await attempt.withdrawn()
    throw error
  })
  if (right) {
    await attempt.succeeded()
    return isOtp ? 'otp' : 'recovery'
  }
  const detail = { network, factor: isOtp ? 'otp' : 'recovery' }
  await deps.database.inTransaction((sql) =>
    recordAudit(sql, { action: 'login.failed', actor: userId, tenant, detail }),
  )
  throw new AssayError('invalid_credentials', 'The code is wrong, or was used already.', { field: 'totp' })
}

/** Whether the code is that of the key now; each is good once. Fails closed while the secrets server is away. */
export async function isCode({ totp }: Pick<GatewayDeps, 'totp'>, key: string, code: string): Promise<boolean> {
  try {
    return await totp.verifyTotp(key, code)
  } catch (cause) {
    if (!(cause instanceof SecretsError)) throw cause
    throw new AssayError('unavailable', 'Codes cannot be checked now.', { retryAfterS: 5, cause })
  }
}

function spend({ database }: GatewayDeps, { id, tenant }: Pick<Account, 'id' | 'tenant'>, code: string) {
  return database.inTransaction(async (sql) => {
    const spent = await sql.query('delete from recovery_codes where hash = $1 and user_id = $2 returning 1', [
      hashRecoveryCode(code),
      id,
    ])
    if (spent.length > 0) await recordAudit(sql, { action: 'recovery_code.used', actor: id, tenant, detail: {} })
    return spent.length > 0
  })
}

async function knows({ database }: GatewayDeps, userId: string, network: string): Promise<boolean> {
  const rows = await database.query('select 1 from known_addresses where user_id = $1 and address = $2', [
    userId,
    network,
  ])
  return rows.length > 0
}
