import { pageOf } from '@assay/core/contracts/wire/page'
import { requireActor } from '@assay/core/kernel/auth'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { Done, Registered } from '../auth/schemas.ts'
import type { GatewayDeps } from '../deps.ts'
import { acceptInvitation } from '../invitations/accept-invitation.ts'
import { invite } from '../invitations/invite.ts'
import { listInvitations } from '../invitations/list-invitations.ts'
import { revokeInvitation } from '../invitations/revoke-invitation.ts'
import { AcceptBody, Invitation, InvitationBody, InvitationQuery } from '../invitations/schemas.ts'

const tags = ['users']
const params = z.object({ id: z.uuid() })

export const invitationRoutes = (deps: GatewayDeps) =>
  new Elysia({ name: 'gateway.invitations' })
    .use(withCtx)
    .get('/api/invitations', ({ ctx, query }) => listInvitations({ ctx, input: query, deps }), {
      mapResponse: etag,
      query: InvitationQuery,
      response: { 200: pageOf(Invitation) },
      detail: { operationId: 'listInvitations', tags, summary: 'Operators: invitations into the tenant, newest first' },
    })
    .post(
      '/api/invitations',
      async ({ ctx, body, set }) => {
        const invitation = await invite({ ctx, input: body, deps })
        set.status = 201
        return invitation
      },
      {
        parse: 'json',
        transform: ({ ctx }) => void requireActor(ctx),
        body: InvitationBody,
        response: { 201: Invitation },
        detail: {
          operationId: 'createInvitation',
          tags,
          summary: 'Operators: invite somebody by a letter, for 7 days',
        },
      },
    )
    .delete(
      '/api/invitations/:id',
      async ({ ctx, params }) => {
        await revokeInvitation({ ctx, input: params, deps })
        return { success: true } as const
      },
      {
        params,
        response: { 200: Done },
        detail: { operationId: 'deleteInvitation', tags, summary: 'Operators: take an open invitation back' },
      },
    )
    .post(
      '/api/invitations/:id/accept',
      async ({ ctx, params, body, set }) => {
        const user = await acceptInvitation({ ctx, input: { ...body, ...params }, deps })
        set.status = 201
        return { success: true, user } as const
      },
      {
        parse: 'json',
        params,
        body: AcceptBody,
        response: { 201: Registered },
        detail: { operationId: 'acceptInvitation', tags, summary: 'Become a user with the token of the letter' },
      },
    )
