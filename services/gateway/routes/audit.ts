import { pageOf } from '@assay/core/contracts/wire/page'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { listAudit } from '../audit/list-audit.ts'
import { AuditQuery, AuditRow } from '../audit/schemas.ts'
import type { GatewayDeps } from '../deps.ts'

export const auditRoutes = (deps: GatewayDeps) =>
  new Elysia({ name: 'gateway.audit' }).use(withCtx).get(
    '/api/audit',
    ({ ctx, query, set }) => {
      set.headers['cache-control'] = 'no-store'
      return listAudit({ ctx, input: query, deps })
    },
    {
      mapResponse: etag,
      query: AuditQuery,
      response: { 200: pageOf(AuditRow) },
      detail: { operationId: 'listAudit', tags: ['audit'], summary: 'The audit log of the tenant, newest first' },
    },
  )
