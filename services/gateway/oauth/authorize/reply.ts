import { formTarget, withAnswer } from '../clients/redirect-uri.ts'
import { OAuthError } from '../oauth-error.ts'
import type { Asker } from './request.ts'

/** What the browser gets: a page of ours, or the way to the client. */
export type Reply =
  | { page: string; status: number; formTo?: string; cookie?: string; retryAfterS?: number }
  | { location: string }

/** RFC 9207: the answer says who gives it. */
export const answer = (asker: Asker, base: string, said: Record<string, string>): { location: string } => ({
  location: withAnswer(asker.redirectUri, { ...said, state: asker.state, iss: base }),
})
export const refusal = (asker: Asker, base: string, { error, description }: OAuthError): { location: string } =>
  answer(asker, base, { error, error_description: description })

/** A page with a form: what it leads to may be the client. */
export const formPage = (
  page: string,
  asker: Asker,
  more: { status?: number; cookie?: string; retryAfterS?: number } = {},
): Reply => ({ page, status: 200, formTo: formTarget(asker.redirectUri), ...more })

export const denied = () => new OAuthError('access_denied', 'The user did not allow it.')
