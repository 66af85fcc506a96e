import { pageOf } from '@assay/core/contracts/wire/page'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { Done } from '../auth/schemas.ts'
import type { GatewayDeps } from '../deps.ts'
import { listDevices } from '../devices/list-devices.ts'
import { removeDevice } from '../devices/remove-device.ts'
import { Device } from '../devices/schemas.ts'
import { endSession } from '../sessions/end-session.ts'
import { listSessions } from '../sessions/list-sessions.ts'
import { OwnerQuery, Session } from '../sessions/schemas.ts'

const tags = ['identity']
const params = z.object({ id: z.uuid() })
const DONE = { success: true } as const

export const sessionRoutes = (deps: GatewayDeps) =>
  new Elysia({ name: 'gateway.sessions' })
    .use(withCtx)
    .get('/api/auth/sessions', ({ ctx, query }) => listSessions({ ctx, input: query, deps }), {
      mapResponse: etag,
      query: OwnerQuery,
      response: { 200: pageOf(Session) },
      detail: { operationId: 'listSessions', tags, summary: 'Living sessions, newest first' },
    })
    .delete(
      '/api/auth/sessions/:id',
      async ({ ctx, params }) => {
        await endSession({ ctx, input: params, deps })
        return DONE
      },
      {
        params,
        response: { 200: Done },
        detail: { operationId: 'endSession', tags, summary: 'End a session, at once' },
      },
    )
    .get('/api/auth/devices', ({ ctx, query }) => listDevices({ ctx, input: query, deps }), {
      mapResponse: etag,
      query: OwnerQuery,
      response: { 200: pageOf(Device) },
      detail: { operationId: 'listDevices', tags, summary: 'Enrolled devices, newest first' },
    })
    .delete(
      '/api/auth/devices/:id',
      async ({ ctx, params }) => {
        await removeDevice({ ctx, input: params, deps })
        return DONE
      },
      {
        params,
        response: { 200: Done },
        detail: { operationId: 'removeDevice', tags, summary: 'Forget a device; its sessions end' },
      },
    )
