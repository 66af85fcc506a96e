import type { AccountSpec, Command } from '../../domain/engine/types.ts'
import type { ConversionLeg, Instrument } from '../../domain/instruments/instrument.ts'
import type { Level, SymbolStatus, Tick } from '../../domain/market/event.ts'
import { pick, randomOf } from '../random-world.ts'
import { instrument } from '../world.ts'
import { commandOf } from './random-commands.ts'
import { specOf } from './random-specs.ts'

/**
 * A tick has no place yet: the comparison numbers what is left of the list. In a command `?3` is the third of the
 * orders that wait, or of the positions, as they are then; `flatten` is a market order against that position.
 */
export type Item =
  | { tick: Tick }
  | { account: string; command: Command }
  | { account: string; flatten: number; id: string }
/** What a world may hold beside market and limit orders under targets and hard loss limits. */
export const FEATURES = [
  'orders',
  'hedging',
  'queue',
  'latency',
  'carry',
  'margin',
  'losses',
  'warnings',
  'pause',
  'limits',
  'clocks',
  'sessions',
  'conduct',
  'news',
] as const
export type Feature = (typeof FEATURES)[number]
export type Has = (feature: Feature) => boolean
export interface OracleWorld {
  seed: number
  accounts: { account: string; spec: AccountSpec }[]
  items: Item[]
}
export type Random = () => number

// ---- instruments: every kind of path, fee, slippage, size ------------------------------------------------------
const leg = (symbol: string, direct: boolean): ConversionLeg => ({ symbol, direct })
const PEG: ConversionLeg = { symbol: 'USDT/USD', direct: true, peg: true }
const FROM: Record<string, Record<string, ConversionLeg[]>> = {
  USD: { EUR: [leg('EUR/USD', false)], JPY: [leg('USD/JPY', true)] },
  EUR: { USD: [leg('EUR/USD', true)], JPY: [leg('EUR/USD', true), leg('USD/JPY', true)] },
  JPY: { USD: [leg('USD/JPY', false)], EUR: [leg('USD/JPY', false), leg('EUR/USD', false)] },
  BTC: { USD: [leg('BTC/USD', true)], EUR: [leg('BTC/USD', true), leg('EUR/USD', false)] },
  USDT: { USD: [PEG], EUR: [PEG, leg('EUR/USD', false)] },
}
const listed = (symbol: string, more: Partial<Instrument> = {}): Instrument =>
  instrument(symbol, { conversions: FROM[symbol.split('/')[1]!]!, clip: '5000', ...more })
