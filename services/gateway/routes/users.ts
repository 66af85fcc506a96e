import { pageOf } from '@assay/core/contracts/wire/page'
import { requireActor } from '@assay/core/kernel/auth'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import type { GatewayDeps } from '../deps.ts'
import { changeMe } from '../users/change-me.ts'
import { changeUser } from '../users/change-user.ts'
import { getMe } from '../users/get-me.ts'
import { getUser } from '../users/get-user.ts'
import { listUsers } from '../users/list-users.ts'
import { Profile, ProfileChange, UserAccount, UserChange, UserQuery } from '../users/schemas.ts'

const tags = ['users']
const params = z.object({ id: z.uuid() })

export const userRoutes = (deps: GatewayDeps) =>
  new Elysia({ name: 'gateway.users' })
    .use(withCtx)
    .get('/api/users/me', ({ ctx }) => getMe({ ctx, deps }), {
      response: { 200: Profile },
      detail: { operationId: 'getMe', tags, summary: 'The own profile' },
    })
    .patch('/api/users/me', ({ ctx, body }) => changeMe({ ctx, input: body, deps }), {
      parse: 'json',
      transform: ({ ctx }) => void requireActor(ctx),
      body: ProfileChange,
      response: { 200: Profile },
      detail: {
        operationId: 'changeMe',
        tags,
        summary: 'Change the own name, e-mail or password; a new password ends all sessions',
      },
    })
    .get('/api/users', ({ ctx, query }) => listUsers({ ctx, input: query, deps }), {
      mapResponse: etag,
      query: UserQuery,
      response: { 200: pageOf(UserAccount) },
      detail: { operationId: 'listUsers', tags, summary: 'Operators: users of the tenant, newest first' },
    })
    .get('/api/users/:id', ({ ctx, params }) => getUser({ ctx, input: params, deps }), {
      params,
      response: { 200: UserAccount },
      detail: { operationId: 'getUser', tags, summary: 'Operators: one user of the tenant' },
    })
    .patch('/api/users/:id', ({ ctx, params, body }) => changeUser({ ctx, input: { ...body, ...params }, deps }), {
      parse: 'json',
      params,
      transform: ({ ctx }) => void requireActor(ctx),
      body: UserChange,
      response: { 200: UserAccount },
      detail: {
        operationId: 'changeUser',
        tags,
        summary: 'Operators: role, tenant, access of a user; what the user holds is void at once',
      },
    })
