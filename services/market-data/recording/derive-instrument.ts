import type { Instrument } from '@assay/core/domain/instruments/instrument'
import { completeInstrument, withConversions } from '@assay/core/domain/instruments/resolve'
import { parseSymbol } from '@assay/core/domain/instruments/symbol'
import type { SymbolScan } from './scan-recording.ts'
import { isFiat } from './symbol-name.ts'

/** The instrument of a recorded symbol: tick and step are the finest seen, the rest is the default of its kind. */
export function deriveInstrument(scan: SymbolScan): Instrument {
  const parts = parseSymbol(scan.symbol)
  if (!parts) throw new RangeError(`${scan.symbol} is not a pair`)
  const fx = isFiat(parts.base) && isFiat(parts.quote)
  const { instrument } = completeInstrument({
    symbol: scan.symbol,
    kind: parts.settle ? 'perp' : fx ? 'fx' : 'spot',
    price_tick: scan.priceTick,
    quantity_step: scan.quantityStep ?? (fx ? '1' : '0.00000001'),
    stale_limit_ms: null,
    sources: ['replay'],
  })
  return withConversions([instrument])[0]!
}