export const INSTRUMENTS: Instrument[] = [
  listed('AAA/USD', { commission: { bps: '2' }, slippage_bps: '5' }),
  listed('BBB/USD', { commission: { per_lot: '0.013' }, stale_limit_ms: 900_000, max_quantity: '4000' }),
  listed('CCC/JPY', { commission: { maker_bps: '-1', taker_bps: '4' }, slippage_bps: '10', cap_bps: '7', clip: '40' }),
  listed('DDD/EUR', {
    contract_size: '10',
    quantity_step: '0.1',
    min_quantity: '0.5',
    commission: { bps: '1', per_lot: '0.07' },
  }),
  listed('EEE/BTC', { price_tick: '0.000001', commission: { bps: '3.5' }, min_notional: '0.05' }),
  listed('GGG/USDT', { price_tick: '0.0005', margin_rate: '0.2', slippage_bps: '3.3', cap_bps: '20' }),
  listed('USD/JPY', { price_tick: '0.001', clip: '200000' }),
  listed('EUR/USD', { price_tick: '0.0001', clip: '200000', slippage_bps: '1' }),
  listed('BTC/USD', {
    price_tick: '0.5',
    quantity_step: '0.001',
    min_quantity: '0.001',
    clip: '5',
    commission: { taker_bps: '1.5' },
  }),
]
/** What only venues have: carry, settlement, mark-ups, triggers by the last trade, hours. */
const VENUES: Instrument[] = [
  listed('PRP/USDT:USDT', {
    kind: 'perp',
    base: 'PRP',
    quote: 'USDT',
    conversions: FROM.USDT!,
    funding: { every_hours: 8, rate: '0.0001' },
    commission: { maker_bps: '-0.5', taker_bps: '5' },
    trigger_price: 'last',
    slippage_bps: '6',
  }),
  listed('PQR/USD', { kind: 'perp', funding: null, spread_markup_ticks: '2', commission: { bps: '1' } }),
  listed('FXA/USD', {
    kind: 'fx',
    contract_size: '100',
    swap: { zone: 'America/New_York', time: '17:00', unit: 'points', long: '-0.012', short: '0.005', triple: 3 },
    session_calendar: 'fx',
    margin_rate: '0.05',
    trigger_price: 'last',
  }),
  listed('FXJ/JPY', {
    kind: 'fx',
    swap: {
      zone: 'Europe/Prague',
      time: '02:30',
      unit: 'bps',
      long: '-0.7',
      short: '-0.2',
      triple: 5,
      days: [1, 2, 3, 4, 5],
    },
    session_calendar: 'desk',
    spread_markup_ticks: '1',
    slippage_bps: '4',
  }),
  listed('YES/USD', {
    kind: 'outcome',
    price_tick: '0.01',
    commission: { probability_rate: '0.07' },
    clip: '20000',
  }),
  listed('NOO/USD', {
    kind: 'outcome',
    price_tick: '0.001',
    commission: { probability_rate: '0.05', per_lot: '0.001' },
  }),
  listed('USD/JPY', { price_tick: '0.001', clip: '200000' }),
  listed('EUR/USD', { price_tick: '0.0001', clip: '200000', session_calendar: 'fx' }),
]
/** A whole price grid, no fee, no conversion: values land on their limits to the unit. */
const COARSE = [
  instrument('AAA/USD', { price_tick: '1', clip: '1000' }),
  instrument('BBB/USD', { price_tick: '1', clip: '300', slippage_bps: '100', cap_bps: '500' }),
]
const START: Record<string, number> = {
  'AAA/USD': 100,
  'BBB/USD': 50,
  'CCC/JPY': 9000,
  'DDD/EUR': 80,
  'EEE/BTC': 0.004,
  'GGG/USDT': 2,
  'USD/JPY': 150,
  'EUR/USD': 1.1,
  'BTC/USD': 60_000,
  'PRP/USDT:USDT': 30,
  'PQR/USD': 12,
  'FXA/USD': 1.5,
  'FXJ/JPY': 190,
  'YES/USD': 0.4,
  'NOO/USD': 0.7,
}
const IN_USD: Record<string, number> = { USD: 1, EUR: 1.1, JPY: 1 / 150, BTC: 60_000, USDT: 1 }
const worthOf = ({ symbol, quote, contract_size }: Instrument): number =>
  START[symbol]! * IN_USD[quote]! * Number(contract_size)

// ---- weather: what kind of world a seed makes ----------------------------------------------------------------
export interface Weather {
  coarse: boolean
  volatility: number
  rateVolatility: number
  paceMs: number
  start: number
  /** of all events: lost feeds and halts; prints; ladders */
  trouble: number
  prints: number
  ladders: number
  /** commands after an event */
  busy: number
}
/** Weeks in which clocks change in Prague, New York, both, or in the southern hemisphere; and one without. */
const WEEKS = [
  '2024-03-08',
  '2024-03-29',
  '2024-04-05',
  '2024-10-04',
  '2024-10-25',
  '2024-11-01',
  '2023-03-24',
  '2024-06-12',
]
function weatherOf(random: Random, seed: number): Weather {
  const coarse = seed % 4 === 3
  const volatility = pick(random, [0.0003, 0.001, 0.003])
  return {
    coarse,
    volatility,
    rateVolatility: pick(random, [0.0002, 0.001, 0.01]),
    paceMs: pick(random, [20_000, 120_000, 400_000, 1_200_000]),
    start: Date.parse(`${pick(random, WEEKS)}T${pick(random, ['06', '15', '20'])}:00:00Z`),
    trouble: pick(random, [0, 0.02, 0.06]),
    prints: pick(random, [0.05, 0.25]),
    ladders: pick(random, [0.05, 0.2]),
    busy: pick(random, [0.5, 1, 2]),
  }
}

const instrumentsOf = (seed: number): Instrument[] => (seed % 4 === 3 ? COARSE : seed % 4 === 2 ? VENUES : INSTRUMENTS)

