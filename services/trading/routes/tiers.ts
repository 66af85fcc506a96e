import { PageQuery, pageOf } from '@assay/core/contracts/wire/page'
import { TierResource } from '@assay/core/contracts/wire/purchase'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import type { TradingDeps } from '../deps.ts'
import { getTier } from '../tiers/get-tier.ts'
import { listTiers } from '../tiers/list-tiers.ts'

const tags = ['tiers']

export const tierRoutes = (deps: TradingDeps) =>
  new Elysia({ name: 'trading.tiers' })
    .use(withCtx)
    .get('/api/tiers', ({ ctx, query }) => listTiers({ ctx, input: query, deps }), {
      mapResponse: etag,
      query: PageQuery.extend({ currency: z.string().optional() }),
      response: { 200: pageOf(TierResource) },
      detail: { operationId: 'listTiers', tags, summary: 'The public catalogue of tiers' },
    })
    .get('/api/tiers/:id', ({ ctx, params }) => getTier({ ctx, input: params, deps }), {
      params: z.object({ id: z.string() }),
      response: { 200: TierResource },
      detail: { operationId: 'getTier', tags, summary: 'One tier on sale' },
    })
