import { hash } from 'node:crypto'
import { type CryptoKey, errors, jwtVerify } from 'jose'
import { z } from 'zod'
import { AssayError } from '../contracts/errors.ts'
import { isScope } from '../contracts/scopes.ts'
import { API_AUDIENCE } from '../contracts/services.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { TokenVerifier } from './auth.ts'
import type { CacheOutcome } from './cached.ts'
import type { Actor } from './context.ts'
import { createProxyList } from './proxies.ts'

export const TOKEN_ISSUER = 'assay'
export const TOKEN_AUDIENCE = API_AUDIENCE
export const TOKEN_TYPE = 'at+jwt'
/** The only signature algorithm accepted. */
export const TOKEN_ALGORITHM = 'EdDSA'

/** What an access token says beside issuer, audience and times; `scope` is space-separated. */
export const claimsSchema = z.object({
  sub: z.string().min(1),
  sid: z.string().min(1),
  jti: z.string().min(1),
  /** of its user when it was issued */
  epoch: z.int().nonnegative().default(0),
  client_id: z.string().optional(),
  exp: z.number(),
  scope: z.string(),
  role: z.enum(['trader', 'operator', 'admin', 'bot', 'service']),
  tenant: z.string().min(1),
  plan: z.string().min(1),
})
export type Claims = z.infer<typeof claimsSchema>

export interface VerifierSources {
  clock: Clock
  /** whether this issuer, beside `assay` itself, is ours: OAuth's tokens name the platform's public address */
  issuer?: (issuer: string) => boolean
  /** the issuer's public key of that id; undefined: not one of ours */
  publicKey(kid: string): Promise<CryptoKey | undefined>
  /** a living session and the epoch of its user, null: it has ended; asked once per token, then only a revocation ends it */
  session(sessionId: string): Promise<SessionState | null>
  /** the actor of an API key, null when unknown, expired or revoked; asked once a minute per key, a revocation ends it at once */
  apiKeyActor(key: string): Promise<Actor | null>
  /** false: what was revoked lately may not be known here, so that every credential is asked for; absent: always true */
  isCurrent?: () => boolean
  /** asked before an API key is looked up, may throw; what it gives is called when the key is a good one */
  admitKey?: (address: string | undefined) => () => void
  /** whom tokens must be for; the platform's API unless told */
  audiences?: readonly string[]
  /** hears of a key that was used from where it must not be */
  refusedAddress?: (actor: Actor, address: string | undefined) => void
  /** hears whether a credential was remembered */
  asked?: (cache: 'keys' | 'sessions', outcome: CacheOutcome) => void
  /** tokens and keys remembered, default 20,000 */
  maxCached?: number
}

export interface SessionState {
  /** tokens of an earlier one are refused */
  epoch: number
}
/** A TokenVerifier that forgets at once what was revoked in this process. */
export interface RevocableVerifier extends TokenVerifier {
  revokeSession(sessionId: string): void
  revokeKey(keyId: string): void
  /** everything of the user is asked for again: what was ended with it is refused */
  revokeUser(userId: string): void
}

/** A key may live for years: what is remembered of it is asked for again after this time. */
const KEY_KEPT_MS = 60_000
const KEY_PREFIX = 'assay_'
/** Times that a look-up begins again because its user was revoked meanwhile. */
const LOOK_UPS = 3
/** Until when it is remembered, monotonic. */
interface Remembered {
  actor: Actor
  until: number
}
/** By its look: only an API key is bound to addresses. */
export const isApiKey = (credential: string): boolean => credential.startsWith(KEY_PREFIX)
const refused = () => new AssayError('unauthorized', 'The token or API key is not valid, or not any more.')

/**
 * The one verification of access tokens and API keys. The first sight of a credential costs a signature and a look-up;
 * after that it is a map read of about a microsecond until it expires or is revoked. Credentials are kept as SHA-256 only.
 */
