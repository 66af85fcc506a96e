import { AssayError } from '@assay/core/contracts/errors'
import { fromPathSymbol } from '@assay/core/domain/instruments/symbol'
import type { MarketSymbol } from '../symbols/market-symbol.ts'
import type { Market } from './market.ts'

/** The symbol of a path (`BTC-USD`, `BTC%2FUSD`), or not_found with the nearest one. */
export function findSymbol(market: Market, text: string): MarketSymbol {
  const symbol = fromPathSymbol(text).toUpperCase()
  const found = market.find(symbol)
  if (found) return found
  const [base] = symbol.split('/')
  const nearest = market.listed.find(({ instrument }) => instrument.base === base)?.instrument.symbol
  throw new AssayError('not_found', `No symbol ${symbol} in this market.`, nearest ? { nearest } : {})
}
