import { z } from 'zod'
import { Fraction, NotNegative, Positive } from './decimal.ts'

export const SymbolName = z.string().min(3).max(64)
const CurrencyCode = z.string().regex(/^[A-Z0-9]{2,15}$/, 'must be a currency code such as USD')
const CommissionFields = z.strictObject({
  bps: NotNegative.optional(),
  maker_bps: NotNegative.optional(),
  taker_bps: NotNegative.optional(),
  per_lot: NotNegative.optional(),
})
const ConversionLegFields = z.strictObject({ symbol: SymbolName, direct: z.boolean(), peg: z.boolean().optional() })

const fields = {
  kind: z.enum(['spot', 'fx', 'perp']),
  base: CurrencyCode,
  quote: CurrencyCode,
  contract_size: Positive,
  price_tick: Positive,
  quantity_step: Positive,
  min_quantity: Positive,
  max_quantity: Positive,
  min_notional: NotNegative,
  margin_rate: Fraction,
  commission: CommissionFields,
  slippage_bps: NotNegative,
  cap_bps: NotNegative,
  clip: Positive,
  stale_limit_ms: z.int().positive().nullable(),
  candle_spread_ticks: Positive,
  conversions: z.record(CurrencyCode, z.array(ConversionLegFields).max(2)),
  sources: z.array(z.string()),
}

/** A whole instrument document (domain/instruments/instrument.ts says what each field means). */
export const InstrumentDocument = z.strictObject({ symbol: SymbolName, version: z.int().positive(), ...fields })
/** As served: the document and its content hash. */
export const InstrumentResource = InstrumentDocument.extend({ hash: z.string() })
/** In a tier: a symbol of the catalogue with what differs, or an instrument that the catalogue lacks. */
export const InstrumentOverrideDocument = z
  .strictObject({ symbol: SymbolName, ...fields })
  .partial()
  .required({ symbol: true })
