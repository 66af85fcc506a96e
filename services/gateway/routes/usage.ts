import { pageOf } from '@assay/core/contracts/wire/page'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { listUsage, type UsageDeps } from '../usage/list-usage.ts'
import { Usage, UsageQuery } from '../usage/schemas.ts'

export const usageRoutes = (deps: UsageDeps) =>
  new Elysia({ name: 'gateway.usage' })
    .use(withCtx)
    .get('/api/usage', ({ ctx, query }) => listUsage({ ctx, input: query, deps }), {
      mapResponse: etag,
      query: UsageQuery,
      response: { 200: pageOf(Usage) },
      detail: {
        operationId: 'listUsage',
        tags: ['identity'],
        summary: 'Requests, errors, limited ones and times by day, user, key and route class, newest day first',
      },
    })
