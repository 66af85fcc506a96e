import { PageQuery, pageOf } from '@assay/core/contracts/wire/page'
import { TierResource } from '@assay/core/contracts/wire/purchase'
import { TierChange, TierRequest } from '@assay/core/contracts/wire/tier'
import { requireScope } from '@assay/core/kernel/auth'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { depsFor } from '../access.ts'
import type { TradingDeps } from '../deps.ts'
import { IfMatchHeaders, ifMatchOf, tagOf } from '../if-match.ts'
import { changeTier } from '../tiers/change-tier.ts'
import { createTier } from '../tiers/create-tier.ts'
import { getTier } from '../tiers/get-tier.ts'
import { listTiers } from '../tiers/list-tiers.ts'
import { retireTier } from '../tiers/retire-tier.ts'
import { IdempotencyHeaders } from './headers.ts'

const tags = ['tiers']
const params = z.object({ id: z.string() })

export const tierRoutes = (deps: TradingDeps) =>
  new Elysia({ name: 'trading.tiers' })
    .use(withCtx)
    .get('/api/tiers', ({ ctx, query }) => listTiers({ ctx, input: query, deps: depsFor(deps, ctx) }), {
      mapResponse: etag,
      query: PageQuery.extend({ currency: z.string().optional() }),
      response: { 200: pageOf(TierResource) },
      detail: { operationId: 'listTiers', tags, summary: 'The public catalogue of tiers' },
    })
    .get(
      '/api/tiers/:id',
      async ({ ctx, params, set }) => {
        const tier = await getTier({ ctx, input: params, deps: depsFor(deps, ctx) })
        set.headers.etag = tagOf(tier.hash)
        return tier
      },
      {
        params,
        response: { 200: TierResource },
        detail: { operationId: 'getTier', tags, summary: 'One tier on sale' },
      },
    )
    .post(
      '/api/tiers',
      async ({ ctx, body, headers, set }) => {
        const tier = await createTier({
          ctx,
          input: { tier: body, key: headers['idempotency-key'] },
          deps: depsFor(deps, ctx),
        })
        set.status = 201
        set.headers.etag = tagOf(tier.hash)
        return tier
      },
      {
        parse: 'json',
        transform: ({ ctx }) => void requireScope(ctx, 'ops:write'),
        headers: IdempotencyHeaders,
        body: TierRequest,
        response: { 201: TierResource },
        detail: { operationId: 'createTier', tags, summary: 'Operators: put a tier on sale' },
      },
    )
    .patch(
      '/api/tiers/:id',
      async ({ ctx, params, body, headers, set }) => {
        const tier = await changeTier({
          ctx,
          input: { ...params, change: body, ...ifMatchOf(headers) },
          deps: depsFor(deps, ctx),
        })
        set.headers.etag = tagOf(tier.hash)
        return tier
      },
      {
        parse: 'json',
        params,
        transform: ({ ctx }) => void requireScope(ctx, 'ops:write'),
        headers: IfMatchHeaders,
        body: TierChange,
        response: { 200: TierResource },
        detail: {
          operationId: 'changeTier',
          tags,
          summary: 'Operators: the next version of a tier; what was bought keeps its own',
        },
      },
    )
    .delete(
      '/api/tiers/:id',
      async ({ ctx, params }) => {
        await retireTier({ ctx, input: params, deps: depsFor(deps, ctx) })
        return { success: true } as const
      },
      {
        params,
        response: { 200: z.object({ success: z.literal(true) }) },
        detail: { operationId: 'retireTier', tags, summary: 'Operators: take a tier off sale' },
      },
    )
