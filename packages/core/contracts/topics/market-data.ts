import { z } from 'zod'
import type { MarketEvent } from '../../domain/market/event.ts'
import { defineTopic, type Topic } from './topic.ts'

const Placed = { ts: z.int(), pos: z.int(), mseq: z.int().positive(), mts: z.int() }
const OfSymbol = { ...Placed, symbol: z.string(), venue: z.string() }
const Made = { synthetic: z.enum(['trades', 'candles']).optional() }
const Level = z.tuple([z.string(), z.string()]).readonly()
const Sizes = { bid_size: z.string().optional(), ask_size: z.string().optional() }

const Quote = z.object({ kind: z.literal('quote'), ...OfSymbol, ...Made, bid: z.string(), ask: z.string(), ...Sizes })
const Trade = z.object({
  kind: z.literal('trade'),
  ...OfSymbol,
  ...Made,
  price: z.string(),
  size: z.string(),
  side: z.enum(['buy', 'sell']),
  bid: z.string().optional(),
  ask: z.string().optional(),
  ...Sizes,
})
const Levels = z.object({ kind: z.literal('levels'), ...OfSymbol, ...Made, bids: z.array(Level), asks: z.array(Level) })
const State = z.object({
  kind: z.literal('symbol_state'),
  ...OfSymbol,
  state: z.enum(['open', 'closed', 'halted', 'unknown', 'settled']),
  reason: z.string().optional(),
  price: z.string().optional(),
})
const Rate = z.object({
  kind: z.literal('rate'),
  ...OfSymbol,
  what: z.enum(['funding', 'swap']),
  rate: z.string().optional(),
  long: z.string().optional(),
  short: z.string().optional(),
})
const Source = z.object({ kind: z.literal('source_changed'), ...OfSymbol, from: z.string(), reason: z.string() })
const Gap = z.object({ kind: z.literal('gap'), ...Placed, symbols: z.array(z.string()).nullable(), reason: z.string() })
const Clock = z.object({ kind: z.literal('clock'), ...Placed })
const Timeline = z.object({ kind: z.literal('timeline'), ...Placed, timeline: z.string(), reason: z.string() })

const Tick = z.discriminatedUnion('kind', [Quote, Trade, Levels, State, Rate, Source])
export type TickEvent = z.infer<typeof Tick>
const Sequenced: z.ZodType<MarketEvent> = z.discriminatedUnion('kind', [
  Quote,
  Trade,
  Levels,
  State,
  Rate,
  Source,
  Gap,
  Clock,
  Timeline,
])

const market = { producer: 'market-data', key: 'symbol', retentionDays: 7, durable: false } as const

/** Market groups by their partition of the market log: the list only ever grows at its end. */
export const MARKET_GROUPS: readonly string[] = ['main']

/** Its adapters are those of the marketlog port, not of the bus. */
export const marketSequenced = defineTopic({
  ...market,
  name: 'market-data.sequenced',
  summary: 'The market log: one partition per group, what everything else is derived from.',
  schema: Sequenced,
  key: 'group',
  partitions: MARKET_GROUPS.length,
})

const ticks = (family: string, what: string): Topic<TickEvent> =>
  defineTopic<TickEvent>({
    ...market,
    name: `market-data.${family}-ticks`,
    summary: `Events of ${what}, read from the market log.`,
    schema: Tick,
  })
export const TICKS = {
  btc: ticks('btc', 'BTC'),
  eth: ticks('eth', 'ETH'),
  sol: ticks('sol', 'SOL'),
  fx: ticks('fx', 'currency pairs'),
  polymarket: ticks('polymarket', 'Polymarket outcomes'),
  kalshi: ticks('kalshi', 'Kalshi outcomes'),
  other: ticks('other', 'every other symbol'),
}
const FIAT = new Set(['USD', 'EUR', 'GBP', 'CHF', 'AUD', 'CAD', 'JPY'])
const OWN_TOPIC: Readonly<Record<string, Topic<TickEvent>>> = { BTC: TICKS.btc, ETH: TICKS.eth, SOL: TICKS.sol }

/** The topic that a symbol's events go to: by venue for outcomes, by base for the rest. */
export function ticksTopic(symbol: string, venue: string): Topic<TickEvent> {
  if (venue === 'polymarket' || venue === 'kalshi') return TICKS[venue]
  const [base = '', quote = ''] = symbol.split(/[/:]/)
  if (FIAT.has(base) && FIAT.has(quote)) return TICKS.fx
  return OWN_TOPIC[base] ?? TICKS.other
}

export const candleChanged = defineTopic({
  ...market,
  name: 'market-data.candles',
  summary:
    "A candle that has ended, on its symbol's own basis; again under a higher `revision` when a late print corrects it.",
  schema: z.object({
    symbol: z.string(),
    resolution: z.string(),
    open_time: z.int(),
    revision: z.int().nonnegative(),
    closed: z.boolean(),
    open: z.string(),
    high: z.string(),
    low: z.string(),
    close: z.string(),
    volume: z.string(),
    mseq: z.int().positive(),
  }),
})
export const tickQuarantined = defineTopic({
  ...market,
  durable: true,
  name: 'market-data.quarantine',
  summary: 'What quality refused, and why.',
  schema: z.object({
    symbol: z.string(),
    venue: z.string(),
    ts: z.int(),
    pos: z.int(),
    reason: z.string(),
    tick: z.json(),
  }),
})
export const sourceChanged = defineTopic({
  ...market,
  name: 'market-data.source-changed',
  summary: "A symbol's price source failed over.",
  schema: z.object({
    symbol: z.string(),
    from: z.string(),
    to: z.string(),
    reason: z.string(),
    mseq: z.int().positive(),
    mts: z.int(),
  }),
})