export interface WorldSize {
  accounts: number
  events: number
  features?: readonly Feature[]
}
/** `events` market events over `accounts` accounts with random rules, and their commands; all from the seed. */
export function worldOf(seed: number, { accounts, events, features = FEATURES }: WorldSize): OracleWorld {
  const random = randomOf(seed)
  const has: Has = (feature) => features.includes(feature)
  const weather = weatherOf(random, seed)
  const instruments = instrumentsOf(seed).map((i) => (has('sessions') ? i : { ...i, session_calendar: null }))
  const list = Array.from({ length: accounts }, (_, i) => ({
    account: `a${String(i).padStart(2, '0')}`,
    spec: specOf(random, { weather, instruments, has }),
  }))
  const market = new RandomMarket(random, weather, instruments, has)
  const items: Item[] = [{ tick: { kind: 'clock', ts: weather.start, pos: 0 } }]
  for (const { account } of list) items.push({ account, command: { op: 'create' } })
  for (let i = 0; i < events; i++) {
    items.push({ tick: market.next() })
    const at = i - instruments.length
    if (at >= 0 && at < accounts) items.push({ account: list[at]!.account, command: { op: 'start' } })
    for (let due = weather.busy; random() < due; due -= 1) {
      const { account, spec } = pick(random, list)
      items.push(commandOf({ random, market, has }, { account, spec, id: `c${items.length}` }))
    }
  }
  return { seed, accounts: list, items }
}

// ---- market ------------------------------------------------------------------------------------------------------
export class RandomMarket {
  /** mid in price ticks */
  readonly ticks = new Map<string, number>()
  private readonly states = new Map<string, SymbolStatus>()
  private readonly quotes = new Map<string, { bid: string; ask: string; bid_size?: string; ask_size?: string }>()
  ts: number
  private pos = 0
  constructor(
    private readonly random: Random,
    private readonly weather: Weather,
    readonly instruments: Instrument[],
    private readonly has: Has,
  ) {
    this.ts = weather.start
  }

  next(): Tick {
    const { random, weather } = this
    this.pos += 1
    this.ts += Math.floor(random() * 2 * weather.paceMs * (random() < 0.01 ? 100 : 1))
    const first = this.instruments[this.pos - 1]
    if (first) return this.quote(first)
    const chosen = pick(random, this.instruments)
    const group = { ts: this.ts, pos: this.pos }
    if (random() < 0.02) return { kind: 'clock', ...group }
    if (random() < weather.trouble) {
      if (random() < 0.3) {
        return { kind: 'gap', ...group, symbols: random() < 0.4 ? null : [chosen.symbol], reason: 'test' }
      }
      if (this.states.get(chosen.symbol) === 'settled') return this.quote(chosen)
      return this.state(chosen, pick(random, ['unknown', 'halted', 'closed'] as const))
    }
    const shut = this.instruments.find((i) => !['open', 'settled'].includes(this.states.get(i.symbol) ?? 'open'))
    if (shut && random() < 0.08) return this.state(shut, 'open')
    if (this.has('carry') && random() < 0.02) return this.carry(chosen)
    const dice = random()
    if (dice < weather.prints) return this.trade(chosen)
    if (dice < weather.prints + weather.ladders) return this.levels(chosen)
    return this.quote(chosen)
  }
  price(instrument: Instrument, ticks: number): string {
    const digits = instrument.price_tick.split('.')[1]?.length ?? 0
    return (Math.max(1, ticks) * Number(instrument.price_tick)).toFixed(digits)
  }
  size(instrument: Instrument, scale = 1): string {
    const steps = ((this.random() * 60_000) / worthOf(instrument) / Number(instrument.quantity_step)) * scale
    const digits = instrument.quantity_step.split('.')[1]?.length ?? 0
    const coarse = this.weather.coarse ? 100 * Math.ceil(steps / 100) : Math.ceil(steps)
    return (coarse * Number(instrument.quantity_step)).toFixed(digits)
  }

