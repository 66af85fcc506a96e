import { withCtx } from '@assay/core/kernel/edge'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { registerClient } from '../oauth/clients/register-client.ts'
import type { OAuthDeps } from '../oauth/deps.ts'
import { form } from '../oauth/documented.ts'
import { agentOf, answered, baseOf, formOf } from '../oauth/http.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import { GrantedTokens, OAuthRefusal, RegisteredClient } from '../oauth/schemas.ts'
import { exchangeCode } from '../oauth/tokens/exchange-code.ts'
import { refreshGrant } from '../oauth/tokens/refresh-grant.ts'
import { revokeToken } from '../oauth/tokens/revoke-token.ts'
import { oauthDiscovery } from './oauth-discovery.ts'
import { oauthPages } from './oauth-pages.ts'

const tags = ['oauth']

/** The OAuth 2.1 authorization server: discovery, pages for people, endpoints for clients. */
export const oauthRoutes = (deps: OAuthDeps) =>
  new Elysia({ name: 'gateway.oauth' }).use(oauthDiscovery(deps)).use(oauthPages(deps)).use(endpoints(deps))

const endpoints = (deps: OAuthDeps) =>
  new Elysia({ name: 'gateway.oauth.endpoints' })
    .use(withCtx)
    .post(
      '/oauth/token',
      ({ ctx, request, set }) =>
        answered(set, async () => {
          const base = baseOf(deps.publicUrl, request)
          const form = await formOf(request)
          const grantType = form.need('grant_type')
          const input = { form, base, userAgent: agentOf(request) }
          if (grantType === 'authorization_code') return exchangeCode({ ctx, input, deps })
          if (grantType === 'refresh_token') return refreshGrant({ ctx, input, deps })
          throw new OAuthError('unsupported_grant_type', 'grant_type: authorization_code or refresh_token')
        }),
      {
        parse: 'none',
        response: { 200: GrantedTokens, 400: OAuthRefusal },
        detail: {
          operationId: 'token',
          tags,
          summary: 'A code, or a refresh token, for tokens',
          requestBody: form(
            ['grant_type', 'client_id'],
            ['code', 'code_verifier', 'redirect_uri', 'refresh_token', 'scope', 'resource'],
          ),
        },
      },
    )
    .post(
      '/oauth/revoke',
      ({ ctx, request, set }) =>
        answered(set, async () => {
          await revokeToken({ ctx, input: await formOf(request), deps })
          return {}
        }),
      {
        parse: 'none',
        response: { 200: z.object({}), 400: OAuthRefusal },
        detail: {
          operationId: 'revokeToken',
          tags,
          summary: 'End the grant of a token, at once (RFC 7009)',
          requestBody: form(['token', 'client_id'], ['token_type_hint']),
        },
      },
    )
    .post(
      '/oauth/register',
      ({ ctx, body, set }) =>
        answered(set, async () => {
          const client = await registerClient({ ctx, input: body, deps })
          set.status = 201
          return client
        }),
      {
        parse: 'json',
        response: { 201: RegisteredClient, 400: OAuthRefusal },
        detail: {
          operationId: 'registerClient',
          tags,
          summary: 'Register a public client (RFC 7591); better: a client ID metadata document',
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: {
                  type: 'object',
                  required: ['redirect_uris'],
                  properties: {
                    redirect_uris: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 20 },
                    client_name: { type: 'string', maxLength: 200 },
                  },
                },
              },
            },
          },
        },
      },
    )
