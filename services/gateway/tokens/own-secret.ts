import type { Secrets } from '@assay/core/ports/secrets/port'
import { JWT_SECRETS } from './signing-keys.ts'

export type OwnSecretName = 'password_pepper' | 'auth_secret' | 'refresh_secret' | 'email_index'
/** A secret of ours from the secrets port, 32 random bytes; gateways that make it at once get the same one. */
export async function ownSecret(secrets: Pick<Secrets, 'getSecret' | 'addSecret'>, name: OwnSecretName) {
  const known = await secrets.getSecret(JWT_SECRETS, name)
  if (known) return known
  const made = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')
  return secrets.addSecret(JWT_SECRETS, name, made)
}
