import {
  CancelAnswer,
  OrderAnswer,
  OrderRequest,
  OrderResource,
  OrderStatus,
  refuseLaterOrder,
} from '@assay/core/contracts/wire/order'
import { PageQuery, pageOf } from '@assay/core/contracts/wire/page'
import { requireActor } from '@assay/core/kernel/auth'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import type { TradingDeps } from '../deps.ts'
import { cancelAllOrders } from '../orders/cancel-all-orders.ts'
import { cancelOrder } from '../orders/cancel-order.ts'
import { getOrder } from '../orders/get-order.ts'
import { listOrders } from '../orders/list-orders.ts'
import { placeOrder } from '../orders/place-order.ts'

const tags = ['orders']
const params = z.object({ id: z.string() })
/** `o<aseq>`, or `client:<client_order_id>` */
const orderParams = z.object({ id: z.string(), oid: z.string().max(100) })

export const orderRoutes = (deps: TradingDeps) =>
  new Elysia({ name: 'trading.orders' })
    .use(withCtx)
    .post(
      '/api/assessments/:id/orders',
      async ({ ctx, params, body, set }) => {
        const answer = await placeOrder({ ctx, input: { id: params.id, order: body }, deps })
        set.status = answer.replayed ? 200 : 201
        return answer
      },
      {
        parse: 'json',
        params,
        transform({ ctx, body }) {
          requireActor(ctx)
          refuseLaterOrder(body)
        },
        body: OrderRequest,
        response: { 200: OrderAnswer, 201: OrderAnswer },
        detail: {
          operationId: 'placeOrder',
          tags,
          summary: 'Place an order; 200 repeats the first answer to its client_order_id',
        },
      },
    )
    .get(
      '/api/assessments/:id/orders',
      ({ ctx, params, query }) => listOrders({ ctx, input: { ...params, ...query }, deps }),
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
      ({ ctx, params }) => getOrder({ ctx, input: { id: params.id, order: params.oid }, deps }),
      {
        params: orderParams,
        response: { 200: OrderResource },
        detail: { operationId: 'getOrder', tags, summary: 'One order, by its id or client:<client_order_id>' },
      },
    )
    .delete(
      '/api/assessments/:id/orders/:oid',
      ({ ctx, params }) => cancelOrder({ ctx, input: { id: params.id, order: params.oid }, deps }),
      {
        params: orderParams,
        response: { 200: CancelAnswer },
        detail: { operationId: 'cancelOrder', tags, summary: 'Cancel a working order' },
      },
    )
    .delete(
      '/api/assessments/:id/orders',
      ({ ctx, params, query }) => cancelAllOrders({ ctx, input: { ...params, ...query }, deps }),
      {
        params,
        query: z.object({ symbol: z.string().optional() }),
        response: { 200: CancelAnswer },
        detail: { operationId: 'cancelAllOrders', tags, summary: 'Cancel every working order, or those of one symbol' },
      },
    )
