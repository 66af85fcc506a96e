import { hash } from 'node:crypto'
import { type CryptoKey, errors, jwtVerify } from 'jose'
import { z } from 'zod'
import { AssayError } from '../contracts/errors.ts'
import { SCOPES, type Scope } from '../contracts/scopes.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { TokenVerifier } from './auth.ts'
import type { CacheOutcome } from './cached.ts'
import type { Actor } from './context.ts'

export const TOKEN_ISSUER = 'assay'
export const TOKEN_AUDIENCE = 'assay-api'
export const TOKEN_TYPE = 'at+jwt'
/** The only signature algorithm accepted. */
export const TOKEN_ALGORITHM = 'EdDSA'

/** What an access token says beside issuer, audience and times; `scope` is space-separated. */
export const claimsSchema = z.object({
  sub: z.string().min(1),
  sid: z.string().min(1),
  jti: z.string().min(1),
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
  /** asked once per token, then only `revokeSession` ends it */
  sessionLives(sessionId: string): Promise<boolean>
  /** the actor of an API key, null when unknown, expired or revoked; asked once a minute per key, `revokeKey` ends it at once */
  apiKeyActor(key: string): Promise<Actor | null>
  /** hears whether a credential was remembered */
  asked?: (cache: 'keys' | 'sessions', outcome: CacheOutcome) => void
  /** tokens and keys remembered, default 20,000 */
  maxCached?: number
}

/** A TokenVerifier that forgets at once what was revoked in this process. */
export interface RevocableVerifier extends TokenVerifier {
  revokeSession(sessionId: string): void
  revokeKey(keyId: string): void
}

/** A key may live for years: what is remembered of it is asked for again after this time. */
const KEY_KEPT_MS = 60_000
const KEY_PREFIX = 'assay_'
/** Until when it is remembered, monotonic. */
interface Remembered {
  actor: Actor
  until: number
}
const isApiKey = (credential: string): boolean => credential.startsWith(KEY_PREFIX)
const refused = () => new AssayError('unauthorized', 'The token or API key is not valid, or not any more.')

/**
 * The one verification of access tokens and API keys. The first sight of a credential costs a signature and a look-up;
 * after that it is a map read of about a microsecond until it expires or is revoked. Credentials are kept as SHA-256 only.
 */
export function createTokenVerifier(sources: VerifierSources): RevocableVerifier {
  const { clock, maxCached = 20_000 } = sources
  const cached = new Map<string, Remembered>()
  /** one look-up per credential at a time */
  const underWay = new Map<string, Promise<Actor>>()
  /** session or key id -> its digests in `cached` */
  const digestsOf = new Map<string, Set<string>>()
  const ownerOf = (actor: Actor) => (actor.keyId ?? actor.sessionId)!
  const hasEnded = (actor: Actor) => actor.expiresAt !== undefined && actor.expiresAt <= clock.now()
  /** one set per look-up under way: what was revoked since it began must not be remembered by it */
  const revokedMeanwhile = new Set<Set<string>>()

  function forget(digest: string, { actor }: Remembered): void {
    cached.delete(digest)
    const digests = digestsOf.get(ownerOf(actor))
    digests?.delete(digest)
    if (digests?.size === 0) digestsOf.delete(ownerOf(actor))
  }

  function remember(digest: string, actor: Actor): void {
    if (cached.size >= maxCached) {
      const [oldest, its] = cached.entries().next().value!
      forget(oldest, its)
    }
    const until = actor.keyId === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() + KEY_KEPT_MS
    cached.set(digest, { actor, until })
    const digests = digestsOf.get(ownerOf(actor))
    if (digests) digests.add(digest)
    else digestsOf.set(ownerOf(actor), new Set([digest]))
  }

  function revoke(owner: string): void {
    for (const revoked of revokedMeanwhile) revoked.add(owner)
    for (const digest of digestsOf.get(owner) ?? []) cached.delete(digest)
    digestsOf.delete(owner)
  }

  async function lookUp(credential: string): Promise<Actor> {
    const revoked = new Set<string>()
    revokedMeanwhile.add(revoked)
    try {
      const actor = await (isApiKey(credential)
        ? sources.apiKeyActor(credential)
        : accessTokenActor(credential, sources))
      if (!actor || hasEnded(actor) || revoked.has(ownerOf(actor))) throw refused()
      return actor
    } finally {
      revokedMeanwhile.delete(revoked)
    }
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
    async verify(credential) {
      const digest = hash('sha256', credential, 'base64')
      let known = cached.get(digest)
      if (known && (hasEnded(known.actor) || known.until <= clock.monotonic())) {
        forget(digest, known)
        if (hasEnded(known.actor)) throw refused()
        known = undefined
      }
      sources.asked?.(isApiKey(credential) ? 'keys' : 'sessions', known ? 'hit' : 'miss')
      return known ? known.actor : ask(digest, credential)
    },
    revokeSession: revoke,
    revokeKey: revoke,
  }
}

async function accessTokenActor(token: string, sources: VerifierSources): Promise<Actor | null> {
  const claims = await verifiedClaims(token, sources)
  if (!claims || !(await sources.sessionLives(claims.sid))) return null
  return {
    userId: claims.sub,
    role: claims.role,
    tenant: claims.tenant,
    plan: claims.plan,
    scopes: claims.scope.split(' ').filter(isScope),
    sessionId: claims.sid,
    expiresAt: claims.exp * 1_000,
  }
}

/** RFC 8725, RFC 9068: one algorithm, one type, keys by id from our own set and never from the token. */
async function verifiedClaims(token: string, sources: VerifierSources): Promise<Claims | null> {
  const { clock, publicKey, issuer } = sources
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
        audience: TOKEN_AUDIENCE,
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

const isScope = (text: string): text is Scope => (SCOPES as readonly string[]).includes(text)
