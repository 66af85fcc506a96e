import { type Compiled, compileSpec } from '@assay/core/domain/engine/compile'
import type { AccountState } from '@assay/core/domain/engine/state'
import type { AccountSpec, Command, OrderBody, ProfitTargetRule } from '@assay/core/domain/engine/types'
import { equityOf, quotesOf, reservedMargin, usedMargin } from '@assay/core/domain/engine/valuation'
import type { MarketView } from '@assay/core/domain/engine/view'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { add, sub, ZERO } from '@assay/core/domain/money/dec'
import { targetAmount } from '@assay/core/domain/rules/profit-target'
import type { Sight } from '@assay/core/domain/strategies/strategy'
import type { Lockstep, Participant } from '@assay/core/ports/marketlog/lockstep'
import type { MarketLog } from '@assay/core/ports/marketlog/port'

const specs = new WeakMap<AccountSpec, Compiled>()
/** A spec compiled once. */
export function compiledOf(spec: AccountSpec): Compiled {
  let compiled = specs.get(spec)
  if (!compiled) {
    compiled = compileSpec(spec)
    specs.set(spec, compiled)
  }
  return compiled
}

/** What a strategy sees of one symbol; null while there is nothing to trade or the assessment does not run. */
export function sightOf(state: AccountState, spec: AccountSpec, view: MarketView, symbol: string): Sight | null {
  const compiled = compiledOf(spec)
  const market = compiled.markets.get(symbol)
  const quote = view.symbol(symbol)?.quote
  if (!market || !quote || state.status !== 'started' || view.symbol(symbol)!.status !== 'open') return null
  const quoteOf = quotesOf(view)
  const equity = equityOf(state.book, compiled, quoteOf)
  const bound = add(
    usedMargin(state.book, compiled, quoteOf),
    reservedMargin(state.orders, state.book, compiled, quoteOf),
  )
  const target = spec.phases[state.phase]!.rules.find((r): r is ProfitTargetRule => r.rule === 'profit_target')
  return {
    symbol,
    mts: view.mts,
    bid: quote.bid.price,
    ask: quote.ask.price,
    bidSize: quote.bid.size ?? market.clip,
    askSize: quote.ask.size ?? market.clip,
    initial: compiled.initial,
    balance: state.book.balance,
    equity,
    freeMargin: sub(equity, bound),
    position: state.book.positions.find((p) => p.symbol === symbol)?.quantity ?? ZERO,
    target: target ? targetAmount(target, compiled.initial) : null,
    step: market.step,
    minQuantity: market.minQuantity,
    tick: market.tick,
    takerBps: market.takerBps,
  }
}

export interface Drive {
  log: MarketLog
  group: string
  lockstep: Lockstep
  driver: Participant
  /** follows the log as the driver reads it */
  view: MarketView
  signal: AbortSignal
  /** runs once, after the first event */
  open: () => Promise<void>
  /** looks at each event of a symbol that the engine has applied; null: this driver only opens */
  decide: ((symbol: string) => OrderBody | null) | null
  submit: (command: Command) => Promise<void>
}
export interface Driving {
  /** rejects when the driver fails */
  failed: Promise<never>
  /** resolves when `open` has run, at this event or before */
  opened: (mseq: number) => Promise<void>
  /** resolves when the driver is done with `mseq` */
  finished: (mseq: number) => Promise<void>
}

/** Reads the log as a trader would: never an event that the engine has not applied, never the next one before its orders are answered. */
export function drive(d: Drive): Driving {
  let done = 0
  let open: Promise<void> | null = null
  const waiting: { mseq: number; resolve: () => void }[] = []
  const once = (): Promise<void> => {
    open ??= d.open()
    return open
  }
  const take = async (event: MarketEvent): Promise<void> => {
    await d.lockstep.applied(event.mseq, d.signal)
    d.view.apply(event)
    await once()
    const order = d.decide && 'symbol' in event ? d.decide(event.symbol) : null
    if (order) await d.submit({ op: 'order', ...order })
    done = event.mseq
    d.driver.report(d.decide ? done : Number.MAX_SAFE_INTEGER)
    for (const w of waiting.splice(0)) {
      if (w.mseq <= done) w.resolve()
      else waiting.push(w)
    }
  }
  const run = async (): Promise<never> => {
    for await (const batch of d.log.read(d.group, 1, d.signal)) for (const event of batch) await take(event)
    return new Promise<never>(() => {})
  }
  const failed = run()
  failed.catch(() => {})
  const until = (mseq: number): Promise<void> =>
    Promise.race([failed, new Promise<void>((resolve) => (mseq <= done ? resolve() : waiting.push({ mseq, resolve })))])
  return {
    failed,
    opened: async (mseq) => {
      await d.lockstep.applied(Math.min(mseq, 1), d.signal)
      await once()
    },
    finished: until,
  }
}
