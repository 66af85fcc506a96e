import type { Rule } from '../domain/engine/types.ts'
import { ProofWorld } from './proof-world.ts'
import { instrument, spec } from './world.ts'

/** A world with every kind of record and tick. */
export const START = Date.parse('2024-03-29T20:00:00Z')
export const EUR = 'EUR/JPY'
export const USD = 'USD/JPY'
export const OTHER = 'XXX/USD'
const RULES: Rule[] = [
  {
    rule: 'max_loss',
    mode: 'static',
    limit: { pct: '10' },
    lock: null,
    metric: 'equity',
    compare: 'lt',
    effect: 'hard',
  },
  {
    rule: 'max_daily_loss',
    anchor: 'day_high',
    limit: { amount: '300' },
    metric: 'equity',
    compare: 'lt',
    tested: 'always',
    effect: 'hard',
  },
  { rule: 'profit_target', amount: '50', basis: 'balance', require_flat: true, sticky: false, effect: 'gate' },
  { rule: 'min_trading_days', n: 9, counts: 'opened', effect: 'gate' },
]
const jpy = (value: number): string => value.toFixed(3)

export class Story extends ProofWorld {
  private at = START
  private eur = 160
  private usd = 150
  constructor() {
    const traded = instrument(EUR, {
      price_tick: '0.001',
      commission: { bps: '4' },
      conversions: { USD: [{ symbol: USD, direct: false }] },
    })
    super(spec(RULES, { instruments: [traded, instrument(OTHER), instrument(USD, { price_tick: '0.001' })] }))
  }
  wait(ms: number): this {
    this.at += ms
    return this
  }
  eurQuote(move: number): this {
    this.eur += move
    this.tick(this.at, {
      kind: 'quote',
      symbol: EUR,
      bid: jpy(this.eur),
      ask: jpy(this.eur + 0.005),
      bid_size: '100000',
      ask_size: '50000',
    })
    return this
  }
  usdQuote(move: number): this {
    this.usd += move
    this.tick(this.at, { kind: 'quote', symbol: USD, bid: jpy(this.usd), ask: jpy(this.usd + 0.02) })
    return this
  }
  say(tick: Record<string, unknown>): this {
    this.tick(this.at, tick)
    return this
  }
  round(): void {
    this.wait(9_000).eurQuote(0.2)
    this.wait(2_000).usdQuote(-0.03)
    this.wait(2_000).say({ kind: 'trade', symbol: EUR, price: jpy(this.eur), size: '100', side: 'buy' })
    this.wait(2_000).say({
      kind: 'levels',
      symbol: EUR,
      bids: [[jpy(this.eur - 0.01), '1000']],
      asks: [[jpy(this.eur + 0.02), '2000']],
    })
    this.wait(2_000).say({ kind: 'quote', symbol: OTHER, bid: '1', ask: '1.01' })
    this.wait(2_000).say({ kind: 'symbol_state', symbol: EUR, state: 'open' })
    this.wait(2_000).say({ kind: 'source_changed', symbol: EUR, from: 'a', reason: 'test' })
    this.wait(2_000).say({ kind: 'clock' })
    this.wait(2_000).say({ kind: 'gap', symbols: [OTHER], reason: 'test' })
    this.wait(2_000).eurQuote(-0.17)
    this.wait(2_000).say({
      kind: 'trade',
      symbol: EUR,
      price: jpy(this.eur),
      size: '10',
      side: 'sell',
      bid: jpy(this.eur),
      ask: jpy(this.eur + 0.005),
    })
  }
  rounds(n: number): this {
    for (let i = 0; i < n; i++) this.round()
    return this
  }
  order(side: 'buy' | 'sell', quantity: string, more: Record<string, string> = {}): void {
    this.command({ op: 'order', symbol: EUR, side, type: more.price ? 'limit' : 'market', quantity, ...more } as never)
  }
}

/** An account from its start to a breach, with every kind of record and of tick. */
export function tellStory(): Story {
  const s = new Story()
  s.rounds(3)
  s.command({ op: 'create' })
  s.command({ op: 'start' })
  s.rounds(2)
  s.order('buy', '20000', { client_order_id: 'first' })
  s.rounds(3)
  s.order('sell', '5000', { price: '170' })
  s.rounds(2)
  s.command({ op: 'cancel_all' })
  s.order('buy', '0')
  s.order('sell', '20000')
  s.rounds(4)
  s.order('buy', '10000')
  // two hours with a position, over a reset, with a lost feed
  for (let i = 0; i < 16; i++) s.wait(700_000).rounds(1)
  s.wait(60_000).say({ kind: 'gap', symbols: [EUR, USD], reason: 'feed lost' })
  s.wait(1_000).usdQuote(0)
  s.rounds(2)
  s.wait(1_000).eurQuote(-9)
  s.rounds(2)
  s.seal()
  return s
}
