import { z } from 'zod'
import { Instant } from './decimal.ts'

/** Where a live value stands in the market log. */
const at = { mseq: z.int(), at: Instant }
const side = z.enum(['buy', 'sell'])

export const PositionResource = z.object({
  /** the order that opened it: what close names */
  id: z.string(),
  symbol: z.string(),
  quantity: z.string(),
  cost: z.string(),
  average_price: z.string(),
  /** null in an ended phase, where what is left waits for depth */
  mark: z.string().nullable(),
  unrealised: z.string().nullable(),
  opened_at: Instant,
})
export const AccountResource = z.object({
  id: z.string(),
  status: z.string(),
  phase: z.int(),
  currency: z.string(),
  balance: z.string(),
  equity: z.string(),
  unrealised: z.string(),
  used_margin: z.string(),
  reserved_margin: z.string(),
  free_margin: z.string(),
  /** a breach was found while a market had no valid mark: reducing orders only, until it has one */
  provisional: z.boolean(),
  unknown_symbols: z.array(z.string()),
  /** a soft breach: orders that add exposure are refused until then */
  lock: z.object({ rule: z.string(), index: z.int(), until: Instant }).nullable(),
  /** pauses so far, and when a running one ends by itself */
  pauses: z.object({ count: z.int(), until: Instant.nullable() }),
  day: z
    .object({ k: z.int(), started_at: Instant, next_reset: Instant, balance: z.string(), equity: z.string() })
    .nullable(),
  /** newest record of the journal */
  aseq: z.int(),
  ...at,
})
export type AccountResource = z.output<typeof AccountResource>
export const PositionList = z.object({ items: z.array(PositionResource), phase: z.int(), ...at })
export type PositionList = z.output<typeof PositionList>

export const RuleResource = z.object({
  rule: z.string(),
  index: z.int(),
  effect: z.string(),
  metric: z.string().nullable(),
  /** null where the phase has ended */
  value: z.string().nullable(),
  limit: z.string().nullable(),
  /** to the limit, or what is still missing of an objective */
  remaining: z.string().nullable(),
  fraction: z.string().nullable(),
  /** loss rules: what may still be lost before the limit is reached */
  permitted_loss: z.string().nullable(),
  met: z.boolean().nullable(),
  compare: z.string().nullable(),
  reached_at: Instant.nullable(),
  /** consistency: what the result has to come to with its best day as it is */
  effective_target: z.string().nullable(),
  /** price rules: where each held symbol would have to trade for the limit to be reached, if nothing else moved */
  prices: z.array(z.object({ symbol: z.string(), price: z.string() })),
})
export const RuleList = z.object({
  items: z.array(RuleResource),
  /** a breach waits for marks of `unknown_symbols`, without a time limit: nothing is decided before them */
  provisional: z.boolean(),
  unknown_symbols: z.array(z.string()),
  phase: z.int(),
  ...at,
})
export type RuleList = z.output<typeof RuleList>

const Booked = z.object({
  amount: z.string(),
  currency: z.string(),
  rate: z.string(),
  rate_mseq: z.array(z.int()),
  booked: z.string(),
})
export const TradeResource = z.object({
  id: z.string(),
  order_id: z.string(),
  phase: z.int(),
  symbol: z.string(),
  side,
  quantity: z.string(),
  price: z.string(),
  liquidity: z.enum(['maker', 'taker']),
  /** the quote, level or print that made it */
  source: z.object({
    kind: z.enum(['quote', 'levels', 'trade', 'slippage', 'settlement']),
    venue: z.string(),
    mseq: z.int(),
    price: z.string(),
    size: z.string(),
    ts: z.int(),
    synthetic: z.string().optional(),
  }),
  /** `symbol@version`: the header cites that document by hash */
  instrument: z.string(),
  result: Booked.nullable(),
  fee: Booked.nullable(),
  spread_cost: z.string(),
  /** the position it changed */
  position_id: z.string(),
  aseq: z.int(),
  mseq: z.int(),
  at: Instant,
})
export type TradeResource = z.output<typeof TradeResource>

export const ViolationResource = z.object({
  id: z.string(),
  phase: z.int(),
  rule: z.string(),
  index: z.int(),
  effect: z.string(),
  value: z.string(),
  limit: z.string(),
  balance: z.string(),
  equity: z.string(),
  crossed: z.array(
    z.object({
      rule: z.string(),
      index: z.int(),
      metric: z.string(),
      value: z.string(),
      limit: z.string(),
      compare: z.string(),
    }),
  ),
  marks: z.array(z.object({ symbol: z.string(), mseq: z.int(), bid: z.string(), ask: z.string(), state: z.string() })),
  provisional: z.boolean(),
  /** the record that withdrew a provisional one */
  withdrawn_aseq: z.int().nullable(),
  aseq: z.int(),
  mseq: z.int(),
  at: Instant,
})
export type ViolationResource = z.output<typeof ViolationResource>

export const JournalItem = z.object({
  aseq: z.int(),
  kind: z.string(),
  /** SHA-256 of the canonical record and the hash before it */
  hash: z.string(),
  /** the hashed part, as it was written */
  record: z.record(z.string(), z.unknown()),
  /** not hashed: who asked and when, and what was signed */
  envelope: z
    .object({ at: Instant, request_id: z.string().nullable(), receipt: z.record(z.string(), z.unknown()).nullable() })
    .nullable(),
})
export type JournalItem = z.output<typeof JournalItem>

export const EquityPoint = z.object({ at: Instant, balance: z.string(), equity: z.string(), mseq: z.int() })
export const EquityHistory = z.object({
  phase: z.int(),
  currency: z.string(),
  resolution: z.string(),
  items: z.array(EquityPoint),
})
export type EquityHistory = z.output<typeof EquityHistory>
