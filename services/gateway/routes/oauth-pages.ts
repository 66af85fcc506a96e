import { withCtx } from '@assay/core/kernel/edge'
import { Elysia } from 'elysia'
import { beginAuthorization } from '../oauth/authorize/begin-authorization.ts'
import { decide } from '../oauth/authorize/decide.ts'
import { signIn } from '../oauth/authorize/sign-in.ts'
import type { OAuthDeps } from '../oauth/deps.ts'
import { AWAY, form, page, query } from '../oauth/documented.ts'
import { agentOf, baseOf, cookiesOf, formOf, ownForm, shown } from '../oauth/http.ts'
import { browserOf } from '../oauth/sealed-form.ts'

const tags = ['oauth']

/** Pages for people: log in, decide. */
export const oauthPages = (deps: OAuthDeps) =>
  new Elysia({ name: 'gateway.oauth.pages' })
    .use(withCtx)
    .get(
      '/oauth/authorize',
      ({ ctx, request, set }) =>
        shown(set, () => {
          const base = baseOf(deps.publicUrl, request)
          const input = { query: new URL(request.url).search, base, browser: browserOf(cookiesOf(request), base) }
          return beginAuthorization({ ctx, input, deps })
        }),
      {
        detail: {
          operationId: 'authorize',
          tags,
          summary: 'Where a client sends its user: a page to log in at',
          parameters: [
            query('response_type', true, 'code'),
            query('client_id', true, 'Registered, or the URL of a client ID metadata document'),
            query('redirect_uri', true, "One of the client's, to the letter; a loopback one on any port"),
            query('code_challenge', true, 'SHA-256 of the verifier, base64url'),
            query('code_challenge_method', true, 'S256'),
            query('scope', false, 'Space-separated; default: market:read trading:read'),
            query('state', false, 'Given back as it is'),
            query('resource', false, 'What the token is for (RFC 8707); default: the API'),
          ],
          responses: { 200: page('The page'), 303: AWAY, 400: page('Why nothing can be answered to the client') },
        },
      },
    )
    .post(
      '/oauth/login',
      ({ ctx, request, set }) =>
        shown(set, async () => {
          const base = ownForm(request, deps)
          const input = { form: await formOf(request), base, browser: browserOf(cookiesOf(request), base) }
          return signIn({ ctx, input: { ...input, userAgent: agentOf(request) }, deps })
        }),
      {
        parse: 'none',
        detail: {
          operationId: 'authorizeLogin',
          tags,
          summary: 'The form of the login page',
          requestBody: form(['request', 'email', 'password'], ['totp']),
          responses: {
            200: page('The consent page'),
            303: AWAY,
            400: page('A form that no page of ours showed'),
            403: page('The page again: wrong credentials'),
            429: page('The page again: too many attempts'),
            503: page('The page again: logins cannot be checked now'),
          },
        },
      },
    )
    .post(
      '/oauth/consent',
      ({ ctx, request, set }) =>
        shown(set, async () => {
          const base = ownForm(request, deps)
          const input = { form: await formOf(request), base, browser: browserOf(cookiesOf(request), base) }
          return decide({ ctx, input, deps })
        }),
      {
        parse: 'none',
        detail: {
          operationId: 'authorizeConsent',
          tags,
          summary: 'The form of the consent page',
          requestBody: form(['ticket', 'decision'], ['scope']),
          responses: { 303: AWAY, 400: page('A form that no page of ours showed, or one answered already') },
        },
      },
    )
