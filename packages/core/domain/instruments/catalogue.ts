import type { Instrument } from './instrument.ts'
import { completeInstrument, type InstrumentOverride, withConversions } from './resolve.ts'

const fx = (symbol: string, price_tick: string): InstrumentOverride => ({
  symbol,
  kind: 'fx',
  price_tick,
  quantity_step: '1',
  min_quantity: '1',
  max_quantity: '50000000',
  margin_rate: '0.01',
  commission: { bps: '0.2' },
  slippage_bps: '0.5',
  cap_bps: '5',
  clip: '1000000',
  sources: ['sim'],
})

const crypto = (
  symbol: string,
  price_tick: string,
  quantity_step: string,
  max_quantity: string,
  clip: string,
): InstrumentOverride => ({
  symbol,
  kind: 'spot',
  price_tick,
  quantity_step,
  min_quantity: quantity_step,
  max_quantity,
  min_notional: '1',
  margin_rate: '0.1',
  commission: { maker_bps: '2', taker_bps: '4' },
  slippage_bps: '2',
  cap_bps: '20',
  clip,
  sources: ['sim'],
})

/**
 * An outcome contract by what all of them share: priced in [0, 1], traded in hundredths of a share, paid in full,
 * settled to 0 or 1; a taker pays shares x `probability_rate` x p x (1 - p).
 */
export const outcomeContract = (
  symbol: string,
  quote: string,
  { price_tick = '0.01', probability_rate = '0' }: { price_tick?: string; probability_rate?: string } = {},
): InstrumentOverride => ({
  symbol,
  kind: 'outcome',
  base: 'SHARE',
  quote,
  price_tick,
  quantity_step: '0.01',
  min_quantity: '0.01',
  max_quantity: '10000000',
  margin_rate: '1',
  commission: { probability_rate },
  slippage_bps: '0',
  cap_bps: '0',
  clip: '1000',
})

/**
 * The instruments of the platform. Quantities are in base units (contract size 1). `stale_limit_ms` is null
 * throughout: only a lost feed makes a market stale. USD/CHF, AUD/USD and USD/CAD carry the conversion into the
 * account currencies of the table that no other pair reaches. None has a session calendar, swap or funding: their times
 * and rates are a broker's own and come with a tier, a calendar in force or the market's `rate` events.
 */
export const CATALOGUE: readonly Instrument[] = withConversions(
  [
    fx('AUD/USD', '0.00001'),
    crypto('BTC/USD', '0.01', '0.00001', '200', '2'),
    crypto('ETH/USD', '0.01', '0.0001', '4000', '30'),
    fx('EUR/JPY', '0.001'),
    fx('EUR/USD', '0.00001'),
    fx('GBP/USD', '0.00001'),
    crypto('SOL/USD', '0.001', '0.001', '100000', '500'),
    fx('USD/CAD', '0.00001'),
    fx('USD/CHF', '0.00001'),
    fx('USD/JPY', '0.001'),
    crypto('XRP/USD', '0.0001', '0.1', '5000000', '20000'),
  ].map(
    (said) =>
      completeInstrument({ stale_limit_ms: null, candle_spread_ticks: '1', contract_size: '1', ...said }).instrument,
  ),
)
