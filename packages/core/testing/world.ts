import { type Compiled, compileSpec } from '../domain/engine/compile.ts'
import { Replay } from '../domain/engine/replay.ts'
import type { AccountSpec, Command, JournalRecord, OrderBody, Rule } from '../domain/engine/types.ts'
import type { Instrument } from '../domain/instruments/instrument.ts'
import type { MarketEvent, Tick } from '../domain/market/event.ts'
import { str, sub } from '../domain/money/dec.ts'

/** What an account has when a test asks for none of it. */
export const PLAIN_ACCOUNT = {
  stop_out: null,
  queue_model: false,
  latency_ms: 0,
  max_pauses: 0,
  max_pause_days: 0,
  warnings: [],
  calendars: [],
} satisfies Partial<AccountSpec>

/** A plain instrument: grid 0.01 x 1, no fee, deep clip. */
export const instrument = (symbol: string, more: Partial<Instrument> = {}): Instrument => {
  const [base, quote] = symbol.split('/') as [string, string]
  return {
    symbol,
    version: 1,
    kind: 'spot',
    base,
    quote,
    contract_size: '1',
    price_tick: '0.01',
    quantity_step: '1',
    min_quantity: '1',
    max_quantity: '10000000',
    min_notional: '0',
    margin_rate: '0.01',
    commission: {},
    slippage_bps: '0',
    cap_bps: '50',
    clip: '10000000',
    stale_limit_ms: null,
    candle_spread_ticks: '1',
    spread_markup_ticks: '0',
    session_calendar: null,
    trigger_price: 'touch',
    swap: null,
    funding: null,
    conversions: {},
    sources: ['test'],
    ...more,
  }
}
export const spec = (rules: Rule[], more: Partial<AccountSpec> = {}): AccountSpec => ({
  ...PLAIN_ACCOUNT,
  engine: 1,
  currency: 'USD',
  initial_balance: '100000',
  leverage: '100',
  position_mode: 'netting',
  reset_zone: 'Europe/Prague',
  reset_time: '00:00',
  phases: [{ kind: 'evaluation', rules }],
  instruments: [instrument('TST/USD')],
  group: 'main',
  ...more,
})

/** One account over a hand-written market: `at` takes ISO times, quotes are `bid ask` pairs. */
export class World {
  readonly records: JournalRecord[] = []
  readonly replay: Replay
  readonly compiled: Compiled
  private mseq = 0
  private cseq = 0
  constructor(
    accountSpec: AccountSpec,
    readonly account = 'a',
  ) {
    this.compiled = compileSpec(accountSpec)
    this.replay = new Replay(undefined, (_, result) => this.records.push(...result.records))
    this.replay.add(account, this.compiled)
  }
  get state() {
    return this.replay.accounts.get(this.account)!.state
  }
  private push(tick: Record<string, unknown>, at: string): this {
    const ts = Date.parse(at)
    this.mseq += 1
    this.replay.event({
      venue: 'test',
      ts,
      pos: this.mseq,
      ...tick,
      mseq: this.mseq,
      mts: Math.max(this.replay.view.mts, ts),
    } as unknown as MarketEvent)
    return this
  }
  quote(
    at: string,
    bid: string,
    ask: string,
    more: { symbol?: string; bid_size?: string; ask_size?: string } = {},
  ): this {
    return this.push({ kind: 'quote', symbol: 'TST/USD', bid, ask, ...more }, at)
  }
  trade(at: string, price: string, size: string, side: 'buy' | 'sell', symbol = 'TST/USD'): this {
    return this.push({ kind: 'trade', symbol, price, size, side }, at)
  }
  levels(at: string, bids: [string, string][], asks: [string, string][], symbol = 'TST/USD'): this {
    return this.push({ kind: 'levels', symbol, bids, asks }, at)
  }
  status(at: string, state: string, symbol = 'TST/USD'): this {
    return this.push({ kind: 'symbol_state', symbol, state }, at)
  }
  tick(at: string, tick: Partial<Tick>): this {
    return this.push(tick, at)
  }
  clock(at: string): this {
    return this.push({ kind: 'clock', venue: undefined }, at)
  }
  command(command: Command) {
    this.cseq += 1
    return this.replay.command(this.account, command, this.cseq).answer!
  }
  start(at: string): this {
    this.clock(at)
    this.command({ op: 'create' })
    this.command({ op: 'start' })
    return this
  }
  buy(quantity: string, more: Record<string, string> = {}) {
    return this.command({ op: 'order', symbol: 'TST/USD', side: 'buy', type: 'market', quantity, ...more } as Command)
  }
  sell(quantity: string, more: Record<string, string> = {}) {
    return this.command({ op: 'order', symbol: 'TST/USD', side: 'sell', type: 'market', quantity, ...more } as Command)
  }
  /** An order in TST/USD: a limit buy of 10 unless told. */
  order(body: Partial<OrderBody>) {
    const plain = { symbol: 'TST/USD', side: 'buy' as const, type: 'limit' as const, quantity: '10' }
    return this.command({ op: 'order', ...plain, ...body })
  }
  /** `#1` is the first order that was accepted, closes counted, `#1.tp` its exit. */
  private name(id: string): string {
    const [base, ...rest] = id.split('.')
    const given = this.of('command').filter(
      ({ command: { op }, answer }) => answer.ok && (op === 'order' || op === 'close'),
    )
    const place = given.findIndex((record) => `o${record.aseq}` === base)
    return place < 0 ? id : [`#${place + 1}`, ...rest].join('.')
  }
  /** Waiting orders by arrival and what each has left. */
  get working(): string[] {
    return this.state.orders.map((o) => `${this.name(o.id)} ${str(sub(o.quantity, o.filled))}`)
  }
  /** How orders ended. */
  get ended(): string[] {
    const ends = this.of('order').filter((r) => !r.view)
    return ends.map((r) => [this.name(r.order), r.status, r.reason].filter(Boolean).join(' '))
  }
  get fills(): string[] {
    return this.of('fill').map((f) => `${this.name(f.order)} ${f.side} ${f.quantity} @ ${f.price} ${f.liquidity}`)
  }
  of<K extends JournalRecord['kind']>(kind: K): Extract<JournalRecord, { kind: K }>[] {
    return this.records.filter((r) => r.kind === kind) as Extract<JournalRecord, { kind: K }>[]
  }
}
