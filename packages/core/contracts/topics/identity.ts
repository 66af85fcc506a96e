import { z } from 'zod'
import { defineTopic } from './topic.ts'

export const identityRevoked = defineTopic({
  name: 'identity.revoked',
  summary:
    'A session, an API key or everything of a user is not valid any more; a heartbeat says until when all of it was told.',
  schema: z.object({
    what: z.enum(['session', 'key', 'user', 'heartbeat']),
    id: z.string().nullable(),
    user_id: z.string().nullable(),
    /** of a heartbeat: what was revoked before then stands before it */
    until: z.iso.datetime().optional(),
  }),
  key: 'user_id',
  producer: 'gateway',
  partitions: 1,
  retentionDays: 1,
})
export const auditRecorded = defineTopic({
  name: 'audit.recorded',
  summary: 'Who did what to whose account.',
  schema: z.object({
    action: z.string(),
    actor: z.string(),
    tenant: z.string(),
    detail: z.record(z.string(), z.json()),
  }),
  key: 'actor',
  producer: 'gateway',
  retentionDays: 90,
})
export const identityErased = defineTopic({
  name: 'identity.erased',
  summary: 'A user was erased: every service lets go of what it need not keep.',
  schema: z.object({ user_id: z.string(), tenant: z.string() }),
  key: 'user_id',
  producer: 'gateway',
  retentionDays: 90,
})
