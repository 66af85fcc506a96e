import type { MarketEvent } from '@assay/core/domain/market/event'
import type { Bus } from '@assay/core/ports/bus/port'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Db } from '@assay/core/ports/db/port'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import type { Market } from '../products/market.ts'
import { type Lease, takeLease } from '../sequencer/lease.ts'
import { publishCandles } from './publish-candles.ts'
import { publishTicks } from './publish-ticks.ts'

const RENEW_MS = 1000
const SILENT_MS = 4000

export interface WriteTopicsOptions {
  db: Db
  market: Market
  marketlog: MarketLog
  bus: Bus
  clock: Clock
  log: { warn(fields: object, message: string): void }
  group: string
  holder: string
  /** beside the topics, one process at a time */
  also?: (signal: AbortSignal) => Promise<void>
}

/**
 * Writes the group's topics while this process holds their lease; the next holder goes on where this one stood. What is
 * published again after a loss carries the ids that it had.
 */
export async function writeTopics(options: WriteTopicsOptions, signal: AbortSignal): Promise<void> {
  const { db, clock, log, group, holder } = options
  while (!signal.aborted) {
    try {
      const lease = await takeLease({ db, group: `${group} topics`, holder, above: 0, alone: db.kind === 'pglite' })
      if (lease) await write(options, lease, signal)
    } catch (err) {
      if (signal.aborted) return
      log.warn({ err, group }, 'market topics: not written now')
    }
    await clock.sleep(RENEW_MS, signal).catch(() => {})
  }
}

async function write(options: WriteTopicsOptions, lease: Lease, signal: AbortSignal): Promise<void> {
  const { market, marketlog, bus, group, also } = options
  const start = await startOf(options, lease)
  const lost = new AbortController()
  const stop = AbortSignal.any([signal, lost.signal])
  const published = new Map(['ticks', 'candles'].map((topic) => [topic, start.from - 1]))
  const position = () => Math.min(...published.values())
  const onPublished = (topic: string) => (mseq: number) => void published.set(topic, mseq)
  const topics = { market, marketlog, bus, group, ...start }
  const work = Promise.all([
    publishTicks({ ...topics, onPublished: onPublished('ticks') }, stop),
    publishCandles({ ...topics, onPublished: onPublished('candles') }, stop),
    also?.(stop),
  ])
  try {
    await Promise.race([work, renewed(options, { lease, position }, stop)])
  } finally {
    lost.abort()
    await work.catch(() => {})
    await lease.release(position()).catch(() => {})
  }
}
/** Where the holder before stood; without one at the end of the log. */
async function startOf({ marketlog, group }: WriteTopicsOptions, { position }: Lease) {
  const end = await marketlog.end(group)
  if (position === null || end === null || position >= end.mseq)
    return { from: (end?.mseq ?? 0) + 1, mts: end?.mts ?? Number.NEGATIVE_INFINITY }
  // its event tells the time from which candles were open; where the log has lost it, what is left is all that is new
  const first = await firstFrom(marketlog, group, Math.max(1, position))
  return first.mseq === position ? { from: position + 1, mts: first.mts } : { from: first.mseq, mts: first.mts }
}
async function firstFrom(marketlog: MarketLog, group: string, mseq: number): Promise<MarketEvent> {
  const stop = new AbortController()
  try {
    for await (const events of marketlog.read(group, mseq, stop.signal)) if (events[0]) return events[0]
    throw new Error(`the market log of ${group} ended`)
  } finally {
    stop.abort()
  }
}
/** Ends when the lease is lost, or has not been renewed for long by this process's own clock. */
async function renewed(
  { clock }: WriteTopicsOptions,
  { lease, position }: { lease: Lease; position: () => number },
  signal: AbortSignal,
): Promise<void> {
  let renewedAt = clock.monotonic()
  while (!signal.aborted) {
    await clock.sleep(RENEW_MS, signal).catch(() => {})
    if (signal.aborted) return
    const at = clock.monotonic()
    const held = await lease.renew(position()).catch(() => null)
    if (held === false) return
    if (held) renewedAt = at
    else if (clock.monotonic() - renewedAt >= SILENT_MS) return
  }
}
