/** The platform's edge in a process of its own: the real gateway, and one small service behind it. */
import { requireScope } from '@assay/core/kernel/auth'
import { environment } from '@assay/core/kernel/config'
import { withCtx } from '@assay/core/kernel/edge'
import { closeOnSignals, startPlatform } from '@assay/core/kernel/run'
import type { Service } from '@assay/core/kernel/service'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { gateway } from '../../services/gateway/service.ts'
import { ANSWER } from './answer.ts'

const Answer = z.object({ symbol: z.string(), bid: z.string(), ask: z.string(), sequence: z.int() })
const nothing = z.object({})

/** One authorised route, as the services write theirs. */
const quotes: Service<typeof nothing> = {
  name: 'quotes',
  config: nothing,
  create: () => ({
    app: new Elysia({ name: 'bench.quotes' }).use(withCtx).get(
      '/api/quote',
      ({ ctx }) => {
        requireScope(ctx, 'market:read')
        return ANSWER
      },
      { response: { 200: Answer }, detail: { operationId: 'getQuote' } },
    ),
  }),
}

const started = await startPlatform({ services: [gateway, quotes], env: environment(), port: 0 })
closeOnSignals(started.close)
// the bench failed or was stopped
process.on('disconnect', () => process.exit())
process.send!(started.port)
