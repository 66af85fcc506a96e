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
  /** outcome contracts: shares x this x p x (1 - p), taker's */
  probability_rate?: string
}
/**
 * Overnight financing of an open position, booked at a local time each day; `triple`: the local week day (1 is Monday)
 * that books three. Where the weekend's nights are in the triple one, `days` leaves them out.
 */
export interface SwapSchedule {
  zone: string
  time: string
  /** what a position gains a night: price points (quote currency per unit) or bps of notional, per side; negative is paid */
  unit: 'points' | 'bps'
  long: string
  short: string
  triple: number | null
  /** local week days on which it is booked, 1 is Monday; absent: all */
  days?: number[]
}
/** Perpetuals: at every `every_hours` of the UTC day longs pay notional x rate to shorts; a `rate` event sets the rate of the coming ones. */
export interface FundingSchedule {
  every_hours: number
  rate: string
}
export interface Instrument {
  symbol: string
  version: number
  kind: 'spot' | 'fx' | 'perp' | 'outcome'
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
  /** ticks by which bid and ask are worsened for the trader, marks included */
  spread_markup_ticks: string
  /** name of its sessions calendar; null: always open */
  session_calendar: string | null
  /** what triggers stops: the touch (buys ask, sells bid) or the last trade */
  trigger_price: 'touch' | 'last'
  swap: SwapSchedule | null
  /** null: a `rate` event of funding books at once */
  funding: FundingSchedule | null
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
