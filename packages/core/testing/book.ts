import { compileSpec, type Market } from '../domain/engine/compile.ts'
import { type AccountState, type Book, type Day, newAccount } from '../domain/engine/state.ts'
import type { AccountSpec, Rule } from '../domain/engine/types.ts'
import { MarketView, type SymbolView } from '../domain/engine/view.ts'
import type { Instrument } from '../domain/instruments/instrument.ts'
import type { Level, MarketEvent, Tick } from '../domain/market/event.ts'
import { dec, ZERO } from '../domain/money/dec.ts'
import type { Facts } from '../domain/rules/kind.ts'
import { nextReset } from '../domain/time/zone.ts'
import { instrument, spec } from './world.ts'

const DAY = 86_400_000
export const SYMBOL = 'TST/USD'
/** An instrument as an account in `currency` trades it. */
export const marketOf = (more: Partial<Instrument> = {}, currency = 'USD'): Market => {
  const doc = instrument(more.symbol ?? SYMBOL, more)
  return compileSpec(spec([], { currency, instruments: [doc] })).markets.get(doc.symbol)!
}
export const bookOf = (balance = '100000'): Book => ({ phase: 0, balance: dec(balance), positions: [], taken: [] })

/** What rules look at, money as text: an account of 100,000 on the morning of its first day, flat, unless told. */
export function factsOf({
  day = {},
  flat = true,
  at = 0,
  rules = [],
  account = {},
  spec: more = {},
  ...money
}: FactsText = {}): Facts {
  const { initial = '100000', balance = initial, equity = balance } = money
  const { balance: b = initial, equity: e = b, high = e, ...rest } = day
  const compiled = compileSpec(spec(rules, { initial_balance: initial, ...more }))
  return {
    initial: dec(initial),
    balance: dec(balance),
    equity: dec(equity),
    day: {
      k: 0,
      start: 0,
      next: at > DAY ? nextReset(compiled.zone, compiled.resetMinutes, at) : DAY,
      opened: false,
      openedAndClosed: false,
      orders: 0,
      gross: ZERO,
      ...rest,
      balance: dec(b),
      equity: dec(e),
      high: dec(high),
    },
    flat,
    at,
    account: { ...newAccount('a'), ...account },
    compiled,
  }
}
export interface FactsText {
  initial?: string
  balance?: string
  equity?: string
  flat?: boolean
  at?: number
  /** of the phase that runs */
  rules?: Rule[]
  account?: Partial<AccountState>
  spec?: Partial<AccountSpec>
  day?: Partial<Omit<Day, 'balance' | 'equity' | 'high'>> & { balance?: string; equity?: string; high?: string }
}

/** A hand-written market of a few symbols, event by event; `mseq` counts from 1. */
export class Tape {
  readonly view = new MarketView()
  last!: MarketEvent

  private push(tick: Record<string, unknown>): this {
    const mseq = this.view.mseq + 1
    this.last = { venue: 'test', ts: mseq, pos: mseq, ...tick, mseq, mts: mseq } as unknown as MarketEvent
    this.view.apply(this.last)
    return this
  }
  /** Price and, where it has one, size of each side. */
  quote([bid, bid_size]: Side, [ask, ask_size]: Side, symbol = SYMBOL): this {
    return this.push({ kind: 'quote', symbol, bid, ask, ...(bid_size && { bid_size }), ...(ask_size && { ask_size }) })
  }
  levels(bids: Level[], asks: Level[], symbol = SYMBOL): this {
    return this.push({ kind: 'levels', symbol, bids, asks })
  }
  /** A print; with a quote it is both. */
  trade(price: string, size: string, more: Partial<Tick> = {}, symbol = SYMBOL): this {
    return this.push({ kind: 'trade', symbol, price, size, side: 'buy', ...more })
  }
  symbol(name = SYMBOL): SymbolView {
    return this.view.symbol(name)!
  }
}
type Side = readonly [price: string, size?: string]
