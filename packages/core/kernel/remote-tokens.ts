import { type CryptoKey, createRemoteJWKSet, customFetch, errors } from 'jose'
import { z } from 'zod'
import { AssayError } from '../contracts/errors.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { CacheOutcome } from './cached.ts'
import type { Actor } from './context.ts'
import type { Deps } from './service.ts'
import { createTokenVerifier, type RevocableVerifier, TOKEN_ALGORITHM } from './verify-token.ts'

export interface RemoteTokensOptions {
  call: Deps['call']
  clock: Clock
  /** whether a token's issuer is the platform's own address */
  issuer?: (issuer: string) => boolean
  asked?: (cache: 'keys' | 'sessions', outcome: CacheOutcome) => void
}
const ASK_MS = 3_000
/** The gateway publishes a key an hour before it signs. */
const KEYS_KEPT_MS = 300_000
/** A token that names an unknown key makes this process ask again, this often at most. */
const ASK_AGAIN_MS = 5_000

/** The verifier of a service without the gateway: signatures by its JWKS; living sessions and API keys by asking it. */
export function createRemoteTokens({ call, clock, issuer, asked }: RemoteTokensOptions): RevocableVerifier {
  async function ask(path: string, headers?: Record<string, string>): Promise<unknown> {
    const answer = await call('gateway', new Request(`http://gateway${path}`, { headers }), { timeoutMs: ASK_MS })
    if (!answer.ok) throw new AssayError('unavailable', `gateway answers ${answer.status}.`, { retryAfterS: 1 })
    return answer.json()
  }
  const published = createRemoteJWKSet(new URL('http://gateway/.well-known/jwks.json'), {
    cacheMaxAge: KEYS_KEPT_MS,
    cooldownDuration: ASK_AGAIN_MS,
    // the call has a time-out of its own, and its failure is no refusal of the token
    timeoutDuration: 2 * ASK_MS,
    [customFetch]: async (url: string) => Response.json(await ask(new URL(url).pathname)),
  })
  return createTokenVerifier({
    clock,
    issuer,
    async publicKey(kid) {
      try {
        return (await published({ alg: TOKEN_ALGORITHM, kid })) as CryptoKey
      } catch (error) {
        if (error instanceof errors.JWKSNoMatchingKey) return undefined
        throw error
      }
    },
    async sessionLives(id) {
      return z.object({ lives: z.boolean() }).parse(await ask(`/internal/sessions/${encodeURIComponent(id)}`)).lives
    },
    async apiKeyActor(key) {
      const { actor } = (await ask('/internal/identity', { 'x-api-key': key })) as { actor: Actor | null }
      return actor
    },
    asked,
  })
}
