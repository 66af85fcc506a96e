import { Elysia } from 'elysia'
import { z } from 'zod'
import type { Engine } from '../engine/engine.ts'
import { ASK_PATH, type Ask, LOOK_PATH } from '../engine/router.ts'

/** An account, and what its method takes: from a process of ours, whose edge has looked at it. */
const AskBody = z.object({
  method: z.enum(['submit', 'read', 'preview']),
  args: z.tuple([z.string().max(64)]).rest(z.unknown()),
})

/** What owners of slots ask each other; the edge lets nobody else in. */
export const engineRoutes = (engine: Engine) =>
  new Elysia({ name: 'trading.engine' })
    .post(ASK_PATH, async ({ body }) => Response.json(await engine.answer(body as Ask)), {
      parse: 'json',
      body: AskBody,
      detail: { hide: true, operationId: 'askEngine' },
    })
    .post(
      LOOK_PATH,
      async () => {
        await engine.look()
        return Response.json({})
      },
      { detail: { hide: true, operationId: 'lookAtSlots' } },
    )
