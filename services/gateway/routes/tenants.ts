import { PageQuery, pageOf } from '@assay/core/contracts/wire/page'
import { requireActor } from '@assay/core/kernel/auth'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { TenantId } from '../auth/schemas.ts'
import type { GatewayDeps } from '../deps.ts'
import { changeTenant } from '../tenants/change-tenant.ts'
import { createTenant } from '../tenants/create-tenant.ts'
import { listTenants } from '../tenants/list-tenants.ts'
import { Tenant, TenantBody, TenantChange } from '../tenants/schemas.ts'

const tags = ['users']

export const tenantRoutes = (deps: GatewayDeps) =>
  new Elysia({ name: 'gateway.tenants' })
    .use(withCtx)
    .get('/api/tenants', ({ ctx, query }) => listTenants({ ctx, input: query, deps }), {
      mapResponse: etag,
      query: PageQuery,
      response: { 200: pageOf(Tenant) },
      detail: { operationId: 'listTenants', tags, summary: 'Operators: the own tenant; for the house, all' },
    })
    .post(
      '/api/tenants',
      async ({ ctx, body, set }) => {
        const tenant = await createTenant({ ctx, input: body, deps })
        set.status = 201
        return tenant
      },
      {
        parse: 'json',
        transform: ({ ctx }) => void requireActor(ctx),
        body: TenantBody,
        response: { 201: Tenant },
        detail: { operationId: 'createTenant', tags, summary: 'The house: a new tenant' },
      },
    )
    .patch('/api/tenants/:id', ({ ctx, params, body }) => changeTenant({ ctx, input: { ...body, ...params }, deps }), {
      parse: 'json',
      params: z.object({ id: TenantId }),
      transform: ({ ctx }) => void requireActor(ctx),
      body: TenantChange,
      response: { 200: Tenant },
      detail: {
        operationId: 'changeTenant',
        tags,
        summary: 'Operators: name, second factor and addresses of the tenant; the house: its plan',
      },
    })
