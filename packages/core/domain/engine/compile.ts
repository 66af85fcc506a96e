import { minutesOf } from '../calendars/local-time.ts'
import { compileSessions, type Sessions } from '../calendars/sessions.ts'
import type { ConversionLeg, Instrument } from '../instruments/instrument.ts'
import { sha256Hex } from '../journal/hash.ts'
import { ledgerScale } from '../money/currency.ts'
import { cmp, type Dec, dec, gte, mul, ONE, ofInt, ZERO } from '../money/dec.ts'
import { requireSoundPhases } from '../rules/check-phases.ts'
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
  slippageBps: Dec
  capBps: Dec
  clip: Dec
  staleLimitMs: number | null
  /** quote currency -> account currency; null: no path, so not tradable here */
  path: readonly ConversionLeg[] | null
  /** margin = notional x rate, or notional / leverage: the larger; an outcome contract is paid in full */
  marginRate: Dec | null
  /** outcome contracts: priced in [0, 1], a short one is worth 1 - price */
  isOutcome: boolean
  /** taker's fee of an outcome contract: shares x this x p x (1 - p) */
  probabilityRate: Dec
  /** price by which bid and ask are worse for this account than the market's */
  markup: Dec
  /** null: always open */
  sessions: Sessions | null
  swap: Swap | null
  funding: Funding | null
}
export interface Swap {
  zone: Zone
  minutes: number
  unit: 'points' | 'bps'
  long: string
  short: string
  /** week day that books three, 1 is Monday */
  triple: number | null
  /** week days that book, 1 is Monday; null: all */
  days: readonly number[] | null
}
export interface Funding {
  everyMs: number
  rate: string
}
export interface Compiled {
  spec: AccountSpec
  scale: number
  initial: Dec
  leverage: Dec
  /** positions are closed while equity < this x used margin; null: never */
  stopOut: Dec | null
  hedging: boolean
  /** fractions of an allowance at whose use an early warning is written, ascending */
  warnings: readonly Dec[]
  zone: Zone
  /** a zone as pinned at creation, else as in today's table; RangeError for an unknown one */
  zoneNamed: (name: string) => Zone
  resetMinutes: number
  markets: ReadonlyMap<string, Market>
  /** SHA-256 of a text, hex: portable, or the runtime's own */
  hash: (text: string) => string
}

type Calendars = Pick<AccountSpec, 'calendars'>
type Zones = Compiled['zoneNamed']

/** RangeError that names the field: calendar not there, not sound. */
function sessionsOf(doc: Instrument, { calendars }: Calendars, zoneNamed: Zones): Sessions | null {
  if (doc.session_calendar === null) return null
  const calendar = calendars.find((c) => c.kind === 'sessions' && c.name === doc.session_calendar)
  if (calendar?.kind !== 'sessions')
    throw new RangeError(`${doc.symbol}: session_calendar: there is no sessions calendar ${doc.session_calendar}`)
  const holidays = calendars.find((c) => c.kind === 'holidays' && c.name === calendar.holidays) ?? null
  if (calendar.holidays !== null && holidays?.kind !== 'holidays')
    throw new RangeError(`calendar ${calendar.name}: holidays: there is no holidays calendar ${calendar.holidays}`)
  return compileSessions(calendar, holidays?.kind === 'holidays' ? holidays : null, zoneNamed)
}

function swapOf({ symbol, swap }: Instrument, zoneNamed: Zones): Swap | null {
  if (swap === null) return null
  const minutes = minutesOf(swap.time)
  if (minutes === null) throw new RangeError(`${symbol}: swap.time: must be HH:MM`)
  if (swap.days && !swap.days.some((day) => day >= 1 && day <= 7))
    throw new RangeError(`${symbol}: swap.days: must name week days, 1 (Monday) to 7`)
  return { ...swap, zone: zoneNamed(swap.zone), minutes, days: swap.days ?? null }
}
const HOUR_MS = 3_600_000
function fundingOf({ symbol, funding }: Instrument): Funding | null {
  if (funding === null) return null
  if (!Number.isInteger(funding.every_hours) || funding.every_hours < 1 || funding.every_hours > 24)
    throw new RangeError(`${symbol}: funding.every_hours: must be 1 to 24`)
  return { everyMs: funding.every_hours * HOUR_MS, rate: funding.rate }
}
/** What asks for more than the leverage does; null: the leverage does. */
function marginRateOf(doc: Instrument, leverage: Dec): Dec | null {
  if (doc.kind === 'outcome') return ONE
  return gte(mul(dec(doc.margin_rate), leverage), ofInt(1)) ? dec(doc.margin_rate) : null
}

function marketOf(doc: Instrument, spec: AccountSpec, leverage: Dec, zoneNamed: Zones): Market {
  const bps = doc.commission.bps ?? '0'
  const path = doc.quote === spec.currency ? [] : (doc.conversions[spec.currency] ?? null)
  const markup = mul(dec(doc.spread_markup_ticks), dec(doc.price_tick))
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
    slippageBps: dec(doc.slippage_bps),
    capBps: dec(doc.cap_bps),
    clip: dec(doc.clip),
    staleLimitMs: doc.stale_limit_ms,
    path,
    marginRate: marginRateOf(doc, leverage),
    isOutcome: doc.kind === 'outcome',
    probabilityRate: dec(doc.commission.probability_rate ?? '0'),
    markup: markup.n === 0n ? ZERO : markup,
    sessions: sessionsOf(doc, spec, zoneNamed),
    swap: swapOf(doc, zoneNamed),
    funding: fundingOf(doc),
  }
}

/** Parses what decides an account, once. Throws RangeError for a value that is not legal. */
export function compileSpec(spec: AccountSpec, hash: (text: string) => string = sha256Hex): Compiled {
  if (spec.engine !== ENGINE_VERSION) throw new RangeError(`unknown engine version ${spec.engine}`)
  const [hours, minutes] = spec.reset_time.split(':').map(Number)
  const leverage = dec(spec.leverage)
  const pinned = new Map([...(spec.zones ?? []), ...(spec.zone ? [spec.zone] : [])].map((zone) => [zone.name, zone]))
  const zoneNamed = (name: string): Zone => pinned.get(name) ?? zoneOf(name)
  const compiled: Compiled = {
    spec,
    scale: ledgerScale(spec.currency),
    initial: dec(spec.initial_balance),
    leverage,
    stopOut: spec.stop_out === null ? null : dec(spec.stop_out),
    hedging: spec.position_mode === 'hedging',
    warnings: spec.warnings.map(dec).sort(cmp),
    zone: spec.zone ?? zoneOf(spec.reset_zone),
    zoneNamed,
    resetMinutes: hours! * 60 + minutes!,
    markets: new Map(spec.instruments.map((doc) => [doc.symbol, marketOf(doc, spec, leverage, zoneNamed)])),
    hash,
  }
  requireSoundPhases(compiled)
  return compiled
}
