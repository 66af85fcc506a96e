import { fromPathSymbol } from '@assay/core/domain/instruments/symbol'
import type { MarketEvent } from '@assay/core/domain/market/event'
import type { ChannelEvent, ChannelSource } from '@assay/core/kernel/channel'
import type { Market } from '../products/market.ts'
import { tickerResource } from '../products/resources.ts'

/** Quotes, levels and prints may give way to their successors; states and gaps never do. */
const CONFLATED = new Set<string>(['quote', 'levels', 'trade'])

const channelEvent = (event: MarketEvent): ChannelEvent => ({
  seq: event.mseq,
  ts: event.ts,
  kind: 'event',
  mseq: event.mseq,
  ...(CONFLATED.has(event.kind) && { conflate: event.kind }),
  data: event,
})

/** `ticks:<symbol>`: every event of a symbol, seq = mseq, from a ring of the last minute. */
export const ticksChannel = (market: Market): ChannelSource => ({
  name: 'ticks',
  parse(key) {
    const symbol = fromPathSymbol(key)
    return market.find(symbol) ? symbol : null
  },
  async authorize() {},
  async snapshot(_, key) {
    return { seq: market.view.mseq, data: tickerResource(market, market.find(key)!) }
  },
  async since(key, after) {
    const { ring, lost } = market.of(key)!
    if (after < lost || after > market.view.mseq) return null
    return ring.filter(({ event }) => event.mseq > after).map(({ event }) => channelEvent(event))
  },
  listen: (key, push) => market.listen(key, (event) => push(channelEvent(event))),
})
