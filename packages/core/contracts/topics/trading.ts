import { z } from 'zod'
import { Place } from './assessment.ts'
import { defineTopic } from './topic.ts'

const Side = z.enum(['buy', 'sell'])
const topic = <Shape extends z.core.$ZodLooseShape>(name: string, summary: string, shape: Shape) =>
  defineTopic({
    name: `trading.${name}`,
    summary,
    schema: z.object({ ...Place, ...shape }),
    key: 'assessment_id',
    producer: 'trading',
    retentionDays: 30,
  })

const Asked = {
  client_order_id: z.string().optional(),
  symbol: z.string(),
  side: Side,
  type: z.enum(['market', 'limit']),
  quantity: z.string(),
  price: z.string().optional(),
  time_in_force: z.enum(['gtc', 'ioc']).optional(),
}
/** An amount in its own currency and as booked in the account's. */
const Booked = z.object({ amount: z.string(), currency: z.string(), rate: z.string(), booked: z.string() })
const Position = { symbol: z.string(), quantity: z.string(), cost: z.string() }

export const orderPlaced = topic('order-placed', 'An order was accepted.', { order: z.string(), ...Asked })
export const orderRejected = topic('order-rejected', 'An order was refused, with the code that its sender got.', {
  ...Asked,
  code: z.string(),
  detail: z.string(),
})
export const orderFilled = topic('order-filled', 'One fill; an order may have several.', {
  order: z.string(),
  phase: z.int(),
  symbol: z.string(),
  side: Side,
  quantity: z.string(),
  price: z.string(),
  liquidity: z.enum(['maker', 'taker']),
  result: Booked.nullable(),
  fee: Booked.nullable(),
})
export const orderCancelled = topic(
  'order-cancelled',
  'What was left of an order was taken off, by whom `reason` says.',
  {
    order: z.string(),
    filled: z.string(),
    reason: z.string().optional(),
  },
)
export const positionOpened = topic('position-opened', 'A flat symbol has a position.', Position)
export const positionChanged = topic('position-changed', 'A position grew, shrank or turned over.', Position)
export const positionClosed = topic('position-closed', 'A position is flat again.', Position)
/** Published straight: a mark that nobody heard is worth nothing later. */
export const accountMarked = defineTopic({
  name: 'trading.account-marked',
  summary: 'Equity and balance at a market event; published straight, conflated, only while somebody listens.',
  schema: z.object({ ...Place, balance: z.string(), equity: z.string() }),
  key: 'assessment_id',
  producer: 'trading',
  retentionDays: 7,
  durable: false,
})
