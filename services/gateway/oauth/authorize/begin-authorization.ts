import { isOwned } from '../clients/redirect-uri.ts'
import type { OAuthVerb } from '../deps.ts'
import { OAuthError } from '../oauth-error.ts'
import { loginPage } from '../pages/login-page.ts'
import { wrongRequestPage } from '../pages/wrong-request-page.ts'
import { readParameters } from '../parameters.ts'
import { browserCookie, newBrowser, sealForm } from '../sealed-form.ts'
import { formPage, type Reply, refusal } from './reply.ts'
import { readAsker, readRequest } from './request.ts'

export interface Beginning {
  query: string
  base: string
  /** this browser's secret, if it has one */
  browser: string | null
}

/** A client sends a user: the request is checked whole before the user sees a form. Throws OAuthError where nobody sure can be told. */
export async function beginAuthorization({ ctx, input, deps }: OAuthVerb<Beginning>): Promise<Reply> {
  const params = readParameters(input.query)
  const asker = await readAsker({ ctx, input: params, deps })
  try {
    const request = readRequest(params, asker, input.base)
    // the same one in every tab
    const browser = input.browser ?? newBrowser()
    const sealed = sealForm(request, { secret: deps.refreshSecret, browser, now: deps.clock.now() })
    return formPage(loginPage({ asker, sealed }), asker, { cookie: browserCookie(browser, input.base) })
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    const told = refusal(asker, input.base, error)
    // anybody may register a site: before a login our address leads to none by itself (RFC 9700 section 4.11.2)
    if (!isOwned(asker.redirectUri)) return told
    const page = wrongRequestPage({ name: asker.clientName, problem: error.description, to: told.location })
    return { page, status: 400 }
  }
}
