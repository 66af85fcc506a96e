/**
 * An instrument: a versioned document, cited by its content hash. All numbers are plain decimal strings; money
 * is in the quote currency unless said otherwise.
 */
export interface ConversionLeg {
  /** symbol whose quote converts */
  symbol: string
  /** true: the symbol is FROM/TO, credits multiply by bid, debits by ask; false: TO/FROM, credits divide by ask, debits by bid */
  direct: boolean
  /** a configured peg (USDT = USD): rate 1 with no quote needed */
  peg?: boolean
}
export interface Commission {
  /** basis points of notional, both sides unless maker_bps / taker_bps are there */
  bps?: string
  maker_bps?: string
  taker_bps?: string
  /** quote currency per lot of `contract_size` x 1 quantity */
  per_lot?: string
}
export interface Instrument {
  symbol: string
  version: number
  kind: 'spot' | 'fx' | 'perp'
  base: string
  quote: string
  contract_size: string
  price_tick: string
  quantity_step: string
  min_quantity: string
  max_quantity: string
  min_notional: string
  /** initial margin as a fraction of notional; the account's leverage may ask for more: max(margin_rate, 1 / leverage) */
  margin_rate: string
  commission: Commission
  slippage_bps: string
  /** slippage beyond the visible depth is at most this many bps */
  cap_bps: string
  /** size of a quote that carries none */
  clip: string
  /** ms without an event after which the market is stale; null: only a lost feed makes it so */
  stale_limit_ms: number | null
  /** spread of quotes made from candles, in price ticks */
  candle_spread_ticks: string
  /** account currency -> path of at most two legs from the quote currency; [] when they are the same */
  conversions: Record<string, ConversionLeg[]>
  sources: string[]
}
