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

const Trail = z.union([z.object({ offset: z.string() }), z.object({ pct: z.string() })])
const Asked = {
  client_order_id: z.string().optional(),
  symbol: z.string(),
  side: Side,
  type: z.enum(['market', 'limit', 'stop', 'stop_limit', 'trailing_stop', 'oco']),
  quantity: z.string(),
  price: z.string().optional(),
  stop_price: z.string().optional(),
  stop_limit_price: z.string().optional(),
  trail: Trail.optional(),
  activation_price: z.string().optional(),
  time_in_force: z.enum(['gtc', 'ioc', 'fok', 'day', 'gtd']).optional(),
  expires_at: z.int().optional(),
  reduce_only: z.boolean().optional(),
  post_only: z.boolean().optional(),
  take_profit: z.object({ price: z.string() }).optional(),
  stop_loss: z
    .union([z.object({ stop_price: z.string(), price: z.string().optional() }), z.object({ trail: Trail })])
    .optional(),
  position: z.string().optional(),
}
/** An order as it stands. */
const Standing = {
  order: z.string(),
  filled: z.string(),
  quantity: z.string().optional(),
  price: z.string().optional(),
  stop_price: z.string().optional(),
  reason: z.string().optional(),
}
/** An amount in its own currency and as booked in the account's. */
const Booked = z.object({ amount: z.string(), currency: z.string(), rate: z.string(), booked: z.string() })
const Position = { position: z.string(), symbol: z.string(), quantity: z.string(), cost: z.string() }

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
export const orderTriggered = topic('order-triggered', 'A stop was reached.', Standing)
export const orderAmended = topic(
  'order-amended',
  'An order changed: by its trader, or with the other leg or the entry that it belongs to.',
  Standing,
)
export const orderCancelled = topic(
  'order-cancelled',
  'What was left of an order was taken off, by whom `reason` says.',
  Standing,
)
export const orderExpired = topic('order-expired', 'The time of a DAY or GTD order was over.', Standing)
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
