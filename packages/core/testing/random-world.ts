import type { AccountState } from '../domain/engine/state.ts'
import type { AccountSpec, AmendBody, Command, OrderBody, Trail } from '../domain/engine/types.ts'
import type { Instrument } from '../domain/instruments/instrument.ts'
import type { MarketEvent } from '../domain/market/event.ts'
import { toNumber } from '../domain/money/dec.ts'
import { pick } from './random.ts'
import { CALENDARS, randomRules } from './random-rules.ts'
import { instrument, PLAIN_ACCOUNT } from './world.ts'

export { pick, randomOf } from './random.ts'

/** Two dollar symbols, one in yen that converts through USD/JPY, one in euro that converts through EUR/USD. */
export const INSTRUMENTS = [
  instrument('AAA/USD', { commission: { bps: '2' }, slippage_bps: '5' }),
  instrument('BBB/USD', { commission: { per_lot: '0.01' } }),
  instrument('CCC/JPY', { price_tick: '0.01', conversions: { USD: [{ symbol: 'USD/JPY', direct: false }] } }),
  instrument('DDD/EUR', { conversions: { USD: [{ symbol: 'EUR/USD', direct: true }] } }),
  instrument('USD/JPY', { conversions: { USD: [{ symbol: 'USD/JPY', direct: false }] } }),
  instrument('EUR/USD', { price_tick: '0.0001' }),
]
const START = {
  'AAA/USD': 100,
  'BBB/USD': 50,
  'CCC/JPY': 9000,
  'DDD/EUR': 80,
  'USD/JPY': 150,
  'EUR/USD': 1.1,
} as Record<string, number>
const DIGITS = { 'EUR/USD': 4 } as Record<string, number>
export const SYMBOLS = Object.keys(START)

export function randomSpec(random: () => number): AccountSpec {
  const rules = randomRules(random)
  return {
    ...PLAIN_ACCOUNT,
    engine: 1,
    currency: 'USD',
    initial_balance: '100000',
    leverage: '30',
    position_mode: random() < 0.3 ? 'hedging' : 'netting',
    stop_out: pick(random, [null, null, '0.5', '0.8']),
    queue_model: random() < 0.3,
    latency_ms: random() < 0.3 ? pick(random, [1, 250, 90_000]) : 0,
    group: 'main',
    reset_zone: pick(random, ['Europe/Prague', 'America/New_York', 'UTC']),
    reset_time: pick(random, ['00:00', '02:30', '17:00']),
    phases: [
      { kind: 'evaluation', rules },
      { kind: 'evaluation', rules },
    ],
    instruments: randomInstruments(random),
    calendars: CALENDARS,
    warnings: pick(random, [[], ['0.5', '0.8', '0.95']]),
    max_pauses: 2,
    max_pause_days: 1,
  }
}
const SWAP = { zone: 'America/New_York', time: '17:00', unit: 'bps', long: '-1.5', short: '0.5', triple: 3 } as const
/** Some where the last trade triggers, some with a mark-up, sessions, swap or funding: the account's own. */
const randomInstruments = (random: () => number): Instrument[] =>
  INSTRUMENTS.map((doc) => ({
    ...doc,
    trigger_price: random() < 0.2 ? 'last' : 'touch',
    spread_markup_ticks: random() < 0.2 ? pick(random, ['1', '3']) : '0',
    session_calendar: random() < 0.15 ? 'floor' : null,
    swap: random() < 0.2 ? SWAP : null,
    funding: random() < 0.2 ? { every_hours: 8, rate: '0.0001' } : null,
  }))

