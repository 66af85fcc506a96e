import { AssayError } from '@assay/core/contracts/errors'

/** Browsers always send Origin and no other page may ride on their user's network: the server's own host, or one of the list. */
export function checkOrigin(headers: Headers, allowed: readonly string[]): void {
  const origin = headers.get('origin')
  if (origin === null || allowed.includes(origin)) return
  if (URL.canParse(origin) && new URL(origin).host === headers.get('host')) return
  throw new AssayError('forbidden', 'This origin may not connect; CORS_ORIGINS lists those that may.')
}
