import { TOKEN_ALGORITHM, TOKEN_AUDIENCE, TOKEN_ISSUER } from '@assay/core/kernel/verify-token'
import { betterAuth } from 'better-auth/minimal'
import { jwt } from 'better-auth/plugins/jwt'
import type { PasswordHasher } from '../passwords/hasher.ts'
import { SESSION_MS } from '../sessions/session-times.ts'
import { signAccessToken } from '../tokens/sign-access-token.ts'
import type { SigningKeys } from '../tokens/signing-keys.ts'
import type { AuthDatabase } from './database.ts'
import { PASSWORD_MAX, PASSWORD_MIN } from './schemas.ts'

export interface AuthParts {
  database: AuthDatabase
  hasher: Pick<PasswordHasher, 'hash' | 'verify'>
  keys: SigningKeys
  secret: string
}
export type Auth = ReturnType<typeof createAuth>

/**
 * better-auth owns users, credentials and sessions and issues the access tokens. Its own HTTP routes and cookies are not
 * mounted; the verbs beside this file call it. The JWT plugin cannot set the `at+jwt` type nor keep its keys in the
 * secrets port, so it signs through our signer, the way it offers for keys that live elsewhere.
 */
export function createAuth({ database, hasher, keys, secret }: AuthParts) {
  return betterAuth({
    baseURL: 'http://localhost',
    secret,
    database: database.adapter,
    logger: { disabled: true },
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    advanced: { database: { generateId: () => Bun.randomUUIDv7() }, ipAddress: { disableIpTracking: true } },
    emailAndPassword: {
      enabled: true,
      autoSignIn: false,
      minPasswordLength: PASSWORD_MIN,
      maxPasswordLength: PASSWORD_MAX,
      password: hasher,
    },
    user: {
      modelName: 'users',
      fields: { emailVerified: 'email_verified', createdAt: 'created_at', updatedAt: 'updated_at' },
      additionalFields: {
        role: { type: ['trader', 'operator', 'admin', 'bot', 'service'], required: true, input: false },
        tenant: { type: 'string', required: true, input: false },
      },
    },
    account: {
      modelName: 'accounts',
      fields: {
        userId: 'user_id',
        providerId: 'provider_id',
        accountId: 'account_id',
        accessToken: 'access_token',
        refreshToken: 'refresh_token',
        idToken: 'id_token',
        accessTokenExpiresAt: 'access_token_expires_at',
        refreshTokenExpiresAt: 'refresh_token_expires_at',
        createdAt: 'created_at',
        updatedAt: 'updated_at',
      },
    },
    session: {
      modelName: 'sessions',
      expiresIn: SESSION_MS / 1_000,
      fields: {
        userId: 'user_id',
        expiresAt: 'expires_at',
        ipAddress: 'ip_address',
        userAgent: 'user_agent',
        createdAt: 'created_at',
        updatedAt: 'updated_at',
      },
    },
    plugins: [
      jwt({
        disableSettingJwtHeader: true,
        jwks: { remoteUrl: '/.well-known/jwks.json', keyPairConfig: { alg: TOKEN_ALGORITHM, crv: 'Ed25519' } },
        jwt: {
          issuer: TOKEN_ISSUER,
          audience: TOKEN_AUDIENCE,
          sign: (claims) => signAccessToken(keys, claims ?? {}),
        },
      }),
    ],
  })
}
