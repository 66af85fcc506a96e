import { ASKED_KEY, sessionAnswer } from '@assay/core/kernel/remote-tokens'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { keyActor } from '../api-keys/key-actor.ts'
import type { GatewayDeps } from '../deps.ts'
import { sessionState } from '../sessions/session-state.ts'

/** What the other services ask: they verify access tokens themselves and know neither sessions nor keys. Nothing here is remembered. */
export const internalRoutes = (identity: Pick<GatewayDeps, 'database' | 'clock'>) =>
  new Elysia({ name: 'gateway.internal' })
    .get(
      '/internal/keys',
      async ({ headers }) => ({ actor: await keyActor(identity, (headers[ASKED_KEY] ?? '').slice(0, 200)) }),
      { detail: { hide: true } },
    )
    .get('/internal/sessions/:id', async ({ params }) => ({ session: await sessionState(identity, params.id) }), {
      params: z.object({ id: z.uuid() }),
      response: { 200: sessionAnswer },
      detail: { hide: true },
    })