export function createTokenVerifier(sources: VerifierSources): RevocableVerifier {
  const { clock, maxCached = 20_000, isCurrent = () => true } = sources
  const cached = new Map<string, Remembered>()
  /** one look-up per credential at a time */
  const underWay = new Map<string, Promise<Actor>>()
  /** session, key or user id -> its digests in `cached` */
  const digestsOf = new Map<string, Set<string>>()
  const ownerOf = (actor: Actor) => (actor.keyId ?? actor.sessionId)!
  const ownersOf = (actor: Actor) => [ownerOf(actor), actor.userId]
  const allowed = new WeakMap<Actor, (address: string) => boolean>()
  const hasEnded = (actor: Actor) => actor.expiresAt !== undefined && actor.expiresAt <= clock.now()
  /** one set per look-up under way: what was revoked since it began must not be remembered by it */
  const revokedMeanwhile = new Set<Set<string>>()

  function forget(digest: string, { actor }: Remembered): void {
    cached.delete(digest)
    for (const owner of ownersOf(actor)) {
      const digests = digestsOf.get(owner)
      digests?.delete(digest)
      if (digests?.size === 0) digestsOf.delete(owner)
    }
  }

  function remember(digest: string, actor: Actor): void {
    if (cached.size >= maxCached && !cached.has(digest)) {
      const [oldest, its] = cached.entries().next().value!
      forget(oldest, its)
    }
    const until = actor.keyId === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() + KEY_KEPT_MS
    cached.set(digest, { actor, until })
    for (const owner of ownersOf(actor)) {
      const digests = digestsOf.get(owner)
      if (digests) digests.add(digest)
      else digestsOf.set(owner, new Set([digest]))
    }
  }

  function revoke(owner: string): void {
    for (const revoked of revokedMeanwhile) revoked.add(owner)
    for (const digest of [...(digestsOf.get(owner) ?? [])]) forget(digest, cached.get(digest)!)
  }

  async function lookUp(credential: string): Promise<Actor> {
    for (let tries = 0; tries < LOOK_UPS; tries++) {
      const revoked = new Set<string>()
      revokedMeanwhile.add(revoked)
      try {
        const actor = await (isApiKey(credential)
          ? sources.apiKeyActor(credential)
          : accessTokenActor(credential, sources))
        if (!actor || hasEnded(actor) || revoked.has(ownerOf(actor))) throw refused()
        // what was read before the user's epoch changed says nothing about it
        if (!revoked.has(actor.userId)) return actor
      } finally {
        revokedMeanwhile.delete(revoked)
      }
    }
    throw refused()
  }

  /** A key that is bound to addresses is good from those only. */
  function checkAddress(actor: Actor, address: string | undefined): Actor {
    if (!actor.addresses?.length) return actor
    let isAllowed = allowed.get(actor)
    if (!isAllowed) {
      isAllowed = createProxyList(actor.addresses)
      allowed.set(actor, isAllowed)
    }
    if (address !== undefined && isAllowed(address)) return actor
    sources.refusedAddress?.(actor, address)
    throw refused()
  }

  function ask(digest: string, credential: string): Promise<Actor> {
    let asked = underWay.get(digest)
    if (!asked) {
      asked = lookUp(credential)
        .then((actor) => {
          remember(digest, actor)
          return actor
        })
        .finally(() => underWay.delete(digest))
      underWay.set(digest, asked)
    }
    return asked
  }

  return {
    isCurrent,
    known(token) {
      if (isApiKey(token) || !isCurrent()) return undefined
      const found = cached.get(hash('sha256', token, 'base64'))
      if (!found || hasEnded(found.actor)) return undefined
      sources.asked?.('sessions', 'hit')
      return found.actor
    },
    async verify(credential, address) {
      const digest = hash('sha256', credential, 'base64')
      let known = cached.get(digest)
      if (known && (hasEnded(known.actor) || known.until <= clock.monotonic())) {
        forget(digest, known)
        if (hasEnded(known.actor)) throw refused()
        known = undefined
      }
      if (known && !isCurrent()) known = undefined
      sources.asked?.(isApiKey(credential) ? 'keys' : 'sessions', known ? 'hit' : 'miss')
      if (known) return checkAddress(known.actor, address)
      const good = isApiKey(credential) ? sources.admitKey?.(address) : undefined
      const actor = await ask(digest, credential)
      good?.()
      return checkAddress(actor, address)
    },
    revokeSession: revoke,
    revokeKey: revoke,
    revokeUser: revoke,
  }
}

async function accessTokenActor(token: string, sources: VerifierSources): Promise<Actor | null> {
  const claims = await verifiedClaims(token, sources)
  if (!claims) return null
  const session = await sources.session(claims.sid)
  if (!session || claims.epoch < session.epoch) return null
  return {
    userId: claims.sub,
    role: claims.role,
    tenant: claims.tenant,
    plan: claims.plan,
    scopes: claims.scope.split(' ').filter(isScope),
    sessionId: claims.sid,
    ...(claims.client_id && { clientId: claims.client_id }),
    expiresAt: claims.exp * 1_000,
  }
}

/** RFC 8725, RFC 9068: one algorithm, one type, keys by id from our own set and never from the token. */
async function verifiedClaims(token: string, sources: VerifierSources): Promise<Claims | null> {
  const { clock, publicKey, audiences, issuer } = sources
  try {
    const { payload } = await jwtVerify(
      token,
      async ({ kid }) => {
        const key = kid ? await publicKey(kid) : undefined
        if (!key) throw new errors.JWKSNoMatchingKey()
        return key
      },
      {
        algorithms: [TOKEN_ALGORITHM],
        typ: TOKEN_TYPE,
        audience: audiences ? [...audiences] : TOKEN_AUDIENCE,
        currentDate: new Date(clock.now()),
        requiredClaims: ['iat'],
      },
    )
    const { iss = '' } = payload
    return iss === TOKEN_ISSUER || issuer?.(iss) ? claimsSchema.parse(payload) : null
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof z.ZodError) return null
    throw error
  }
}
