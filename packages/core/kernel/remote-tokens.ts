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
  /** whether what was revoked is known here */
  isCurrent?: () => boolean
  /** whom tokens must be for */
  audiences?: readonly string[]
  asked?: (cache: 'keys' | 'sessions', outcome: CacheOutcome) => void
}
/** An answer that took longer could tell of a time too long ago. */
const ASK_MS = 1_500
/** Carries the API key that is asked about: not one that the asker holds. */
export const ASKED_KEY = 'x-asked-key'
export const sessionAnswer = z.object({ session: z.object({ epoch: z.int() }).nullable() })
/** The gateway publishes a key an hour before it signs. */
const KEYS_KEPT_MS = 300_000
/** A token that names an unknown key makes this process ask again, this often at most. */
const ASK_AGAIN_MS = 5_000

/** The verifier of a service without the gateway: signatures by its JWKS; living sessions and API keys by asking it. */
export function createRemoteTokens(options: RemoteTokensOptions): RevocableVerifier {
  const { call, clock, issuer, isCurrent, audiences, asked } = options

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
    async session(id) {
      return sessionAnswer.parse(await ask(`/internal/sessions/${encodeURIComponent(id)}`)).session
    },
    async apiKeyActor(key) {
      const { actor } = (await ask('/internal/keys', { [ASKED_KEY]: key })) as { actor: Actor | null }
      return actor
    },
    isCurrent,
    audiences,
    asked,
  })
}
