import { withCtx } from '@assay/core/kernel/edge'
import { Elysia } from 'elysia'
import { check } from '../auth/check.ts'
import { login } from '../auth/login.ts'
import { logout } from '../auth/logout.ts'
import { refresh } from '../auth/refresh.ts'
import { register } from '../auth/register.ts'
import {
  Checked,
  Done,
  LoginBody,
  RefreshBody,
  RegisterBody,
  Registered,
  SigningKeyReplaced,
  Tokens,
} from '../auth/schemas.ts'
import type { GatewayDeps } from '../deps.ts'
import { pinLogin } from '../pin/pin-login.ts'
import { replaceSigningKey } from '../tokens/replace-signing-key.ts'

const tags = ['identity']
const DONE = { success: true } as const

export const authRoutes = (deps: GatewayDeps) =>
  new Elysia({ name: 'gateway.auth' })
    .use(withCtx)
    .post(
      '/api/auth/register',
      async ({ ctx, body, set }) => {
        const user = await register({ ctx, input: body, deps })
        set.status = 201
        return { ...DONE, user }
      },
      {
        parse: 'json',
        body: RegisterBody,
        response: { 201: Registered },
        detail: { operationId: 'register', tags, summary: 'Become a trader; 409 when the e-mail is taken' },
      },
    )
    .post(
      '/api/auth/login',
      ({ ctx, body, request, set }) => {
        set.headers['cache-control'] = 'no-store'
        const { pin, device_secret, email = '', password = '', totp, device } = body
        const userAgent = agentOf(request)
        if (pin !== undefined) return pinLogin({ ctx, input: { pin, device_secret, userAgent }, deps })
        return login({ ctx, input: { email, password, totp, device, device_secret, userAgent }, deps })
      },
      {
        parse: 'json',
        body: LoginBody,
        response: { 200: Tokens },
        detail: { operationId: 'login', tags, summary: 'E-mail, password and second factor, or a PIN, for tokens' },
      },
    )
    .post(
      '/api/auth/refresh',
      ({ ctx, body, request, set }) => {
        set.headers['cache-control'] = 'no-store'
        return refresh({ ctx, input: { ...body, userAgent: agentOf(request) }, deps })
      },
      {
        parse: 'json',
        body: RefreshBody,
        response: { 200: Tokens },
        detail: { operationId: 'refresh', tags, summary: 'Trade a refresh token, once, for new tokens' },
      },
    )
    .post(
      '/api/auth/logout',
      async ({ ctx }) => {
        await logout({ ctx, deps })
        return DONE
      },
      {
        response: { 200: Done },
        detail: { operationId: 'logout', tags, summary: 'End the session of the access token, at once' },
      },
    )
    .post(
      '/api/auth/signing-keys',
      ({ ctx, set }) => {
        set.status = 201
        return replaceSigningKey({ ctx, deps })
      },
      {
        response: { 201: SigningKeyReplaced },
        detail: { operationId: 'replaceSigningKey', tags, summary: 'Sign access tokens with a new key (operators)' },
      },
    )
    .get('/api/auth/check', ({ ctx }) => check({ ctx, deps }), {
      response: { 200: Checked },
      detail: { operationId: 'checkCredential', tags, summary: 'Whose credential this is and what it may do' },
    })

const agentOf = (request: Request): string => request.headers.get('user-agent') ?? ''
