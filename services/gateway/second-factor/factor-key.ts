import { AssayError } from '@assay/core/contracts/errors'
import { SecretsError } from '@assay/core/ports/secrets/port'
import type { GatewayDeps } from '../deps.ts'

type Keys = Pick<GatewayDeps, 'totp'>

/*
 * Keys change while the user's row of second_factors is held, as the last act of its transaction: nobody turns on a key
 * that another one takes the place of, and none is left that no row names.
 */

/** The otpauth:// URL of a new key. */
export const makeKey = ({ totp }: Keys, name: string, account: string): Promise<string> =>
  totp.createTotp(name, { issuer: 'Assay', account }).catch(unavailable)

export const deleteKey = ({ totp }: Keys, name: string): Promise<void> => totp.deleteTotp(name).catch(unavailable)

function unavailable(cause: unknown): never {
  if (!(cause instanceof SecretsError)) throw cause
  throw new AssayError('unavailable', 'Keys cannot be changed now.', { retryAfterS: 5, cause })
}
