import { AssayError } from '@assay/core/contracts/errors'

/**
 * Browsers always send Origin and no other page may ride on their user's network: the server's own host (`relayed`: that of
 * the gateway, which alone says it), or one of the list.
 */
export function checkOrigin(headers: Headers, allowed: readonly string[], relayed = false): void {
  const origin = headers.get('origin')
  if (origin === null || allowed.includes(origin)) return
  if (URL.canParse(origin) && new URL(origin).host === headers.get(relayed ? 'x-forwarded-host' : 'host')) return
  throw new AssayError('forbidden', 'This origin may not connect; CORS_ORIGINS lists those that may.')
}
