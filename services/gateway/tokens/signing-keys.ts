import { TOKEN_ALGORITHM } from '@assay/core/kernel/verify-token'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Secrets } from '@assay/core/ports/secrets/port'
import { type CryptoKey, exportJWK, generateKeyPair, importJWK } from 'jose'
import { z } from 'zod'

/** Where the gateway keeps what only it may read. */
export const JWT_SECRETS = 'secret/data/jwt'
export type OwnSecrets = Pick<Secrets, 'getSecret' | 'setSecret'>
const KEYS = 'signing_keys'
const HOUR = 3_600_000
/** A key signs for a day, */
const SIGNS_FOR_MS = 24 * HOUR
/** is published an hour before it signs, so that no cached JWKS lacks it, */
const AHEAD_MS = HOUR
/** and an hour after its last signature, when the last token it signed has long expired. */
const OVERLAP_MS = HOUR

const jwk = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() })
const storedKey = z.object({
  kid: z.string(),
  signsFrom: z.number().int(),
  public: jwk,
  private: jwk.extend({ d: z.string() }),
})
export type StoredKey = z.infer<typeof storedKey>

export interface PublicJwk extends z.infer<typeof jwk> {
  kid: string
  alg: typeof TOKEN_ALGORITHM
  use: 'sig'
}

export interface SigningKeys {
  current(): Promise<{ kid: string; key: CryptoKey }>
  publicKey(kid: string): Promise<CryptoKey | undefined>
  /** the JSON Web Key Set: previous, current and next */
  published(): PublicJwk[]
  /** adds the next key when it is due and drops old ones; safe to call at any time */
  rotate(): Promise<void>
}

/** Which keys stay, and when a further one must begin to sign; null: none is due. Keys are in order of `signsFrom`. */
export function planRotation(keys: readonly StoredKey[], now: number): { keep: StoredKey[]; nextFrom: number | null } {
  const keep = keys.filter((_, index) => now < (keys[index + 1]?.signsFrom ?? Number.POSITIVE_INFINITY) + OVERLAP_MS)
  const newest = keep.at(-1)
  if (!newest) return { keep, nextFrom: now }
  const ends = newest.signsFrom + SIGNS_FOR_MS
  return { keep, nextFrom: now >= ends - AHEAD_MS ? Math.max(ends, now) : null }
}

/** The newest key that has begun to sign; the first one when the wall clock jumped back before them all. */
export const signingKey = (keys: readonly StoredKey[], now: number): StoredKey =>
  keys.findLast((key) => key.signsFrom <= now) ?? keys[0]!

/** The Ed25519 keys of the access tokens, kept by the secrets port; the first one is made here when there is none. */
export async function openSigningKeys({ secrets, clock }: { secrets: OwnSecrets; clock: Clock }): Promise<SigningKeys> {
  let keys = z.array(storedKey).parse(JSON.parse((await secrets.getSecret(JWT_SECRETS, KEYS)) ?? '[]'))
  const imported = new Map<object, Promise<CryptoKey>>()

  async function rotate(): Promise<void> {
    const now = clock.now()
    const { keep, nextFrom } = planRotation(keys, now)
    if (keep.length === keys.length && nextFrom === null) return
    const next = nextFrom === null ? keep : [...keep, await newKey(nextFrom)]
    await secrets.setSecret(JWT_SECRETS, KEYS, JSON.stringify(next))
    keys = next
    imported.clear()
  }

  function importOnce(key: StoredKey['public']): Promise<CryptoKey> {
    const known = imported.get(key)
    if (known) return known
    const loading = importJWK(key, TOKEN_ALGORITHM) as Promise<CryptoKey>
    imported.set(key, loading)
    return loading
  }

  await rotate()
  return {
    rotate,
    async current() {
      const key = signingKey(keys, clock.now())
      return { kid: key.kid, key: await importOnce(key.private) }
    },
    async publicKey(kid) {
      const key = keys.find((k) => k.kid === kid)
      return key && importOnce(key.public)
    },
    published: () => keys.map((key) => ({ ...key.public, kid: key.kid, alg: TOKEN_ALGORITHM, use: 'sig' })),
  }
}

async function newKey(signsFrom: number): Promise<StoredKey> {
  const pair = await generateKeyPair(TOKEN_ALGORITHM, { crv: 'Ed25519', extractable: true })
  return storedKey.parse({
    kid: crypto.randomUUID(),
    signsFrom,
    public: await exportJWK(pair.publicKey),
    private: await exportJWK(pair.privateKey),
  })
}
