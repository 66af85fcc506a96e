import { z } from 'zod'
import { defineTopic } from './topic.ts'

export const identityRevoked = defineTopic({
  name: 'identity.revoked',
  summary: 'A session, an API key or everything of a user is not valid any more; a heartbeat names nothing.',
  schema: z.object({
    what: z.enum(['session', 'key', 'user', 'heartbeat']),
    id: z.string().nullable(),
    user_id: z.string().nullable(),
  }),
  key: 'user_id',
  producer: 'gateway',
  partitions: 1,
  retentionDays: 7,
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
