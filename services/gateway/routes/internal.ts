import { withCtx } from '@assay/core/kernel/edge'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { sessionLives } from '../auth/session-lives.ts'
import type { GatewayDeps } from '../deps.ts'

/** What the other services ask: they verify access tokens themselves and know neither sessions nor keys. */
export const internalRoutes = (identity: Pick<GatewayDeps, 'database' | 'clock'>) =>
  new Elysia({ name: 'gateway.internal' })
    .use(withCtx)
    .get('/internal/identity', ({ ctx }) => ({ actor: ctx.actor }), { detail: { hide: true } })
    .get('/internal/sessions/:id', async ({ params }) => ({ lives: await sessionLives(identity, params.id) }), {
      params: z.object({ id: z.string().max(100) }),
      response: { 200: z.object({ lives: z.boolean() }) },
      detail: { hide: true },
    })
