import { CATALOGUE } from '@assay/core/domain/instruments/catalogue'
import type { Instrument } from '@assay/core/domain/instruments/instrument'
import { resolveInstruments } from '@assay/core/domain/instruments/resolve'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { isQuote } from '@assay/core/domain/proof/segment'
import { deriveInstrument } from '../recording/derive-instrument.ts'
import type { Scan } from '../recording/scan-recording.ts'

/** What candles are made of; fx uses bid. */
export type Basis = 'trades' | 'bid' | 'mid'
export const BASES = ['trades', 'bid', 'mid'] as const

/** A symbol of this feed. */
export interface MarketSymbol {
  instrument: Instrument
  venue: string
  basis: Basis
}

export const movesCandles = (basis: Basis, event: MarketEvent): boolean =>
  basis === 'trades' ? event.kind === 'trade' : isQuote(event)

export const simSymbols = (): MarketSymbol[] =>
  CATALOGUE.map((instrument) => ({ instrument, venue: 'sim', basis: instrument.kind === 'fx' ? 'bid' : 'trades' }))

/** The recorded symbols: tick and step as recorded, what else the catalogue knows of them stays. */
export function recordedSymbols(scan: Scan): MarketSymbol[] {
  const derived = scan.symbols.map(deriveInstrument)
  const overrides = derived.map((instrument) => {
    const known = CATALOGUE.some((i) => i.symbol === instrument.symbol)
    const {
      symbol,
      price_tick,
      quantity_step,
      min_quantity,
      sources,
      conversions: _,
      version: __,
      ...rest
    } = instrument
    return known
      ? { symbol, price_tick, quantity_step, min_quantity, sources }
      : { symbol, price_tick, quantity_step, min_quantity, sources, ...rest }
  })
  // conversions run over what is fed, so only the recorded symbols may carry them
  const only = new Set(derived.map((i) => i.symbol))
  const { instruments } = resolveInstruments(
    CATALOGUE.filter((i) => only.has(i.symbol)),
    overrides,
  )
  return instruments.map((instrument) => ({
    instrument,
    venue: 'replay',
    basis: scan.kind === 'trade' && instrument.kind !== 'fx' ? 'trades' : 'bid',
  }))
}
