import { PageQuery, pageOf } from '@assay/core/contracts/wire/page'
import { RESOLUTIONS, type Resolution } from '@assay/core/domain/candles/bar'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { findSymbol } from '../products/find-symbol.ts'
import { listCandles } from '../products/list-candles.ts'
import { listSymbols } from '../products/list-symbols.ts'
import { listTrades } from '../products/list-trades.ts'
import type { Market } from '../products/market.ts'
import { CandleResource, SymbolResource, TickerResource, TradeResource, tickerResource } from '../products/resources.ts'
import { BASES } from '../symbols/market-symbol.ts'

const tags = ['market']
const ofSymbol = z.object({ symbol: z.string().min(1).max(64) })
const Resolutions = z.enum(Object.keys(RESOLUTIONS) as [Resolution, ...Resolution[]])
/** ISO 8601 with a zone, or milliseconds. */
const Moment = z.union([
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
])
const CandlesQuery = PageQuery.extend({
  resolution: Resolutions.default('1m'),
  basis: z.enum(BASES).optional(),
  from: Moment.optional(),
  to: Moment.optional(),
})
const CandlePage = pageOf(CandleResource).extend({ symbol: z.string(), resolution: Resolutions, basis: z.enum(BASES) })

/** Market data is public. */
export const marketRoutes = (market: Market) =>
  new Elysia({ name: 'market-data.market' })
    .use(withCtx)
    .get('/api/market/symbols', ({ query }) => listSymbols(market, query), {
      mapResponse: etag,
      query: PageQuery.extend({ venue: z.string().optional() }),
      response: { 200: pageOf(SymbolResource) },
      detail: {
        operationId: 'listMarketSymbols',
        tags,
        summary: 'Symbols of the feeds, with their instruments and freshness',
      },
    })
    .get('/api/market/ticker/:symbol', ({ params }) => tickerResource(market, findSymbol(market, params.symbol)), {
      params: ofSymbol,
      response: { 200: TickerResource },
      detail: {
        operationId: 'getTicker',
        tags,
        summary: 'Newest quote and print, 24 hours behind them; BTC-USD is BTC/USD',
      },
    })
    .get('/api/market/candles/:symbol', ({ params, query }) => listCandles(market, params.symbol, query), {
      mapResponse: etag,
      params: ofSymbol,
      query: CandlesQuery,
      response: { 200: CandlePage },
      detail: {
        operationId: 'listCandles',
        tags,
        summary: 'Candles, ascending and gap-free; a filled one has count 0',
      },
    })
    .get('/api/market/trades/:symbol', ({ params, query }) => listTrades(market, params.symbol, query), {
      mapResponse: etag,
      params: ofSymbol,
      query: PageQuery,
      response: { 200: pageOf(TradeResource) },
      detail: { operationId: 'listPrints', tags, summary: 'Prints, newest first' },
    })
