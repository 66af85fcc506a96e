import { type Bar, barStart, isResolution, type Resolution, resolutionMs } from '@assay/core/domain/candles/bar'
import { fromPathSymbol } from '@assay/core/domain/instruments/symbol'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { isQuote } from '@assay/core/domain/proof/segment'
import type { ChannelEvent, ChannelSource } from '@assay/core/kernel/channel'
import type { Market } from '../products/market.ts'
import { candleResource } from '../products/resources.ts'

const RING_MS = 60_000
/** Open time in seconds and revision in one number that rises with both. */
const REVISIONS = 1_000_000
const seqOf = (bar: Bar): number => (bar.openTime / 1000) * REVISIONS + Math.min(bar.revision, REVISIONS - 1)
const openTimeOf = (seq: number): number => Math.floor(seq / REVISIONS) * 1000

function split(key: string): { symbol: string; resolution: Resolution } | null {
  const cut = key.lastIndexOf(':')
  const resolution = key.slice(cut + 1)
  return cut > 0 && isResolution(resolution) ? { symbol: fromPathSymbol(key.slice(0, cut)), resolution } : null
}

/** `candles:<symbol>:<resolution>` on the symbol's own basis: each candle as it stands, seq = open time and revision. */
export function candlesChannel(market: Market): ChannelSource {
  const of = (key: string) => {
    const { symbol, resolution } = split(key)!
    const { basis } = market.find(symbol)!
    return { symbol, resolution, basis, series: market.of(symbol)!.candles[basis] }
  }
  const channelEvent = (bar: Bar): ChannelEvent => ({
    seq: seqOf(bar),
    ts: bar.lastTs,
    kind: 'event',
    mseq: market.view.mseq,
    conflate: String(bar.openTime),
    data: candleResource(bar),
  })
  return {
    name: 'candles',
    parse(key) {
      const parts = split(key)
      return parts && market.find(parts.symbol) ? `${parts.symbol}:${parts.resolution}` : null
    },
    async authorize() {},
    async snapshot(_, key) {
      const { symbol, resolution, basis, series } = of(key)
      const bar = series.at(resolution, market.view.mts)
      const seq = bar ? seqOf(bar) : (barStart(market.view.mts, resolution) / 1000) * REVISIONS
      return { seq, data: { symbol, resolution, basis, candle: bar && candleResource(bar) } }
    },
    async since(key, after) {
      const { resolution, series } = of(key)
      const from = openTimeOf(after)
      const now = market.view.mts
      if (from > now || from + resolutionMs(resolution) + RING_MS < now) return null
      const bars = series.range(resolution, from, now + 1, 500)
      return bars.filter((bar) => bar.count > 0 && seqOf(bar) > after).map(channelEvent)
    },
    listen(key, push) {
      const { symbol, resolution, basis, series } = of(key)
      const counts = (event: MarketEvent) => (basis === 'trades' ? event.kind === 'trade' : isQuote(event))
      return market.listen(symbol, (event) => {
        if (!counts(event)) return
        const bar = series.at(resolution, event.ts)
        if (bar) push(channelEvent(bar))
      })
    },
  }
}
