import { TOKEN_ALGORITHM } from '@assay/core/kernel/verify-token'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Secrets } from '@assay/core/ports/secrets/port'
import { type CryptoKey, exportJWK, generateKeyPair, importJWK } from 'jose'
import { z } from 'zod'

/** Where the gateway keeps what only it may read. */
export const JWT_SECRETS = 'secret/data/jwt'
const KEYS = 'signing_keys'
const HOUR = 3_600_000
/** A key signs for a day, */
const SIGNS_FOR_MS = 24 * HOUR
/** is published an hour before it signs, so that no cached JWKS lacks it, */
const AHEAD_MS = HOUR
/** and an hour after its last signature, when the last token it signed has long expired. */
const OVERLAP_MS = HOUR
/** A key out of turn is published this long before it signs: whoever meets it then may ask for the keys again. */
const SOON_MS = 10_000
/** Other gateways' keys are looked for this often at most. */
const RELOAD_MS = 2_000

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
  /** what other gateways changed; a secrets server that is away is no error */
  reload(): Promise<void>
  /** adds the next key when it is due and drops old ones; safe to call at any time */
  rotate(): Promise<void>
  /** a further key takes over in some seconds; tokens of those before it are valid until they expire */
  replace(): Promise<{ kid: string; signsFrom: number }>
}
export interface SigningKeysOptions {
  secrets: Pick<Secrets, 'getSecret' | 'setSecret'>
  clock: Clock
  /** one at a time among all gateways */
  alone: <T>(work: () => Promise<T>) => Promise<T>
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
export async function openSigningKeys({ secrets, clock, alone }: SigningKeysOptions): Promise<SigningKeys> {
  let keys: StoredKey[] = []
  let imported = new Map<string, Promise<CryptoKey>>()
  let reloadedAt = Number.NEGATIVE_INFINITY

  async function load(): Promise<void> {
    const stored = z.array(storedKey).parse(JSON.parse((await secrets.getSecret(JWT_SECRETS, KEYS)) ?? '[]'))
    if (stored.length > 0) use(stored)
  }
  function use(next: StoredKey[]): void {
    keys = next
    imported = new Map()
  }
  async function reload(): Promise<void> {
    const now = clock.monotonic()
    if (now - reloadedAt < RELOAD_MS) return
    reloadedAt = now
    await load().catch(() => {})
  }

  /** Drops what is over and adds a key that signs from then on, if any is wanted. */
  function change(nextFrom: (now: number) => number | null): Promise<StoredKey | null> {
    return alone(async () => {
      await load()
      const now = clock.now()
      const { keep } = planRotation(keys, now)
      const from = nextFrom(now)
      const made = from === null ? null : await newKey(from)
      if (!made && keep.length === keys.length) return null
      const next = [...keep, ...(made ? [made] : [])].sort((a, b) => a.signsFrom - b.signsFrom)
      await secrets.setSecret(JWT_SECRETS, KEYS, JSON.stringify(next))
      use(next)
      return made
    })
  }
  async function rotate(): Promise<void> {
    await change((now) => planRotation(keys, now).nextFrom)
  }

  function importOnce(kid: string, jwk: StoredKey['public']): Promise<CryptoKey> {
    const known = imported.get(kid)
    if (known) return known
    const loading = importJWK(jwk, TOKEN_ALGORITHM) as Promise<CryptoKey>
    imported.set(kid, loading)
    return loading
  }
  const find = (kid: string) => keys.find((key) => key.kid === kid)

  await rotate()
  return {
    reload,
    rotate,
    async replace() {
      const made = await change((now) => now + SOON_MS)
      return { kid: made!.kid, signsFrom: made!.signsFrom }
    },
    async current() {
      const { kid, private: jwk } = signingKey(keys, clock.now())
      return { kid, key: await importOnce(`${kid} private`, jwk) }
    },
    async publicKey(kid) {
      if (!find(kid)) await reload()
      const key = find(kid)
      return key && importOnce(kid, key.public)
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
