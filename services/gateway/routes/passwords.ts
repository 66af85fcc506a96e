import { requireActor } from '@assay/core/kernel/auth'
import { withCtx } from '@assay/core/kernel/edge'
import { Elysia } from 'elysia'
import { Done } from '../auth/schemas.ts'
import type { GatewayDeps } from '../deps.ts'
import { forgotPassword } from '../passwords/forgot-password.ts'
import { hashPassword } from '../passwords/hash-password.ts'
import { resetPassword } from '../passwords/reset-password.ts'
import { ForgotBody, HashBody, HashedPassword, ResetBody } from '../passwords/schemas.ts'
import { confirmEmail } from '../users/confirm-email.ts'
import { EmailBody } from '../users/schemas.ts'

const tags = ['identity']
const DONE = { success: true } as const

export const passwordRoutes = (deps: GatewayDeps) =>
  new Elysia({ name: 'gateway.passwords' })
    .use(withCtx)
    .post(
      '/api/auth/hash-password',
      ({ ctx, body, set }) => {
        set.headers['cache-control'] = 'no-store'
        return hashPassword({ ctx, input: body, deps })
      },
      {
        parse: 'json',
        transform: ({ ctx }) => void requireActor(ctx),
        body: HashBody,
        response: { 200: HashedPassword },
        detail: { operationId: 'hashPassword', tags, summary: 'Operators: an argon2id hash, for provisioning' },
      },
    )
    .post(
      '/api/auth/password/forgot',
      async ({ ctx, body }) => {
        await forgotPassword({ ctx, input: body, deps })
        return DONE
      },
      {
        parse: 'json',
        body: ForgotBody,
        response: { 200: Done },
        detail: {
          operationId: 'forgotPassword',
          tags,
          summary: 'A letter to who has this e-mail; the same answer where nobody has it',
        },
      },
    )
    .post(
      '/api/auth/password/reset',
      async ({ ctx, body }) => {
        await resetPassword({ ctx, input: body, deps })
        return DONE
      },
      {
        parse: 'json',
        body: ResetBody,
        response: { 200: Done },
        detail: {
          operationId: 'resetPassword',
          tags,
          summary: 'A new password by the token of the letter; ends all sessions',
        },
      },
    )
    .post(
      '/api/auth/email/verify',
      async ({ ctx, body }) => {
        await confirmEmail({ ctx, input: body, deps })
        return DONE
      },
      {
        parse: 'json',
        body: EmailBody,
        response: { 200: Done },
        detail: {
          operationId: 'verifyEmail',
          tags,
          summary: 'Confirm an e-mail by the token of the letter; without a token, logged in: another letter',
        },
      },
    )
