import { expect, test } from 'bun:test'
import { randomCommand, randomMarket, randomOf, randomSpec } from '../../testing/random-world.ts'
import type { MarketEvent } from '../market/event.ts'
import { dec, gt, gte, lt, lte, toNumber } from '../money/dec.ts'
import { type Compiled, compileSpec } from './compile.ts'
import { type AccountState, decodeState, encodeState, newAccount } from './state.ts'
import { type Input, nextDeadline, settle, stateHash, step } from './step.ts'
import { type Triggers, triggers } from './triggers.ts'
import type { JournalRecord } from './types.ts'
import { equity } from './valuation.ts'
import { MarketView } from './view.ts'

/** Does the newest event reach anything that the account's triggers name? */
function reached(t: Triggers, event: MarketEvent, state: AccountState, compiled: Compiled, view: MarketView): boolean {
  if (!('symbol' in event)) return event.kind === 'gap'
  if (t.always.includes(event.symbol)) return true
  if (event.kind === 'symbol_state') return t.symbols.includes(event.symbol)
  for (const o of t.orders.filter((x) => x.symbol === event.symbol)) {
    const quote = view.symbol(o.symbol)!.quote!
    if (o.side === 'buy' ? lte(quote.ask.price, o.price) : gte(quote.bid.price, o.price)) return true
    if (event.kind === 'trade' && (o.side === 'buy' ? lt(dec(event.price), o.price) : gt(dec(event.price), o.price)))
      return true
  }
  const e = equity(state, compiled, view)
  if (t.floor && (t.floor.strict ? lt(e, t.floor.value) : lte(e, t.floor.value))) return true
  return t.ceiling !== null && (t.ceiling.strict ? gt(e, t.ceiling.value) : gte(e, t.ceiling.value))
}

function run(seed: number, touchAll: boolean, codec: boolean) {
  const random = randomOf(seed)
  const compiled = compileSpec(randomSpec(random))
  const view = new MarketView()
  const records: JournalRecord[] = []
  let state = newAccount('a')
  let armed: Triggers = triggers(state, compiled, view)
  let cseq = 0
  let touches = 0
  const take = (input: Input): void => {
    if (codec) state = decodeState(JSON.parse(JSON.stringify(encodeState(settle(state, view)))))
    const result = step(state, input, view, compiled)
    state = result.state
    records.push(...result.records)
    armed = triggers(state, compiled, view)
    touches += 1
  }
  const commands = randomOf(seed + 1)
  for (const event of randomMarket(randomOf(seed + 2), 800, {
    volatility: 0.002,
    rateVolatility: 0.004,
    pace: 120_000,
  })) {
    if ((nextDeadline(state) ?? Number.POSITIVE_INFINITY) <= event.mts) take({ kind: 'deadline', mts: event.mts })
    view.apply(event)
    if (touchAll || reached(armed, event, state, compiled, view)) take({ kind: 'event', event })
    if (event.mseq === 10)
      for (const op of ['create', 'start'] as const) take({ kind: 'command', command: { op }, cseq: ++cseq })
    if (event.mseq > 10 && commands() < 0.05) {
      const mid = (symbol: string) =>
        view.symbol(symbol)?.quote ? toNumber(view.symbol(symbol)!.quote!.bid.price) : null
      take({ kind: 'command', command: randomCommand(commands, mid), cseq: ++cseq })
    }
  }
  return { records, hash: stateHash(settle(state, view)), touches, kinds: new Set(records.map((r) => r.kind)) }
}

test('an account that is looked at only when its triggers are reached writes what one that looks at everything writes', () => {
  const kinds = new Set<string>()
  let lazyTouches = 0
  let allTouches = 0
  for (let seed = 1; seed <= 100; seed++) {
    const all = run(seed * 7919, true, false)
    const lazy = run(seed * 7919, false, false)
    expect(lazy.records).toEqual(all.records)
    expect(lazy.hash).toBe(all.hash)
    for (const kind of all.kinds) kinds.add(kind)
    lazyTouches += lazy.touches
    allTouches += all.touches
  }
  expect([...kinds].sort()).toEqual([
    'checkpoint',
    'command',
    'day',
    'fill',
    'floor',
    'header',
    'order',
    'phase',
    'target',
    'verdict',
    'violation',
    'withdrawn',
  ])
  expect(lazyTouches).toBeLessThan(allTouches / 2)
})

test('a state that went through its stored form before every input decides the same', () => {
  for (let seed = 1; seed <= 15; seed++) {
    const plain = run(seed * 104_729, true, false)
    const stored = run(seed * 104_729, true, true)
    expect(stored.records).toEqual(plain.records)
    expect(stored.hash).toBe(plain.hash)
  }
})
