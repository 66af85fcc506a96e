import { InstrumentResource } from '@assay/core/contracts/wire/instrument'
import { PageQuery, pageOf } from '@assay/core/contracts/wire/page'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { depsFor } from '../access.ts'
import type { TradingDeps } from '../deps.ts'
import { getInstrument } from '../instruments/get-instrument.ts'
import { listInstruments } from '../instruments/list-instruments.ts'

const tags = ['instruments']

export const instrumentRoutes = (deps: TradingDeps) =>
  new Elysia({ name: 'trading.instruments' })
    .use(withCtx)
    .get('/api/instruments', ({ ctx, query }) => listInstruments({ ctx, input: query, deps: depsFor(deps, ctx) }), {
      mapResponse: etag,
      query: PageQuery.extend({
        kind: z.enum(['spot', 'fx', 'perp', 'outcome']).optional(),
        quote: z.string().optional(),
      }),
      response: { 200: pageOf(InstrumentResource) },
      detail: { operationId: 'listInstruments', tags, summary: 'Instrument documents in force' },
    })
    .get(
      '/api/instruments/:symbol',
      ({ ctx, params }) => getInstrument({ ctx, input: params, deps: depsFor(deps, ctx) }),
      {
        params: z.object({ symbol: z.string() }),
        response: { 200: InstrumentResource },
        detail: { operationId: 'getInstrument', tags, summary: 'One instrument; BTC-USD is BTC/USD' },
      },
    )
