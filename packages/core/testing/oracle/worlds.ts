import type { AccountSpec, Command, MinTradingDaysRule, Rule } from '../../domain/engine/types.ts'
import type { ConversionLeg, Instrument } from '../../domain/instruments/instrument.ts'
import type { Level, SymbolStatus, Tick } from '../../domain/market/event.ts'
import { pick, randomOf } from '../random-world.ts'
import { instrument, PLAIN_ACCOUNT } from '../world.ts'

/** A tick has no place yet: the comparison numbers what is left of the list. */
export type Item =
  | { tick: Tick }
  | { account: string; command: Command }
  | { account: string; flatten: string; id: string }
export interface OracleWorld {
  seed: number
  accounts: { account: string; spec: AccountSpec }[]
  items: Item[]
}
type Random = () => number

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
}
const IN_USD: Record<string, number> = { USD: 1, EUR: 1.1, JPY: 1 / 150, BTC: 60_000, USDT: 1 }
const worthOf = ({ symbol, quote, contract_size }: Instrument): number =>
  START[symbol]! * IN_USD[quote]! * Number(contract_size)

// ---- weather: what kind of world a seed makes ----------------------------------------------------------------
interface Weather {
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

/** `events` market events over `accounts` accounts with random rules, and their commands; all from the seed. */
export function worldOf(seed: number, { accounts, events }: { accounts: number; events: number }): OracleWorld {
  const random = randomOf(seed)
  const weather = weatherOf(random, seed)
  const instruments = weather.coarse ? COARSE : INSTRUMENTS
  const list = Array.from({ length: accounts }, (_, i) => ({
    account: `a${String(i).padStart(2, '0')}`,
    spec: specOf(random, weather, instruments),
  }))
  const market = new RandomMarket(random, weather, instruments)
  const items: Item[] = [{ tick: { kind: 'clock', ts: weather.start, pos: 0 } }]
  for (const { account } of list) items.push({ account, command: { op: 'create' } })
  for (let i = 0; i < events; i++) {
    items.push({ tick: market.next() })
    const at = i - instruments.length
    if (at >= 0 && at < accounts) items.push({ account: list[at]!.account, command: { op: 'start' } })
    for (let due = weather.busy; random() < due; due -= 1) {
      const { account } = pick(random, list)
      items.push(commandOf(random, market, account, `c${items.length}`))
    }
  }
  return { seed, accounts: list, items }
}

// ---- rules -----------------------------------------------------------------------------------------------------
function specOf(random: Random, weather: Weather, instruments: Instrument[]): AccountSpec {
  const currency = weather.coarse ? 'USD' : pick(random, ['USD', 'USD', 'EUR', 'JPY'])
  const unit = currency === 'JPY' ? 100 : 1
  const money = (thousands: number) => String(thousands * 1000 * unit)
  const compare = () => pick(random, ['lt', 'lte'] as const)
  const metric = () => pick(random, ['equity', 'equity', 'min', 'balance'] as const)
  const daily = (): Rule => ({
    rule: 'max_daily_loss',
    anchor: pick(random, ['balance', 'equity', 'max', 'initial', 'day_high'] as const),
    limit:
      random() < 0.4
        ? { amount: money(pick(random, [1, 2, 4])) }
        : { pct: pick(random, ['1', '2.5', '4']), of: pick(random, ['initial', 'anchor'] as const) },
    metric: metric(),
    compare: compare(),
    tested: random() < 0.25 ? 'reset' : 'always',
    effect: 'hard',
  })
  const overall = (): Rule => ({
    rule: 'max_loss',
    mode: 'static',
    lock: null,
    metric: metric(),
    compare: compare(),
    effect: 'hard',
    limit: random() < 0.5 ? { pct: pick(random, ['2', '4', '6']) } : { amount: money(pick(random, [2, 4, 6])) },
  })
  const target = (): Rule => ({
    rule: 'profit_target',
    basis: pick(random, ['balance', 'equity'] as const),
    require_flat: random() < 0.5,
    sticky: random() < 0.4,
    effect: 'gate',
    ...(random() < 0.5 ? { pct: pick(random, ['0.5', '1', '3']) } : { amount: money(pick(random, [0.5, 1, 2])) }),
  })
  const days = (): MinTradingDaysRule => {
    const counts = pick(random, ['opened', 'opened_and_closed', 'moved', 'won'] as const)
    const pct = counts === 'moved' || counts === 'won' ? { pct: pick(random, ['0.1', '0.5', '1']) } : {}
    return { rule: 'min_trading_days', n: pick(random, [1, 1, 2, 3]), counts, ...pct, effect: 'gate' }
  }
  const some = (make: () => Rule, share: number[]): Rule[] => share.flatMap((p) => (random() < p ? [make()] : []))
  const rules = (): Rule[] =>
    [...some(target, [0.95, 0.1]), ...some(daily, [0.9, 0.3]), ...some(overall, [0.9, 0.2]), ...some(days, [0.5, 0.2])]
      .map((rule) => ({ rule, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ rule }) => rule)
  return {
    ...PLAIN_ACCOUNT,
    engine: 1,
    currency,
    initial_balance: money(100),
    leverage: pick(random, ['10', '30', '100']),
    position_mode: 'netting',
    group: 'main',
    reset_zone: pick(random, ['Europe/Prague', 'America/New_York', 'UTC', 'Australia/Lord_Howe']),
    reset_time: pick(random, ['00:00', '01:30', '02:00', '02:30', '17:00']),
    phases: [
      { kind: 'evaluation', rules: rules() },
      { kind: 'evaluation', rules: rules() },
      { kind: 'funded', rules: rules() },
    ],
    instruments,
  }
}

// ---- market ------------------------------------------------------------------------------------------------------
class RandomMarket {
  /** mid in price ticks */
  readonly ticks = new Map<string, number>()
  private readonly states = new Map<string, SymbolStatus>()
  private readonly quotes = new Map<string, { bid: string; ask: string; bid_size?: string; ask_size?: string }>()
  private ts: number
  private pos = 0
  constructor(
    private readonly random: Random,
    private readonly weather: Weather,
    readonly instruments: Instrument[],
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
      return this.state(chosen, pick(random, ['unknown', 'halted', 'closed'] as const))
    }
    const shut = this.instruments.find((i) => (this.states.get(i.symbol) ?? 'open') !== 'open')
    if (shut && random() < 0.08) return this.state(shut, 'open')
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
    const bid = Math.max(
      3,
      weather.coarse ? mid + pick(random, [-2, -1, -1, 0, 1, 1, 2]) : Math.round(mid * (1 + move)),
    )
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

// ---- commands ----------------------------------------------------------------------------------------------------
function commandOf(random: Random, market: RandomMarket, account: string, id: string): Item {
  const dice = random()
  const instrument = pick(random, market.instruments)
  const { symbol } = instrument
  if (dice < 0.2) return { account, flatten: symbol, id }
  if (dice < 0.25) return { account, command: random() < 0.5 ? { op: 'cancel_all' } : { op: 'cancel_all', symbol } }
  if (dice < 0.255) return { account, command: { op: 'abandon' } }
  const side = pick(random, ['buy', 'sell'] as const)
  const quantity =
    random() < 0.02
      ? pick(random, ['0', '0.00003', '100000000'])
      : market.size(instrument, pick(random, [0.05, 1, 3, 20]))
  if (dice < 0.27) {
    return { account, command: { op: 'order', symbol: 'ZZZ/USD', side, type: 'market', quantity, client_order_id: id } }
  }
  if (dice < 0.6)
    return { account, command: { op: 'order', symbol, side, type: 'market', quantity, client_order_id: id } }
  const away = Math.floor(random() * 15) - 7
  const price = market.price(instrument, (market.ticks.get(symbol) ?? 10) + away)
  const time_in_force = random() < 0.3 ? 'ioc' : 'gtc'
  return {
    account,
    command: { op: 'order', symbol, side, type: 'limit', quantity, price, time_in_force, client_order_id: id },
  }
}
