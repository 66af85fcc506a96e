import { z } from 'zod'
import { defineTopic } from './topic.ts'

const Facts = {
  purchase_id: z.string(),
  user_id: z.string(),
  tenant: z.string(),
  tier_id: z.string(),
  amount: z.string(),
  currency: z.string(),
}
export const purchaseCompleted = defineTopic({
  name: 'payment.purchase-completed',
  summary: 'A tier was paid for.',
  schema: z.object(Facts),
  key: 'user_id',
  producer: 'trading',
  retentionDays: 30,
})
export const purchaseFailed = defineTopic({
  name: 'payment.purchase-failed',
  summary: 'A payment was refused or given up.',
  schema: z.object({ ...Facts, reason: z.string() }),
  key: 'user_id',
  producer: 'trading',
  retentionDays: 30,
})
