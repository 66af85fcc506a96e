/** Seeded accounts of what the verifier in Python covers, mostly: netting, market and limit orders, four rules, warnings. */
import type { AccountSpec, Command, Rule } from '@assay/core/domain/engine/types'
import { ProofWorld } from '@assay/core/testing/proof-world'
import { pick, randomOf } from '@assay/core/testing/random-world'
import { instrument, spec } from '@assay/core/testing/world'

const YEN = { USD: [{ symbol: 'USD/JPY', direct: false }] }
const INSTRUMENTS = [
  instrument('AAA/USD', { commission: { bps: '2' } }),
  instrument('BBB/USD', { commission: { per_lot: '0.01' } }),
  instrument('CCC/JPY', { conversions: YEN, commission: { maker_bps: '-1', taker_bps: '3' } }),
  instrument('DDD/EUR', { conversions: { USD: [{ symbol: 'EUR/USD', direct: true }] } }),
  instrument('USD/JPY', { conversions: YEN }),
  instrument('EUR/USD', { price_tick: '0.0001' }),
]
const START: Record<string, number> = {
  'AAA/USD': 100,
  'BBB/USD': 50,
  'CCC/JPY': 9000,
  'DDD/EUR': 80,
  'USD/JPY': 150,
  'EUR/USD': 1.1,
}
const SYMBOLS = Object.keys(START)
const digitsOf = (symbol: string): number => (symbol === 'EUR/USD' ? 4 : 2)

function rules(random: () => number): Rule[] {
  const compare = pick(random, ['lt', 'lte'] as const)
  const metric = pick(random, ['equity', 'equity', 'min', 'balance'] as const)
  const pct = { pct: pick(random, ['1', '3']), of: pick(random, ['initial', 'anchor'] as const) }
  return [
    {
      rule: 'profit_target',
      pct: pick(random, ['1', '3', '8']),
      basis: pick(random, ['balance', 'equity'] as const),
      require_flat: random() < 0.5,
      sticky: random() < 0.3,
      effect: 'gate',
    },
    {
      rule: 'max_daily_loss',
      anchor: pick(random, ['balance', 'equity', 'max', 'initial', 'day_high'] as const),
      limit: random() < 0.3 ? { amount: '2000' } : pct,
      metric,
      compare,
      tested: random() < 0.15 ? 'reset' : 'always',
      effect: 'hard',
    },
    {
      rule: 'max_loss',
      mode: 'static',
      limit: { pct: pick(random, ['2', '6']) },
      lock: null,
      metric: 'equity',
      compare,
      effect: 'hard',
    },
    {
      rule: 'min_trading_days',
      n: pick(random, [1, 2]),
      counts: pick(random, ['opened', 'opened_and_closed'] as const),
      effect: 'gate',
    },
  ]
}
function plainSpec(random: () => number): AccountSpec {
  const phase = { kind: 'evaluation', rules: rules(random) } as const
  return spec(phase.rules, {
    phases: [phase, phase],
    leverage: '30',
    reset_zone: pick(random, ['Europe/Prague', 'America/New_York', 'UTC']),
    reset_time: pick(random, ['00:00', '02:30', '17:00']),
    warnings: pick(random, [[], ['0.5', '0.8', '0.95']]),
    stop_out: pick(random, [null, '0.5']),
    instruments: INSTRUMENTS,
  })
}
interface Market {
  price: Record<string, number>
  volatility: number
  /** share of events by which a symbol is lost or halted */
  trouble: number
}
/** One event: a quote mostly, or a print, levels, a lost feed, a state, a clock. */
function tick(random: () => number, { price, volatility, trouble }: Market, n: number): Record<string, unknown> {
  const symbol = SYMBOLS[n] ?? pick(random, SYMBOLS)
  const dice = n < SYMBOLS.length ? 1 : random()
  if (dice < trouble / 3) return { kind: 'gap', symbols: random() < 0.5 ? null : [symbol], reason: 'test' }
  if (dice < trouble) return { kind: 'symbol_state', symbol, state: pick(random, ['unknown', 'unknown', 'halted', 'closed', 'open', 'open']) }
  if (dice < trouble + 0.01) return { kind: 'clock' }
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  price[symbol] = Math.max(0.5, price[symbol]! * (1 + normal * (random() < 0.02 ? 6 : 1) * volatility))
  const digits = digitsOf(symbol)
  const grid = 10 ** -digits
  const bid = Math.round(price[symbol] / grid) * grid
  const ask = bid + grid * Math.floor(random() * 4)
  const size = (): string => String(1 + Math.floor(random() * 8000))
  const quote = {
    bid: bid.toFixed(digits),
    ask: ask.toFixed(digits),
    ...(random() < 0.5 ? { bid_size: size(), ask_size: size() } : {}),
  }
  if (dice < trouble + 0.1) {
    const print = { kind: 'trade', symbol, price: pick(random, [quote.bid, quote.ask]), size: size(), side: pick(random, ['buy', 'sell']) }
    return random() < 0.5 ? { ...print, ...quote } : print
  }
  const ladder = (from: number, up: number): [string, string][] =>
    [1, 2, 3].map((k) => [(from + up * k * grid).toFixed(digits), size()])
  if (dice < trouble + 0.2) return { kind: 'levels', symbol, bids: ladder(bid, -1), asks: ladder(ask, 1) }
  return { kind: 'quote', symbol, ...quote }
}
function command(random: () => number, { price }: Market, working: string | undefined): Command {
  const symbol = pick(random, SYMBOLS)
  const dice = random()
  if (dice < 0.03) return { op: 'cancel', order: working ?? 'o1' }
  if (dice < 0.08) return random() < 0.5 ? { op: 'cancel_all' } : { op: 'cancel_all', symbol }
  const at = price[symbol]!
  const side = pick(random, ['buy', 'sell'] as const)
  const worth = symbol.endsWith('JPY') ? at / 150 : at
  const order = { op: 'order', symbol, side, quantity: String(Math.round((random() * 60_000) / worth)) } as const
  if (random() < 0.5) return { ...order, type: 'market' }
  const limit = (at * (1 + (random() - 0.5) * 0.01)).toFixed(digitsOf(symbol))
  return { ...order, type: 'limit', price: limit, time_in_force: random() < 0.3 ? 'ioc' : 'gtc' }
}
export function plainWorld(seed: number, events: number): ProofWorld {
  const random = randomOf(seed)
  const world = new ProofWorld(plainSpec(random))
  const market = { price: { ...START }, volatility: pick(random, [0.0003, 0.001, 0.004]), trouble: pick(random, [0.003, 0.03]) }
  const rate = 0.03 + random() * 0.15
  let at = Date.parse('2024-03-29T08:00:00Z')
  for (let n = 0; n < events; n++) {
    at += Math.floor(random() * 200_000)
    world.tick(at, tick(random, market, n))
    if (n === 9) for (const op of ['create', 'start'] as const) world.command({ op })
    while (n > 9 && random() < rate) world.command(command(random, market, world.state.orders[0]?.id))
  }
  if (random() < 0.7) world.seal()
  return world
}
