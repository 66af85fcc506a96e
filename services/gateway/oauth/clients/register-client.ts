import { AssayError } from '@assay/core/contracts/errors'
import { recordAudit } from '@assay/core/kernel/audit'
import type { Limit } from '@assay/core/ports/limits/port'
import { networkOf } from '../../limits/client.ts'
import type { OAuthVerb } from '../deps.ts'
import type { RegisteredClient } from '../schemas.ts'
import { readMetadata, shownName } from './metadata.ts'

const HOUR = 3_600_000
const OF_NETWORK: Limit = { name: 'oauth-registrations', points: 20, windowMs: HOUR }
/** Registered clients at most; those that nobody used go after a day. */
export const CLIENTS_MAX = 10_000

/** Dynamic registration (RFC 7591), for clients that have no metadata document: public ones only, without a secret. */
export async function registerClient({ ctx, input, deps }: OAuthVerb<unknown>): Promise<RegisteredClient> {
  const metadata = readMetadata(input)
  const [decision] = await deps.limits.take(networkOf(ctx.address), [OF_NETWORK])
  if (!decision!.allowed)
    throw new AssayError('rate_limited', 'Too many registrations from this network.', {
      retryAfterS: Math.ceil(decision!.retryAfterMs / 1_000),
    })
  const id = `assayc_${Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')}`
  const name = shownName(metadata.client_name)
  const now = deps.clock.now()
  await deps.database.inTransaction(async (sql) => {
    const [{ n }] = (await sql.query(`select count(*)::int as n from oauth_clients where kind = 'registered'`)) as [
      { n: number },
    ]
    if (n >= CLIENTS_MAX)
      throw new AssayError('unavailable', 'No more clients can register now.', { retryAfterS: 3_600 })
    await sql.query(
      `insert into oauth_clients (id, kind, name, redirect_uris, created_at, used_at) values ($1, 'registered', $2, $3, $4, $4)`,
      [id, name, metadata.redirect_uris, new Date(now)],
    )
    await recordAudit(sql, {
      action: 'oauth.client_registered',
      actor: 'anonymous',
      tenant: 'default',
      detail: { client: id, network: networkOf(ctx.address) },
    })
  })
  return {
    client_id: id,
    client_id_issued_at: Math.floor(now / 1_000),
    client_name: name,
    redirect_uris: metadata.redirect_uris,
    // whatever it asked for: what counts is what is answered
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  }
}
