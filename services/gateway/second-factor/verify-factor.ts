import { randomBytes } from 'node:crypto'
import { AssayError } from '@assay/core/contracts/errors'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Actor } from '@assay/core/kernel/context'
import type { Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps, Verb } from '../deps.ts'
import { queueLetter } from '../letters/queue-letter.ts'
import { endOtherSessions } from '../sessions/end-sessions.ts'
import type { FactorShown } from './schemas.ts'
import { hashRecoveryCode, showFactor } from './show-factor.ts'

const RECOVERY_CODES = 10
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** 120 bits in four groups: too many to be guessed, so that a plain SHA-256 is stored (ASVS 6.5.2). */
function newRecoveryCode(): string {
  const letters = [...randomBytes(24)].map((byte) => BASE32[byte & 31]).join('')
  return letters.match(/.{6}/g)!.join('-')
}

/**
 * A code of the user's app. The first one turns the second factor on, gives the recovery codes and ends the user's other
 * sessions; a later one makes this session fresh for acts that want it (`requireFreshFactor`).
 */
export async function verifyFactor({ ctx, input, deps }: Verb<{ code: string }>): Promise<FactorShown> {
  const actor = requireScope(ctx, 'account:write')
  if (!actor.sessionId || actor.clientId)
    throw new AssayError('forbidden', 'Only the user shows the second factor, logged in; not an API key or an agent.')
  const [factor] = await deps.database.query<{ key_name: string; created_at: Date; enabled_at: Date | null }>(
    'select key_name, created_at, enabled_at from second_factors where user_id = $1',
    [actor.userId],
  )
  if (!factor) throw new AssayError('conflict', 'There is no second factor yet: POST /api/auth/totp/enable makes one.')
  const account = { id: actor.userId, tenant: actor.tenant, totpKey: factor.key_name }
  if (!factor.enabled_at && !/^\d{6}$/.test(input.code))
    throw new AssayError('validation_failed', 'must be the 6 digits of the app', { field: 'code' })
  const shown = await showFactor(deps, { account, code: input.code, address: ctx.address })
  const codes = factor.enabled_at ? [] : Array.from({ length: RECOVERY_CODES }, newRecoveryCode)
  const ended = await deps.database.inTransaction(async (sql) => {
    const ended = factor.enabled_at ? [] : await turnOn(sql, { actor, made: factor.created_at, codes, deps })
    const [still] = await sql.query(
      `update sessions set confirmed_at = $2, amr = case when $3 = any(amr) then amr else array_append(amr, $3) end
        where id = $1 returning 1`,
      [actor.sessionId!, new Date(deps.clock.now()), shown],
    )
    if (!still) throw new AssayError('unauthorized', 'This session was ended just now.')
    if (!factor.enabled_at)
      await queueLetter(sql, deps.clock, { kind: 'second_factor_changed', userId: actor.userId, data: { how: 'on' } })
    const action = factor.enabled_at ? 'second_factor.shown' : 'second_factor.enabled'
    await recordAudit(sql, { action, actor: actor.userId, tenant: actor.tenant, detail: { session: actor.sessionId! } })
    return ended
  })
  for (const id of ended) deps.verifier.revokeSession(id)
  return { success: true, recovery_codes: codes }
}

async function turnOn(
  sql: Sql,
  { actor, made, codes, deps }: { actor: Actor; made: Date; codes: readonly string[]; deps: GatewayDeps },
): Promise<string[]> {
  const [on] = await sql.query(
    'update second_factors set enabled_at = $2 where user_id = $1 and enabled_at is null and created_at = $3 returning 1',
    [actor.userId, new Date(deps.clock.now()), made],
  )
  if (!on) throw new AssayError('conflict', 'It was turned on, or another key made, meanwhile.')
  await sql.query('delete from recovery_codes where user_id = $1', [actor.userId])
  await sql.query('insert into recovery_codes (hash, user_id) select unnest($1::text[]), $2', [
    codes.map(hashRecoveryCode),
    actor.userId,
  ])
  return endOtherSessions(sql, { userId: actor.userId, keep: actor.sessionId })
}
