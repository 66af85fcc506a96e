import { type Bar, barStart, isResolution, type Resolution, resolutionMs } from '@assay/core/domain/candles/bar'
import type { CandleSeries } from '@assay/core/domain/candles/series'
import { fromPathSymbol } from '@assay/core/domain/instruments/symbol'
import type { ChannelEvent, ChannelSource } from '@assay/core/kernel/channel'
import type { Market } from '../products/market.ts'
import { candleResource } from '../products/resources.ts'
import { movesCandles } from '../symbols/market-symbol.ts'

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
  const newestSeq = (series: CandleSeries, resolution: Resolution): number => {
    const bar = series.at(resolution, market.view.mts)
    return bar ? seqOf(bar) : (barStart(market.view.mts, resolution) / 1000) * REVISIONS
  }
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
      return {
        seq: newestSeq(series, resolution),
        data: { symbol, resolution, basis, candle: bar && candleResource(bar) },
      }
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
      let newest = newestSeq(series, resolution)
      return market.listen(symbol, (event) => {
        if (!movesCandles(basis, event)) return
        const bar = series.at(resolution, event.ts)
        if (!bar) return
        const pushed = channelEvent(bar)
        // a late print corrects a candle behind the newest one: said beside the order of seq, which never falls
        if (pushed.seq <= newest) push({ ...pushed, seq: newest, kind: 'mark' })
        else push(pushed)
        newest = Math.max(newest, pushed.seq)
      })
    },
  }
}
