import { AssayError } from '@assay/core/contracts/errors'
import { planOf } from '@assay/core/contracts/plans'
import { isHouse, ROLE_SCOPES, type Scope } from '@assay/core/contracts/scopes'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Actor } from '@assay/core/kernel/context'
import type { GatewayDeps, Verb } from '../deps.ts'
import { findUserRow } from '../users/rows.ts'
import { requireAddresses, requireAuthorityOver, requireEnds } from './bounds.ts'
import { hashApiKey, newApiKey, shownParts } from './key-format.ts'
import { API_KEY_COLUMNS, type ApiKeyRow, toApiKey } from './rows.ts'
import { type ApiKeyBody, type IssuedApiKey, KEYS_PER_USER } from './schemas.ts'

const YEAR_MS = 365 * 86_400_000

/** Makes an API key that can do no more than its issuer and its owner; the key itself is in this answer only. */
export async function issueKey({ ctx, input, deps }: Verb<ApiKeyBody>): Promise<IssuedApiKey> {
  const actor = requireScope(ctx, 'keys:write')
  const owner = await ownerOf(actor, input, deps)
  const scopes = scopesFor(input.scopes, actor, owner.scopes)
  checkLimits(actor, input)
  const expires = expiryOf(input.expires_at, actor, deps.clock.now())
  const addresses = input.addresses ?? [...(actor.addresses ?? [])]
  requireEnds(actor, expires)
  requireAddresses(actor, addresses)

  const key = newApiKey()
  const { prefix, last4 } = shownParts(key)
  const row = await deps.database.inTransaction(async (sql) => {
    await sql.query('select 1 from users where id = $1 for update', [owner.id])
    const [living] = await sql.query<{ n: number }>(
      'select count(*)::int as n from api_keys where user_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)',
      [owner.id, new Date(deps.clock.now())],
    )
    if (living!.n >= KEYS_PER_USER) throw new AssayError('conflict', `A user has at most ${KEYS_PER_USER} living keys.`)
    const [made] = await sql.query<ApiKeyRow>(
      `insert into api_keys (id, user_id, name, hash, prefix, last4, scopes, requests_per_minute, orders_per_second, created_at, expires_at, addresses)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning ${API_KEY_COLUMNS}`,
      [
        Bun.randomUUIDv7(),
        owner.id,
        input.name,
        hashApiKey(key),
        prefix,
        last4,
        scopes,
        input.limits?.requests_per_minute ?? null,
        input.limits?.orders_per_second ?? null,
        new Date(deps.clock.now()),
        expires,
        addresses,
      ],
    )
    await recordAudit(sql, {
      action: 'api_key.issued',
      actor: actor.userId,
      tenant: owner.tenant,
      detail: { key: made!.id, owner: owner.id, scopes: scopes.join(' ') },
    })
    return made!
  })
  return { ...toApiKey(row), key }
}

async function ownerOf(actor: Actor, { user_id }: ApiKeyBody, deps: GatewayDeps) {
  if (user_id === undefined || user_id === actor.userId)
    return { id: actor.userId, tenant: actor.tenant, scopes: actor.scopes }
  if (!actor.scopes.includes('ops:write'))
    throw new AssayError('forbidden', 'Only operators make keys for others.', { field: 'user_id' })
  const user = await findUserRow(deps.database, user_id)
  if (!user || user.erased_at || (user.tenant !== actor.tenant && !isHouse(actor)))
    throw new AssayError('not_found', 'There is no such user.', { field: 'user_id' })
  await requireAuthorityOver(deps, actor, user)
  return { id: user.id, tenant: user.tenant, scopes: ROLE_SCOPES[user.role] ?? [] }
}

function scopesFor(asked: readonly Scope[] | undefined, actor: Actor, ofOwner: readonly Scope[]): Scope[] {
  const held = actor.scopes.filter((scope) => ofOwner.includes(scope))
  if (!asked) return held.filter((scope) => ROLE_SCOPES.bot!.includes(scope))
  const beyond = asked.find((scope) => !held.includes(scope))
  if (beyond)
    throw new AssayError('forbidden', `The key would hold ${beyond}, which its issuer or owner does not.`, {
      field: 'scopes',
    })
  return [...new Set(asked)]
}

/** A limit that the limited could lift would be none: operators of a tenant are under its plan too. */
function checkLimits(actor: Actor, { limits }: ApiKeyBody): void {
  if (!limits || (isHouse(actor) && actor.scopes.includes('ops:write'))) return
  if (limits.requests_per_minute !== undefined)
    throw new AssayError('forbidden', 'Only the house sets this limit.', { field: 'limits.requests_per_minute' })
  const { keyOrdersPerSecond } = planOf(actor.plan)
  if ((limits.orders_per_second ?? 0) > keyOrdersPerSecond)
    throw new AssayError('forbidden', `Above ${keyOrdersPerSecond} only the house sets it.`, {
      field: 'limits.orders_per_second',
    })
}

function expiryOf(asked: string | null | undefined, actor: Actor, now: number): Date | null {
  if (asked === null) return null
  if (asked === undefined)
    return new Date(actor.keyId === undefined ? now + YEAR_MS : Math.min(now + YEAR_MS, actor.expiresAt ?? Infinity))
  const expires = new Date(asked)
  if (expires.getTime() <= now)
    throw new AssayError('validation_failed', 'must lie in the future', { field: 'expires_at' })
  return expires
}
