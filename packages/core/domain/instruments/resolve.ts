import { conversionsOf, type Pair } from './conversion.ts'
import type { Instrument } from './instrument.ts'
import { parseSymbol } from './symbol.ts'

/** What a tier or a derived recording says of an instrument; what it leaves out is the catalogue's or a default. */
export type InstrumentOverride = { symbol: string } & Partial<Omit<Instrument, 'symbol' | 'version'>>

/** What an instrument has when nobody says otherwise; fees are those of an ordinary taker. */
const DEFAULTS = {
  contract_size: '1',
  price_tick: '0.00001',
  quantity_step: '0.00000001',
  min_notional: '0',
  max_quantity: '1000000000',
  margin_rate: '0.01',
  commission: { bps: '4' },
  slippage_bps: '1',
  cap_bps: '10',
  clip: '1000000',
  stale_limit_ms: null,
  candle_spread_ticks: '1',
  spread_markup_ticks: '0',
  session_calendar: null,
  trigger_price: 'touch',
  swap: null,
  funding: null,
} satisfies Partial<Instrument>

const saidOnly = (said: InstrumentOverride): Partial<Instrument> =>
  Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))

export interface Completed {
  instrument: Instrument
  /** the fields that were left out and have a default */
  defaults: string[]
}

/** A whole instrument from what is said of it; RangeError when the symbol's name gives no base and quote and the document neither. */
export function completeInstrument(said: InstrumentOverride): Completed {
  const parts = parseSymbol(said.symbol)
  const base = said.base ?? parts?.base
  const quote = said.quote ?? parts?.quote
  if (!base || !quote) throw new RangeError(`${said.symbol}: say base and quote, the name does not`)
  const given = saidOnly(said)
  const step = said.quantity_step ?? DEFAULTS.quantity_step
  const filled: Omit<Instrument, 'symbol'> = {
    ...DEFAULTS,
    kind: parts?.settle ? ('perp' as const) : ('spot' as const),
    base,
    quote,
    min_quantity: step,
    sources: [] as string[],
    conversions: {},
    version: 1,
  }
  const defaults = Object.keys(DEFAULTS).filter((field) => !(field in given))
  if (said.min_quantity === undefined) defaults.push('min_quantity')
  if (said.kind === undefined) defaults.push('kind')
  return { instrument: { ...filled, ...given, symbol: said.symbol }, defaults }
}

export interface Resolved {
  /** by symbol, ascending; conversions over all of them */
  instruments: Instrument[]
  /** `TST/USD.clip`: what was neither said nor in the catalogue */
  defaults: string[]
}

/** The catalogue with a tier's overrides and inline definitions merged in; paths that a document names itself stay. */
export function resolveInstruments(
  catalogue: readonly Instrument[],
  overrides: readonly InstrumentOverride[],
): Resolved {
  const bySymbol = new Map(catalogue.map((instrument) => [instrument.symbol, instrument]))
  const defaults: string[] = []
  const named = new Set(overrides.filter((said) => said.conversions).map((said) => said.symbol))
  for (const said of overrides) {
    const known = bySymbol.get(said.symbol)
    if (known) {
      bySymbol.set(said.symbol, { ...known, ...saidOnly(said) })
      continue
    }
    const completed = completeInstrument(said)
    bySymbol.set(said.symbol, completed.instrument)
    defaults.push(...completed.defaults.map((field) => `${said.symbol}.${field}`))
  }
  const sorted = [...bySymbol.values()].sort((a, b) => (a.symbol < b.symbol ? -1 : 1))
  return { instruments: withConversions(sorted, named), defaults }
}

/** Every instrument with its paths to the account currencies, over the spot and fx pairs among them. */
export function withConversions(
  instruments: readonly Instrument[],
  keep: ReadonlySet<string> = new Set(),
): Instrument[] {
  const pairs: Pair[] = instruments
    .filter((i) => i.kind === 'spot' || i.kind === 'fx')
    .map(({ symbol, base, quote }) => ({ symbol, base, quote }))
  return instruments.map((instrument) =>
    keep.has(instrument.symbol) ? instrument : { ...instrument, conversions: conversionsOf(instrument.quote, pairs) },
  )
}
