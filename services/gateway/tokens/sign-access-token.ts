import { TOKEN_ALGORITHM, TOKEN_TYPE } from '@assay/core/kernel/verify-token'
import { type JWTPayload, SignJWT } from 'jose'
import type { SigningKeys } from './signing-keys.ts'

/** Signs a full set of claims as an access token (RFC 9068) with the key now in force. */
export async function signAccessToken(keys: SigningKeys, claims: JWTPayload): Promise<string> {
  const { kid, key } = await keys.current()
  return new SignJWT(claims).setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: TOKEN_TYPE, kid }).sign(key)
}
