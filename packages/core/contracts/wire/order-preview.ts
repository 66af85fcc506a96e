import { z } from 'zod'
import { AnsweredOrder } from './order.ts'

/** What an order would do if it were placed now. Money is in account currency. */
export const OrderPreview = z.object({
  /** why it would be refused; everything else then stands as it is without it */
  refusal: z
    .object({ code: z.string(), detail: z.string(), field: z.string().nullable(), nearest: z.string().nullable() })
    .nullable(),
  order: AnsweredOrder.nullable(),
  legs: z.array(AnsweredOrder),
  fills: z.array(
    z.object({
      quantity: z.string(),
      price: z.string(),
      liquidity: z.enum(['maker', 'taker']),
      source: z.enum(['quote', 'levels', 'trade', 'slippage', 'settlement']),
      /** what is paid */
      fee: z.string(),
      /** what closing books; null where it closes nothing */
      result: z.string().nullable(),
      /** against the middle of the quote, in quote currency */
      slippage: z.string(),
    }),
  ),
  balance: z.string(),
  equity: z.string(),
  used_margin: z.string(),
  reserved_margin: z.string(),
  free_margin: z.string(),
  /** each floor, and a cap's ceiling, with what is left to it */
  floors: z.array(
    z.object({
      rule: z.string(),
      index: z.int(),
      metric: z.string(),
      value: z.string(),
      floor: z.string(),
      distance: z.string(),
      /** filled whole and closed at its stop, the account would be beyond it; null: it has no stop */
      stop_beyond: z.boolean().nullable(),
    }),
  ),
  /** limits that the order would be over as soon as it is placed, in table order */
  breaches: z.array(
    z.object({
      rule: z.string(),
      index: z.int(),
      effect: z.string(),
      metric: z.string(),
      value: z.string(),
      limit: z.string(),
    }),
  ),
  /** `filled now, this order leaves 120.00 to the max_daily_loss floor; its stop lies beyond it`; null where there is none */
  worst_case: z.string().nullable(),
  /** the place in the market log that it was computed at */
  mseq: z.int(),
})
export type OrderPreview = z.output<typeof OrderPreview>
