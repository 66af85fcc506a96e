import { z } from 'zod'
import type { Speed } from '../replay/run-replay.ts'

export type FeedConfig =
  | { kind: 'live-sim' }
  | { kind: 'sim'; pace: Speed | 'lockstep'; startMts: number; tickMs: number; steps?: number; volatility: number }
  | {
      kind: 'replay'
      file: string
      pace: Speed | 'lockstep'
      symbol?: string
      columns?: string
      zone?: string
      candleTime?: 'open' | 'close'
    }

const SIM_START = Date.UTC(2025, 0, 6)
const LATER = ['binance', 'coinbase', 'kraken', 'polymarket', 'kalshi', 'mt5']

const Pace = z.union([
  z.enum(['max', 'lockstep']),
  z
    .string()
    .regex(/^\d+(\.\d+)?x?$/)
    .transform((text) => Number(text.replace('x', ''))),
])
const SimOptions = z.strictObject({
  speed: Pace,
  start: z.iso
    .datetime()
    .transform((text) => Date.parse(text))
    .default(SIM_START),
  tick: z.coerce.number().int().min(1).default(1000),
  steps: z.coerce.number().int().min(1).optional(),
  volatility: z.coerce.number().positive().default(1),
})
const ReplayOptions = z.strictObject({
  speed: Pace.default(1),
  symbol: z.string().optional(),
  columns: z.string().optional(),
  zone: z.string().optional(),
  'candle-time': z.enum(['open', 'close']).optional(),
})

/**
 * `sim` (the wall clock's), `sim?speed=…` (market time of its own) or `replay:<file>[?speed=1|Nx|max|lockstep&symbol=…
 * &columns=…&zone=…&candle-time=…]`. One group has one clock, so there is one feed here. Throws RangeError that says what is wrong.
 */
export function parseFeed(text: string): FeedConfig {
  const cut = text.lastIndexOf('?')
  const name = cut < 0 ? text : text.slice(0, cut)
  const said = Object.fromEntries(new URLSearchParams(cut < 0 ? '' : text.slice(cut + 1)))
  if (name === 'sim') {
    if (Object.keys(said).length === 0) return { kind: 'live-sim' }
    const { speed, start, tick, ...rest } = parse(SimOptions, said)
    return { kind: 'sim', pace: speed, startMts: start, tickMs: tick, ...rest }
  }
  if (name.startsWith('replay:')) {
    const { speed, 'candle-time': candleTime, ...rest } = parse(ReplayOptions, said)
    return {
      kind: 'replay',
      file: name.slice('replay:'.length),
      pace: speed,
      ...rest,
      ...(candleTime && { candleTime }),
    }
  }
  if (LATER.includes(name)) throw new RangeError(`${name} is not in this release: sim or replay:<file>`)
  throw new RangeError(`unknown feed ${text}: sim or replay:<file>`)
}
function parse<S extends z.ZodType>(schema: S, said: unknown): z.output<S> {
  const result = schema.safeParse(said)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw new RangeError(`${issue.path.join('.')}: ${issue.message}`)
}
