import { AssayError } from '@assay/core/contracts/errors'
import type { Limit } from '@assay/core/ports/limits/port'
import { networkOf } from '../../limits/client.ts'
import type { OAuthDeps, OAuthVerb } from '../deps.ts'
import { OAuthError } from '../oauth-error.ts'
import { type ClientRow, isDocumentId, type OAuthClient, toClient } from './client.ts'
import { readMetadata, shownName } from './metadata.ts'

const MINUTE = 60_000
/** How long a document is believed: what it says of itself, within these. */
const KEPT = { least: 5 * MINUTE, usual: 60 * MINUTE, most: 24 * 60 * MINUTE }
/** Whoever asks makes us ask: from one network, and in all. */
const OF_NETWORK: Limit = { name: 'oauth-documents', points: 20, windowMs: 10 * MINUTE }
const OF_ALL: Limit = { name: 'oauth-documents-all', points: 300, windowMs: 10 * MINUTE }

/** A registered client, or the one that a metadata document describes. Throws invalid_client. */
export async function findClient({ ctx, input: id, deps }: OAuthVerb<string>): Promise<OAuthClient> {
  const [known] = await deps.database.query<ClientRow>(
    'select id, kind, name, redirect_uris, fresh_until from oauth_clients where id = $1',
    [id],
  )
  const now = deps.clock.now()
  if (known && (known.kind === 'registered' || known.fresh_until!.getTime() > now)) return toClient(known)
  if (!isDocumentId(id)) throw new OAuthError('invalid_client', 'This client is not known. It must register again.')
  const url = documentUrl(id)
  await count(deps, networkOf(ctx.address))
  const { document, maxAgeS } = await deps.readDocument(url)
  const client = describedBy(document, id)
  const kept = maxAgeS === null ? KEPT.usual : Math.min(Math.max(maxAgeS * 1_000, KEPT.least), KEPT.most)
  await deps.database.query(
    `insert into oauth_clients (id, kind, name, redirect_uris, created_at, fresh_until, used_at)
     values ($1, 'document', $2, $3, $4, $5, $4)
     on conflict (id) do update set name = excluded.name, redirect_uris = excluded.redirect_uris,
       fresh_until = excluded.fresh_until, used_at = excluded.used_at`,
    [id, client.name, client.redirectUris, new Date(now), new Date(now + kept)],
  )
  return client
}

/** As the draft wants it: with a path, without dots in it, without a fragment or a user. */
function documentUrl(id: string): URL {
  const url = URL.canParse(id) ? new URL(id) : null
  if (!url || url.href !== id || url.pathname === '/' || url.hash || url.username || url.password || id.length > 500)
    throw new OAuthError('invalid_client', 'client_id: must be the URL of a metadata document, with a path.')
  return url
}

function describedBy(document: unknown, id: string): OAuthClient {
  const said = (document as { client_id?: unknown; client_secret?: unknown } | null) ?? {}
  if (said.client_id !== id || said.client_secret !== undefined)
    throw new OAuthError('invalid_client', "The client's metadata document does not name this client_id.")
  const metadata = readMetadata(document)
  const method = metadata.token_endpoint_auth_method ?? 'none'
  if (method !== 'none')
    throw new OAuthError('invalid_client', `The client authenticates by ${method}; clients are public here: none.`)
  return { id, name: shownName(metadata.client_name), redirectUris: metadata.redirect_uris }
}

async function count({ limits }: OAuthDeps, network: string): Promise<void> {
  const [own] = await limits.take(network, [OF_NETWORK])
  const [all] = own!.allowed ? await limits.take('all', [OF_ALL]) : [own]
  if (all!.allowed) return
  const retryAfterS = Math.ceil(all!.retryAfterMs / 1_000)
  throw new AssayError('rate_limited', 'Too many clients that are not known yet. Try again later.', { retryAfterS })
}
