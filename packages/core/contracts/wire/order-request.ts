import { z } from 'zod'
import type { AmendBody, OrderBody, Trail } from '../../domain/engine/types.ts'
import { Decimal } from './decimal.ts'
import { SymbolName } from './instrument.ts'
import { oneOf } from './rules/limit.ts'
import { whenThere } from './words.ts'

export const side = z.enum(['buy', 'sell'])
export const orderType = z.enum(['market', 'limit', 'stop', 'stop_limit', 'trailing_stop'])
export const timeInForce = z.enum(['gtc', 'ioc', 'fok', 'day', 'gtd'])
export const ClientOrderId = z
  .string()
  .regex(/^[\x21-\x7e]{1,64}$/, 'must be 1 to 64 printable characters without spaces')
const OffsetInstant = z.iso.datetime({ offset: true, error: whenThere('must be ISO 8601 with a zone') })

const TrailFields = z
  .strictObject({ offset: Decimal.optional(), pct: Decimal.optional() })
  .superRefine(oneOf('offset', 'pct'))
  .transform(({ offset, pct }): Trail => (offset === undefined ? { pct: pct! } : { offset }))
const StopLoss = z
  .strictObject({ stop_price: Decimal.optional(), price: Decimal.optional(), trail: TrailFields.optional() })
  .superRefine((stop, ctx) => {
    oneOf('stop_price', 'trail')(stop, ctx)
    if (stop.trail && stop.price !== undefined)
      ctx.addIssue({ code: 'custom', path: ['price'], message: 'goes with stop_price only' })
  })
  .transform(({ stop_price, price, trail }) =>
    trail ? { trail } : { stop_price: stop_price!, ...(price === undefined ? {} : { price }) },
  )

const fields = {
  symbol: SymbolName,
  side,
  /** `bracket`: an entry with exits; limit with a price, stop with a stop_price, stop_limit with both, else market */
  type: z.enum([...orderType.options, 'oco', 'bracket']),
  quantity: Decimal,
  price: Decimal.optional(),
  stop_price: Decimal.optional(),
  stop_limit_price: Decimal.optional(),
  trail: TrailFields.optional(),
  activation_price: Decimal.optional(),
  time_in_force: timeInForce.optional(),
  expires_at: OffsetInstant.optional(),
  reduce_only: z.boolean().optional(),
  post_only: z.boolean().optional(),
  take_profit: z.strictObject({ price: Decimal }).optional(),
  stop_loss: StopLoss.optional(),
  position: z.string().min(1).max(64).optional(),
  client_order_id: ClientOrderId.optional(),
}
type Fields = z.output<z.ZodObject<typeof fields>>
type Price = 'price' | 'stop_price' | 'stop_limit_price' | 'trail' | 'activation_price'
interface Shape {
  needs: readonly Price[]
  may?: readonly Price[]
  time_in_force: readonly OrderBody['time_in_force'][]
}
const RESTING = ['gtc', 'day', 'gtd'] as const
const SHAPES: Readonly<Record<OrderBody['type'], Shape>> = {
  market: { needs: [], time_in_force: ['ioc', 'fok'] },
  limit: { needs: ['price'], time_in_force: timeInForce.options },
  stop: { needs: ['stop_price'], time_in_force: RESTING },
  stop_limit: { needs: ['price', 'stop_price'], time_in_force: RESTING },
  trailing_stop: { needs: ['trail'], may: ['activation_price'], time_in_force: RESTING },
  oco: { needs: ['price', 'stop_price'], may: ['stop_limit_price'], time_in_force: RESTING },
}
const PRICES: readonly Price[] = ['price', 'stop_price', 'stop_limit_price', 'trail', 'activation_price']

function entryType({ type, price, stop_price, trail }: Fields): OrderBody['type'] {
  if (type !== 'bracket') return type
  if (trail) return 'trailing_stop'
  if (stop_price !== undefined) return price === undefined ? 'stop' : 'stop_limit'
  return price === undefined ? 'market' : 'limit'
}
const called = (type: string): string => `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type} order`

function fitting(order: Fields, ctx: z.core.$RefinementCtx): void {
  const refuse = (field: string, message: string) => ctx.addIssue({ code: 'custom', path: [field], message })
  const type = entryType(order)
  const { needs, may = [], time_in_force } = SHAPES[type]
  for (const price of PRICES) {
    if (needs.includes(price) && order[price] === undefined) refuse(price, `is needed for ${called(type)}`)
    if (order[price] !== undefined && !needs.includes(price) && !may.includes(price))
      refuse(price, `does not go with ${called(type)}`)
  }
  if (order.time_in_force && !time_in_force.includes(order.time_in_force))
    refuse('time_in_force', `of ${called(type)} is ${time_in_force.join(', ')}`)
  if ((order.time_in_force === 'gtd') !== (order.expires_at !== undefined))
    refuse('expires_at', order.expires_at === undefined ? 'is needed with gtd' : 'goes with time_in_force gtd only')
  if (order.post_only && (type !== 'limit' || order.time_in_force === 'ioc' || order.time_in_force === 'fok'))
    refuse('post_only', 'goes with limit orders that may rest')
  exits(order, type, refuse)
}
function exits(order: Fields, type: string, refuse: (field: string, message: string) => void): void {
  const field = order.take_profit ? 'take_profit' : order.stop_loss ? 'stop_loss' : null
  if (order.type === 'bracket' && !field) refuse('take_profit', 'or stop_loss is needed for a bracket')
  if (!field) return
  if (type === 'oco') refuse(field, 'does not go with an oco order')
  if (order.reduce_only) refuse(field, 'does not go with reduce_only')
  if (order.position !== undefined) refuse(field, 'does not go with a position that is reduced')
}

/** What an order says, before what it must agree on is looked at. */
export const orderFields = fields
export const agreeing = fitting
/** POST orders. Grids, bounds, margin and the market are the engine's to judge: its refusals are journalled. */
export const OrderRequest = z.strictObject(fields).superRefine(fitting)
export type OrderRequest = z.output<typeof OrderRequest>

/** As the engine takes it: a bracket is its entry with exits, times are ms. */
export function orderBody(order: OrderRequest): OrderBody {
  const { expires_at, ...rest } = order
  return {
    ...rest,
    type: entryType(order),
    ...(expires_at === undefined ? {} : { expires_at: Date.parse(expires_at) }),
  }
}

const amendFields = {
  quantity: Decimal.optional(),
  price: Decimal.optional(),
  stop_price: Decimal.optional(),
  trail: TrailFields.optional(),
  expires_at: OffsetInstant.optional(),
}
/** PATCH an order: what is left out stays. */
export const AmendRequest = z.strictObject(amendFields).superRefine((body, ctx) => {
  if (Object.keys(body).length === 0)
    ctx.addIssue({ code: 'custom', message: `say what changes: ${Object.keys(amendFields).join(', ')}` })
})
export type AmendRequest = z.output<typeof AmendRequest>
export function amendBody({ expires_at, ...rest }: AmendRequest): AmendBody {
  return { ...rest, ...(expires_at === undefined ? {} : { expires_at: Date.parse(expires_at) }) }
}

/** POST close: all of the position where no quantity is said. */
export const CloseRequest = z.strictObject({ quantity: Decimal.optional(), client_order_id: ClientOrderId.optional() })
export type CloseRequest = z.output<typeof CloseRequest>
