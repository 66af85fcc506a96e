import { AssayError } from '@assay/core/contracts/errors'
import { isHouse } from '@assay/core/contracts/scopes'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Actor } from '@assay/core/kernel/context'
import type { Sql } from '@assay/core/ports/db/port'
import type { Role } from '../auth/schemas.ts'
import type { GatewayDeps, Verb } from '../deps.ts'
import { announceRevoked } from '../events/announce-revoked.ts'
import { requireAddresses, requireAuthorityOver } from './bounds.ts'
import { hashApiKey, newApiKey, shownParts } from './key-format.ts'
import { API_KEY_COLUMNS, type ApiKeyRow, toApiKey } from './rows.ts'
import { type IssuedApiKey, KEYS_PER_USER, type RotateBody } from './schemas.ts'

const HOUR_MS = 3_600_000

interface OldKey extends ApiKeyRow {
  successor_id: string | null
  tenant: string
  role: Role
}

/**
 * A new key with the same scopes, limits and addresses, for as long again. The old one ends after the overlap: meanwhile
 * both work, so that no bot stands still while it is given the new one.
 */
export async function rotateKey({ ctx, input, deps }: Verb<RotateBody & { id: string }>): Promise<IssuedApiKey> {
  const actor = requireScope(ctx, 'keys:write')
  const now = deps.clock.now()
  const key = newApiKey()
  const made = await deps.database.inTransaction(async (sql) => {
    const old = await oldKey(sql, { actor, id: input.id, deps })
    const row = await successor(sql, { old, key, now })
    const ends = new Date(Math.min(now + input.overlap_hours * HOUR_MS, old.expires_at?.getTime() ?? Number.MAX_VALUE))
    await sql.query('update api_keys set successor_id = $2, expires_at = $3 where id = $1', [old.id, row.id, ends])
    if (input.overlap_hours === 0) await announceRevoked(sql, { what: 'key', id: old.id, userId: old.user_id })
    await recordAudit(sql, {
      action: 'api_key.rotated',
      actor: actor.userId,
      tenant: old.tenant,
      detail: { key: old.id, successor: row.id, owner: old.user_id },
    })
    return row
  })
  // what is remembered of the old one does not know its end yet
  deps.verifier.revokeKey(input.id)
  return { ...toApiKey(made), key }
}

async function oldKey(sql: Sql, { actor, id, deps }: { actor: Actor; id: string; deps: GatewayDeps }): Promise<OldKey> {
  const [old] = await sql.query<OldKey>(
    `select k.*, u.tenant, u.role from api_keys k join users u on u.id = k.user_id
      where k.id = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)
        and (u.id = $3 or $4 and (u.tenant = $5 or $6)) for update of k, u`,
    [id, new Date(deps.clock.now()), actor.userId, actor.scopes.includes('ops:write'), actor.tenant, isHouse(actor)],
  )
  if (!old) throw new AssayError('not_found', 'There is no such key.')
  if (old.successor_id) throw new AssayError('conflict', 'It has a successor already: rotate that one.')
  const beyond = old.scopes.find((scope) => !actor.scopes.includes(scope))
  if (beyond) throw new AssayError('forbidden', `The key holds ${beyond}, which you do not.`)
  await requireAuthorityOver(deps, actor, { id: old.user_id, role: old.role, tenant: old.tenant })
  requireAddresses(actor, old.addresses)
  return old
}

async function successor(sql: Sql, { old, key, now }: { old: OldKey; key: string; now: number }): Promise<ApiKeyRow> {
  const [living] = await sql.query<{ n: number }>(
    'select count(*)::int as n from api_keys where user_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)',
    [old.user_id, new Date(now)],
  )
  if (living!.n >= KEYS_PER_USER) throw new AssayError('conflict', `A user has at most ${KEYS_PER_USER} living keys.`)
  const { prefix, last4 } = shownParts(key)
  const lives = old.expires_at && old.expires_at.getTime() - old.created_at.getTime()
  const [row] = await sql.query<ApiKeyRow>(
    `insert into api_keys (id, user_id, name, hash, prefix, last4, scopes, requests_per_minute, orders_per_second,
                           addresses, created_at, expires_at)
     select $2, user_id, name, $3, $4, $5, scopes, requests_per_minute, orders_per_second, addresses, $6, $7
       from api_keys where id = $1 returning ${API_KEY_COLUMNS}`,
    [old.id, Bun.randomUUIDv7(), hashApiKey(key), prefix, last4, new Date(now), lives && new Date(now + lives)],
  )
  return row!
}