export interface WorldOptions {
  /** relative move of one quote, one standard deviation */
  volatility: number
  /** relative move of a conversion rate */
  rateVolatility?: number
  start?: number
  /** mean ms between events */
  pace?: number
}
/** A market of n events: quotes mostly, prints, levels, gaps, lost feeds, halts and clocks. */
export function* randomMarket(random: () => number, n: number, options: WorldOptions): Generator<MarketEvent> {
  const price = { ...START }
  let mts = options.start ?? Date.parse('2024-03-29T08:00:00Z')
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  for (let mseq = 1; mseq <= n; mseq++) {
    mts += Math.floor(random() * 2 * (options.pace ?? 60_000))
    const at = { ts: mts, pos: mseq, mseq, mts }
    const dice = random()
    // every symbol has a quote before anything else happens
    const symbol = mseq <= SYMBOLS.length ? SYMBOLS[mseq - 1]! : pick(random, SYMBOLS)
    const on = { symbol, venue: 'test', ...at }
    const digits = DIGITS[symbol] ?? 2
    const rate = symbol === 'USD/JPY' || symbol === 'EUR/USD'
    const jump = random() < 0.02 ? 6 : 1
    if (mseq > SYMBOLS.length && dice < 0.01)
      yield { kind: 'gap', ...at, symbols: random() < 0.5 ? null : [symbol], reason: 'test' }
    else if (mseq > SYMBOLS.length && dice < 0.035)
      yield {
        kind: 'symbol_state',
        ...on,
        state: pick(random, ['unknown', 'unknown', 'halted', 'open', 'open', 'open'] as const),
      }
    else if (mseq > SYMBOLS.length && dice < 0.045) yield { kind: 'clock', ...at }
    else if (mseq > SYMBOLS.length && dice < 0.05)
      yield { kind: 'rate', ...on, what: 'funding', rate: pick(random, ['0.0003', '-0.0002']) }
    else {
      price[symbol] = Math.max(
        0.5,
        price[symbol]! *
          (1 + normal() * jump * (rate ? (options.rateVolatility ?? options.volatility) : options.volatility)),
      )
      const tick = 10 ** -digits
      const bid = Math.max(tick, Math.round(price[symbol]! / tick) * tick)
      const ask = bid + tick * Math.floor(random() * 4)
      const quote = { bid: bid.toFixed(digits), ask: ask.toFixed(digits) }
      const size = (): string => String(1 + Math.floor(random() * 2000))
      const sizes = random() < 0.5 ? {} : { bid_size: size(), ask_size: size() }
      if (mseq > SYMBOLS.length && dice < 0.12) {
        yield {
          kind: 'trade',
          ...on,
          price: random() < 0.5 ? quote.bid : quote.ask,
          size: size(),
          side: pick(random, ['buy', 'sell'] as const),
          ...(random() < 0.5 ? { ...quote, ...sizes } : {}),
        }
      } else if (mseq > SYMBOLS.length && dice < 0.2) {
        const ladder = (from: number, sign: number): [string, string][] =>
          [1, 2, 3].map((k) => [(from + sign * k * tick).toFixed(digits), size()])
        yield { kind: 'levels', ...on, bids: ladder(Math.max(bid, 4 * tick), -1), asks: ladder(ask, 1) }
      } else yield { kind: 'quote', ...on, ...quote, ...sizes }
    }
  }
}

/**
 * What a trader may do near the market: orders of every type, amendments, cancels, closes. `mid`: the symbol's price;
 * `account`: what it holds and waits for, without it only new orders and cancels of all.
 */
export function randomCommand(
  random: () => number,
  mid: (symbol: string) => number | null,
  account?: AccountState,
): Command {
  const symbol = pick(random, SYMBOLS)
  const at = mid(symbol)
  if (account && random() < 0.02) return { op: account.status === 'paused' ? 'resume' : 'pause' }
  if (account?.status === 'paused' && random() < 0.5) return { op: 'resume' }
  if (at === null || random() < 0.06) return random() < 0.5 ? { op: 'cancel_all' } : { op: 'cancel_all', symbol }
  const standing = account && random() < 0.18 ? randomChange(random, mid, account) : null
  return standing ?? { op: 'order', ...randomOrder(random, symbol, at, account) }
}

/** Price text a share of `spread` around a price, on the symbol's grid. */
const priceNear = (random: () => number, symbol: string, at: number, spread = 0.01): string =>
  Math.max(0.01, at * (1 + (random() - 0.5) * spread)).toFixed(DIGITS[symbol] ?? 2)
/** So far on one side of a price: `up` above it. */
const priceBeyond = (random: () => number, symbol: string, at: number, up: boolean): string =>
  (at * (1 + (up ? 1 : -1) * (0.0005 + random() * 0.006))).toFixed(DIGITS[symbol] ?? 2)
const randomTrail = (random: () => number, symbol: string, at: number): Trail =>
  random() < 0.5
    ? { pct: pick(random, ['0.1', '0.35', '1']) }
    : { offset: (at * (0.0005 + random() * 0.004)).toFixed(DIGITS[symbol] ?? 2) }

