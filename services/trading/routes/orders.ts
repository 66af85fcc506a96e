import { CancelAnswer, OrderAnswer, OrderResource, OrderStatus } from '@assay/core/contracts/wire/order'
import { OrderPreview } from '@assay/core/contracts/wire/order-preview'
import { AmendRequest, CloseRequest, OrderRequest } from '@assay/core/contracts/wire/order-request'
import { PageQuery, pageOf } from '@assay/core/contracts/wire/page'
import { requireActor } from '@assay/core/kernel/auth'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { depsFor } from '../access.ts'
import type { TradingDeps } from '../deps.ts'
import { amendOrder } from '../orders/amend-order.ts'
import { cancelAllOrders } from '../orders/cancel-all-orders.ts'
import { cancelOrder } from '../orders/cancel-order.ts'
import { closePosition } from '../orders/close-position.ts'
import { getOrder } from '../orders/get-order.ts'
import { listOrders } from '../orders/list-orders.ts'
import { placeOrder } from '../orders/place-order.ts'
import { previewOrder } from '../orders/preview-order.ts'

const tags = ['orders']
const params = z.object({ id: z.string() })
/** `o<aseq>`, a leg's or exit's name, or `client:<client_order_id>` */
const orderParams = z.object({ id: z.string(), oid: z.string().max(100) })

export const orderRoutes = (deps: TradingDeps) =>
  new Elysia({ name: 'trading.orders' })
    .use(withCtx)
    .post(
      '/api/assessments/:id/orders',
      async ({ ctx, params, body, set }) => {
        const answer = await placeOrder({ ctx, input: { id: params.id, order: body }, deps: depsFor(deps, ctx) })
        set.status = answer.replayed ? 200 : 201
        return answer
      },
      {
        parse: 'json',
        params,
        transform: ({ ctx }) => void requireActor(ctx),
        body: OrderRequest,
        response: { 200: OrderAnswer, 201: OrderAnswer },
        detail: {
          operationId: 'placeOrder',
          tags,
          summary: 'Place an order; 200 repeats the first answer to its client_order_id',
        },
      },
    )
    .post(
      '/api/assessments/:id/orders/preview',
      ({ ctx, params, body }) => previewOrder({ ctx, input: { id: params.id, order: body }, deps: depsFor(deps, ctx) }),
      {
        parse: 'json',
        params,
        transform: ({ ctx }) => void requireActor(ctx),
        body: OrderRequest,
        response: { 200: OrderPreview },
        detail: {
          operationId: 'previewOrder',
          tags,
          summary: 'What an order would do now: fills, costs, margin, distance to each floor after it',
        },
      },
    )
    .get(
      '/api/assessments/:id/orders',
      ({ ctx, params, query }) => listOrders({ ctx, input: { ...params, ...query }, deps: depsFor(deps, ctx) }),
      {
        mapResponse: etag,
        params,
        query: PageQuery.extend({
          phase: z.coerce.number().int().min(0).max(64).optional(),
          status: OrderStatus.optional(),
          symbol: z.string().optional(),
        }),
        response: { 200: pageOf(OrderResource) },
        detail: { operationId: 'listOrders', tags, summary: 'Orders, newest first' },
      },
    )
    .get(
      '/api/assessments/:id/orders/:oid',
      ({ ctx, params }) => getOrder({ ctx, input: { id: params.id, order: params.oid }, deps: depsFor(deps, ctx) }),
      {
        params: orderParams,
        response: { 200: OrderResource },
        detail: { operationId: 'getOrder', tags, summary: 'One order, by its id or client:<client_order_id>' },
      },
    )
    .patch(
      '/api/assessments/:id/orders/:oid',
      ({ ctx, params, body }) =>
        amendOrder({ ctx, input: { id: params.id, order: params.oid, change: body }, deps: depsFor(deps, ctx) }),
      {
        parse: 'json',
        params: orderParams,
        transform: ({ ctx }) => void requireActor(ctx),
        body: AmendRequest,
        response: { 200: OrderAnswer },
        detail: { operationId: 'amendOrder', tags, summary: 'Change a working order; what is left out stays' },
      },
    )
    .post(
      '/api/assessments/:id/positions/:pid/close',
      async ({ ctx, params, body, set }) => {
        const answer = await closePosition({
          ctx,
          input: { id: params.id, position: params.pid, close: body ?? {} },
          deps: depsFor(deps, ctx),
        })
        set.status = answer.replayed ? 200 : 201
        return answer
      },
      {
        params: z.object({ id: z.string(), pid: z.string().max(100) }),
        transform: ({ ctx }) => void requireActor(ctx),
        body: CloseRequest.optional(),
        response: { 200: OrderAnswer, 201: OrderAnswer },
        detail: {
          operationId: 'closePosition',
          tags,
          summary: 'Close a position at the market, by its id or in netting accounts its symbol',
        },
      },
    )
    .delete(
      '/api/assessments/:id/orders/:oid',
      ({ ctx, params }) => cancelOrder({ ctx, input: { id: params.id, order: params.oid }, deps: depsFor(deps, ctx) }),
      {
        params: orderParams,
        response: { 200: CancelAnswer },
        detail: { operationId: 'cancelOrder', tags, summary: 'Cancel a working order' },
      },
    )
    .delete(
      '/api/assessments/:id/orders',
      ({ ctx, params, query }) => cancelAllOrders({ ctx, input: { ...params, ...query }, deps: depsFor(deps, ctx) }),
      {
        params,
        query: z.object({ symbol: z.string().optional() }),
        response: { 200: CancelAnswer },
        detail: { operationId: 'cancelAllOrders', tags, summary: 'Cancel every working order, or those of one symbol' },
      },
    )
