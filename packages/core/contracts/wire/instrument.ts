import { z } from 'zod'
import { isZone } from '../../domain/time/zone.ts'
import { Decimal, Fraction, NotNegative, Positive } from './decimal.ts'

export const SymbolName = z.string().min(3).max(64)
const CurrencyCode = z.string().regex(/^[A-Z0-9]{2,15}$/, 'must be a currency code such as USD')
const CommissionFields = z.strictObject({
  bps: NotNegative.optional(),
  maker_bps: NotNegative.optional(),
  taker_bps: NotNegative.optional(),
  per_lot: NotNegative.optional(),
  probability_rate: NotNegative.optional(),
})
const SwapFields = z.strictObject({
  zone: z.string().refine(isZone, 'must be an IANA time zone such as Europe/Prague'),
  time: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a local time HH:MM'),
  unit: z.enum(['points', 'bps']),
  long: Decimal,
  short: Decimal,
  triple: z.int().min(1).max(7).nullable(),
  days: z.array(z.int().min(1).max(7)).min(1).max(7).optional(),
})
const FundingFields = z.strictObject({ every_hours: z.int().min(1).max(24), rate: Decimal })
const ConversionLegFields = z.strictObject({ symbol: SymbolName, direct: z.boolean(), peg: z.boolean().optional() })

const fields = {
  kind: z.enum(['spot', 'fx', 'perp', 'outcome']),
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
  spread_markup_ticks: NotNegative,
  session_calendar: z.string().min(1).max(64).nullable(),
  trigger_price: z.enum(['touch', 'last']),
  swap: SwapFields.nullable(),
  funding: FundingFields.nullable(),
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
