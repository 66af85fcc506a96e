import { requireActor } from '@assay/core/kernel/auth'
import { withCtx } from '@assay/core/kernel/edge'
import { Elysia } from 'elysia'
import { Done } from '../auth/schemas.ts'
import type { GatewayDeps } from '../deps.ts'
import { unlockPin } from '../pin/unlock-pin.ts'
import { disableFactor } from '../second-factor/disable-factor.ts'
import { enableFactor } from '../second-factor/enable-factor.ts'
import { DisableBody, EnableBody, FactorShown, NewFactor, VerifyBody } from '../second-factor/schemas.ts'
import { verifyFactor } from '../second-factor/verify-factor.ts'

const tags = ['identity']
const DONE = { success: true } as const

export const secondFactorRoutes = (deps: GatewayDeps) =>
  new Elysia({ name: 'gateway.second-factor' })
    .use(withCtx)
    .post('/api/auth/totp/enable', ({ ctx, body }) => enableFactor({ ctx, input: body, deps }), {
      parse: 'json',
      transform: ({ ctx }) => void requireActor(ctx),
      body: EnableBody,
      response: { 200: NewFactor },
      detail: {
        operationId: 'enableSecondFactor',
        tags,
        summary: 'Make a key for an authenticator app; it counts from its first code on',
      },
    })
    .post('/api/auth/totp/verify', ({ ctx, body }) => verifyFactor({ ctx, input: body, deps }), {
      parse: 'json',
      transform: ({ ctx }) => void requireActor(ctx),
      body: VerifyBody,
      response: { 200: FactorShown },
      detail: {
        operationId: 'verifySecondFactor',
        tags,
        summary: 'Show a code: the first one turns the second factor on, a later one makes the session fresh',
      },
    })
    .post(
      '/api/auth/totp/disable',
      async ({ ctx, body }) => {
        await disableFactor({ ctx, input: body, deps })
        return DONE
      },
      {
        parse: 'json',
        transform: ({ ctx }) => void requireActor(ctx),
        body: DisableBody,
        response: { 200: Done },
        detail: { operationId: 'disableSecondFactor', tags, summary: 'Turn the second factor off' },
      },
    )
    .post(
      '/api/auth/pin/unlock',
      async ({ ctx }) => {
        await unlockPin({ ctx, deps })
        return DONE
      },
      {
        response: { 200: Done },
        detail: { operationId: 'unlockPin', tags, summary: 'Give the PIN login its tries back (operators)' },
      },
    )