  private on(instrument: Instrument) {
    return { symbol: instrument.symbol, venue: 'test', ts: this.ts, pos: this.pos }
  }
  /** A rate, or the end of an outcome. */
  private carry(instrument: Instrument): Tick {
    const { random } = this
    const { kind, funding, swap, price_tick } = instrument
    if (kind === 'outcome' && random() < 0.1 && this.states.get(instrument.symbol) !== 'settled') {
      this.states.set(instrument.symbol, 'settled')
      const price = pick(random, ['0', '1', undefined])
      return {
        kind: 'symbol_state',
        ...this.on(instrument),
        state: 'settled',
        ...(price === undefined ? {} : { price }),
      }
    }
    if (swap) {
      const unit = Number(price_tick)
      const rate = () => (swap.unit === 'bps' ? random() * 2 - 1.5 : unit * (random() * 4 - 3)).toFixed(5)
      return { kind: 'rate', ...this.on(instrument), what: 'swap', long: rate(), short: rate() }
    }
    if (kind === 'perp' || funding) {
      return { kind: 'rate', ...this.on(instrument), what: 'funding', rate: ((random() - 0.5) / 500).toFixed(7) }
    }
    return this.quote(instrument)
  }
  private state(instrument: Instrument, state: SymbolStatus): Tick {
    this.states.set(instrument.symbol, state)
    return { kind: 'symbol_state', ...this.on(instrument), state }
  }
  /** Often only one side moves, or nothing: what was taken of a level must be remembered exactly as long as it stands. */
  private makeQuote(instrument: Instrument) {
    const { random, weather } = this
    const { symbol } = instrument
    const before = this.quotes.get(symbol)
    if (before && random() < 0.15) return before
    const isRate = ['USD/JPY', 'EUR/USD', 'BTC/USD'].includes(symbol)
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    const move = normal * (isRate ? weather.rateVolatility : weather.volatility) * (random() < 0.02 ? 8 : 1)
    const mid = this.ticks.get(symbol) ?? Math.round(START[symbol]! / Number(instrument.price_tick))
    const moved = weather.coarse ? mid + pick(random, [-2, -1, -1, 0, 1, 1, 2]) : Math.round(mid * (1 + move))
    const top = instrument.kind === 'outcome' ? Math.round(1 / Number(instrument.price_tick)) - 6 : moved
    const bid = Math.max(3, Math.min(top, moved))
    this.ticks.set(symbol, bid)
    const quote = { bid: this.price(instrument, bid), ask: this.price(instrument, bid + Math.floor(random() * 4)) }
    const sizes = random() < 0.4 ? {} : { bid_size: this.depth(instrument), ask_size: this.depth(instrument) }
    const made = { ...quote, ...sizes }
    if (before && random() < 0.2 && Number(before.ask) >= Number(made.bid)) {
      made.ask = before.ask
      made.ask_size = before.ask_size
      if (made.ask_size === undefined) delete made.ask_size
    }
    this.quotes.set(symbol, made)
    return made
  }
  private depth(instrument: Instrument): string {
    return this.random() < 0.05 ? '0' : this.size(instrument, pick(this.random, [0.1, 1, 3]))
  }
  private quote(instrument: Instrument): Tick {
    if (this.states.get(instrument.symbol) === 'unknown') this.states.delete(instrument.symbol)
    return { kind: 'quote', ...this.on(instrument), ...this.makeQuote(instrument) }
  }
  private trade(instrument: Instrument): Tick {
    const { random } = this
    const at = (this.ticks.get(instrument.symbol) ?? 3) + Math.floor(random() * 13) - 6
    return {
      kind: 'trade',
      ...this.on(instrument),
      price: this.price(instrument, at),
      size: this.size(instrument, 0.5),
      side: pick(random, ['buy', 'sell'] as const),
      ...(random() < 0.5 ? this.makeQuote(instrument) : {}),
    }
  }
  /** A ladder may overlap the newest quote: only what is worse than it counts. */
  private levels(instrument: Instrument): Tick {
    const bid = this.ticks.get(instrument.symbol)!
    const ladder = (from: number, sign: number): Level[] =>
      [0, 1, 2, 4].map((k) => [this.price(instrument, Math.max(1, from + sign * k)), this.depth(instrument)] as const)
    const asks = ladder(bid + Math.floor(this.random() * 3), 1)
    const bids = ladder(bid + 1 - Math.floor(this.random() * 3), -1)
    return { kind: 'levels', ...this.on(instrument), bids: bid > 8 ? bids : bids.slice(0, 1), asks }
  }
}
