import { PageQuery, pageOf } from '@assay/core/contracts/wire/page'
import { PurchaseRequest, PurchaseResource, PurchaseStatus } from '@assay/core/contracts/wire/purchase'
import { requireActor } from '@assay/core/kernel/auth'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { depsFor } from '../access.ts'
import type { TradingDeps } from '../deps.ts'
import { buyTier } from '../purchases/buy-tier.ts'
import { getPurchase } from '../purchases/get-purchase.ts'
import { listPurchases } from '../purchases/list-purchases.ts'
import { IdempotencyHeaders } from './headers.ts'

const tags = ['purchases']

export const purchaseRoutes = (deps: TradingDeps) =>
  new Elysia({ name: 'trading.purchases' })
    .use(withCtx)
    .post(
      '/api/purchases',
      async ({ ctx, body, headers, set }) => {
        const purchase = await buyTier({
          ctx,
          input: { ...body, key: headers['idempotency-key'] },
          deps: depsFor(deps, ctx),
        })
        set.status = 201
        return purchase
      },
      {
        parse: 'json',
        transform: ({ ctx }) => void requireActor(ctx),
        headers: IdempotencyHeaders,
        body: PurchaseRequest,
        response: { 201: PurchaseResource },
        detail: { operationId: 'buyTier', tags, summary: 'Buy a tier; the answer holds the checkout' },
      },
    )
    .get('/api/purchases', ({ ctx, query }) => listPurchases({ ctx, input: query, deps: depsFor(deps, ctx) }), {
      mapResponse: etag,
      query: PageQuery.extend({ status: PurchaseStatus.optional() }),
      response: { 200: pageOf(PurchaseResource) },
      detail: { operationId: 'listPurchases', tags, summary: 'Own purchases; for operators the tenant’s' },
    })
    .get('/api/purchases/:id', ({ ctx, params }) => getPurchase({ ctx, input: params, deps: depsFor(deps, ctx) }), {
      params: z.object({ id: z.string() }),
      response: { 200: PurchaseResource },
      detail: { operationId: 'getPurchase', tags, summary: 'One purchase' },
    })