/** Something is done to what stands: an order amended or cancelled, a position closed. */
function randomChange(
  random: () => number,
  mid: (symbol: string) => number | null,
  { orders, book, mts }: AccountState,
): Command | null {
  if (random() < 0.2) {
    if (book.positions.length === 0) return null
    const { id, quantity } = pick(random, book.positions)
    const part = Math.max(1, Math.round(Math.abs(toNumber(quantity)) * random()))
    return { op: 'close', position: id, ...(random() < 0.5 ? { quantity: String(part) } : {}) }
  }
  if (orders.length === 0) return null
  const order = pick(random, orders)
  const at = mid(order.symbol)
  if (at === null || random() < 0.3) return { op: 'cancel', order: order.id }
  const changes: AmendBody[] = [
    { price: priceNear(random, order.symbol, at) },
    { stop_price: priceNear(random, order.symbol, at) },
    { quantity: String(Math.max(1, Math.round(toNumber(order.quantity) * (0.5 + random())))) },
    { trail: randomTrail(random, order.symbol, at) },
    { expires_at: mts + Math.floor(random() * 7_200_000) },
  ]
  return { op: 'amend', order: order.id, ...pick(random, changes), ...(random() < 0.2 ? pick(random, changes) : {}) }
}

const OTHERS = ['limit', 'limit', 'stop', 'stop_limit', 'trailing_stop', 'oco'] as const
function randomOrder(random: () => number, symbol: string, at: number, account?: AccountState): OrderBody {
  const worth = symbol.endsWith('JPY') ? at / 150 : at
  const side = pick(random, ['buy', 'sell'] as const)
  const type = random() < 0.45 ? 'market' : pick(random, OTHERS)
  const near = (): string => priceNear(random, symbol, at)
  const prices = {
    market: {},
    limit: { price: near() },
    stop: { stop_price: near() },
    stop_limit: { stop_price: near(), price: near() },
    trailing_stop: { trail: randomTrail(random, symbol, at), ...(random() < 0.4 ? { activation_price: near() } : {}) },
    oco: {
      price: priceBeyond(random, symbol, at, side === 'sell'),
      stop_price: priceBeyond(random, symbol, at, side === 'buy'),
      ...(random() < 0.3 ? { stop_limit_price: near() } : {}),
    },
  }[type]
  const held = account?.book.positions.filter((p) => p.symbol === symbol) ?? []
  const ticket = held.length > 0 && random() < 0.12 ? pick(random, held).id : undefined
  const exits = type !== 'oco' && !ticket && random() < 0.25
  const up = side === 'buy'
  return {
    symbol,
    side,
    type,
    quantity: String(Math.max(1, Math.round((random() * 60_000) / worth))),
    ...prices,
    ...randomTerms(random, type, account),
    ...(exits && random() < 0.7 ? { take_profit: { price: priceBeyond(random, symbol, at, up) } } : {}),
    ...(exits && random() < 0.7 ? { stop_loss: randomStop(random, symbol, at, !up) } : {}),
    ...(ticket ? { position: ticket } : random() < 0.06 && !exits ? { reduce_only: true } : {}),
    ...(random() < 0.3 ? { client_order_id: `c${Math.floor(random() * 1e9)}` } : {}),
  }
}
function randomStop(random: () => number, symbol: string, at: number, up: boolean): OrderBody['stop_loss'] {
  if (random() < 0.3) return { trail: randomTrail(random, symbol, at) }
  const stop_price = priceBeyond(random, symbol, at, up)
  return { stop_price, ...(random() < 0.3 ? { price: priceBeyond(random, symbol, at, up) } : {}) }
}
function randomTerms(random: () => number, type: OrderBody['type'], account?: AccountState): Partial<OrderBody> {
  if (type === 'market') return random() < 0.1 ? { time_in_force: 'fok' } : {}
  const dice = random()
  if (dice < 0.15) return { time_in_force: 'day' }
  if (dice < 0.3 && account)
    return { time_in_force: 'gtd', expires_at: account.mts + 1 + Math.floor(random() * 7_200_000) }
  if (type !== 'limit') return {}
  if (dice < 0.45) return { time_in_force: pick(random, ['ioc', 'fok'] as const) }
  return dice < 0.55 ? { post_only: true } : {}
}
