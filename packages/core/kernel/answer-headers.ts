export type AnswerHeaders = Record<string, string | number>

const CONTENT_POLICY =
  "default-src 'none'; base-uri 'none'; object-src 'none'; form-action 'none'; frame-ancestors 'none'"
/** Of every answer; frame-ancestors stands for X-Frame-Options (ASVS 3.4.6). One literal: this runs on every request. */
export const headersOf = (id: string): AnswerHeaders => ({
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': CONTENT_POLICY,
  // routes whose answer may be kept say so themselves
  'cache-control': 'no-store',
  'x-request-id': id,
})
/** Bun writes numbers as well. */
export const asInit = (headers: AnswerHeaders) => headers as Record<string, string>
/** Of every answer where plain HTTP is sent on (ASVS 3.4.1). */
export const HSTS = 'max-age=31536000; includeSubDomains'
