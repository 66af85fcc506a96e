import type { ConversionLeg, Instrument } from '../instruments/instrument.ts'
import { sha256Hex } from '../journal/hash.ts'
import { ledgerScale } from '../money/currency.ts'
import { type Dec, dec, gte, mul, ONE, ofInt } from '../money/dec.ts'
import { type Zone, zoneOf } from '../time/zone.ts'
import { type AccountSpec, ENGINE_VERSION } from './types.ts'

/** An instrument with its numbers parsed, as one account trades it. */
export interface Market {
  doc: Instrument
  symbol: string
  contract: Dec
  tick: Dec
  step: Dec
  minQuantity: Dec
  maxQuantity: Dec
  minNotional: Dec
  makerBps: Dec
  takerBps: Dec
  perLot: Dec
  /** outcome contracts: a taker pays shares x this x p x (1 - p) */
  probabilityRate: Dec
  slippageBps: Dec
  capBps: Dec
  clip: Dec
  /** what this account's bid is lower and its ask higher by than the source's */
  markup: Dec
  staleLimitMs: number | null
  /** quote currency -> account currency; null: no path, so not tradable here */
  path: readonly ConversionLeg[] | null
  /** margin = notional x rate, or notional / leverage: the larger */
  marginRate: Dec | null
}
export interface Compiled {
  spec: AccountSpec
  scale: number
  initial: Dec
  leverage: Dec
  zone: Zone
  resetMinutes: number
  markets: ReadonlyMap<string, Market>
  /** SHA-256 of a text, hex: portable, or the runtime's own */
  hash: (text: string) => string
}

function marketOf(doc: Instrument, spec: AccountSpec, leverage: Dec): Market {
  const bps = doc.commission.bps ?? '0'
  const path = doc.quote === spec.currency ? [] : (doc.conversions[spec.currency] ?? null)
  return {
    doc,
    symbol: doc.symbol,
    contract: doc.contract_size === '1' ? ONE : dec(doc.contract_size),
    tick: dec(doc.price_tick),
    step: dec(doc.quantity_step),
    minQuantity: dec(doc.min_quantity),
    maxQuantity: dec(doc.max_quantity),
    minNotional: dec(doc.min_notional),
    makerBps: dec(doc.commission.maker_bps ?? bps),
    takerBps: dec(doc.commission.taker_bps ?? bps),
    perLot: dec(doc.commission.per_lot ?? '0'),
    probabilityRate: dec(doc.commission.probability_rate ?? '0'),
    slippageBps: dec(doc.slippage_bps),
    capBps: dec(doc.cap_bps),
    clip: dec(doc.clip),
    markup: mul(dec(doc.spread_markup_ticks), dec(doc.price_tick)),
    staleLimitMs: doc.stale_limit_ms,
    path,
    marginRate: gte(mul(dec(doc.margin_rate), leverage), ofInt(1)) ? dec(doc.margin_rate) : null,
  }
}

/** Parses what decides an account, once. Throws RangeError for a value that is not legal. */
export function compileSpec(spec: AccountSpec, hash: (text: string) => string = sha256Hex): Compiled {
  if (spec.engine !== ENGINE_VERSION) throw new RangeError(`unknown engine version ${spec.engine}`)
  const [hours, minutes] = spec.reset_time.split(':').map(Number)
  const leverage = dec(spec.leverage)
  return {
    spec,
    scale: ledgerScale(spec.currency),
    initial: dec(spec.initial_balance),
    leverage,
    zone: spec.zone ?? zoneOf(spec.reset_zone),
    resetMinutes: hours! * 60 + minutes!,
    markets: new Map(spec.instruments.map((doc) => [doc.symbol, marketOf(doc, spec, leverage)])),
    hash,
  }
}
