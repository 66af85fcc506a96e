import { expect, test } from 'bun:test'
import { randomCommand, randomMarket, randomOf, randomSpec } from '../../testing/random-world.ts'
import type { MarketEvent } from '../market/event.ts'
import { add, type Dec, dec, gt, gte, lt, lte, max, toNumber, ZERO } from '../money/dec.ts'
import { type Compiled, compileSpec } from './compile.ts'
import { raiseHighs } from './facts.ts'
import { type AccountState, newAccount } from './state.ts'
import { type Input, nextDeadline, settle, stateHash, step } from './step.ts'
import { decodeState, encodeState } from './stored-state.ts'
import { type Level, lowestHigh, type Triggers, triggers } from './triggers.ts'
import type { JournalRecord } from './types.ts'
import { equity, marginRoom, quotesOf } from './valuation.ts'
import { MarketView } from './view.ts'

/** Does the newest event reach anything that the account's triggers name? `high`: highest equity since the last look. */
function reached(
  t: Triggers,
  event: MarketEvent,
  state: AccountState,
  compiled: Compiled,
  view: MarketView,
  high: Dec | null,
): boolean {
  if (!('symbol' in event)) return event.kind === 'gap'
  if (t.always.includes(event.symbol)) return true
  if (event.kind === 'symbol_state' || event.kind === 'rate') return t.symbols.includes(event.symbol)
  if (t.orders.some((level) => level.symbol === event.symbol && isReached(level, event, view))) return true
  const e = equity(state, compiled, view)
  const floor = t.floorAt(t.trails ? high : null)
  if (floor && (floor.strict ? lt(e, floor.value) : lte(e, floor.value))) return true
  if (t.parts?.isCrossedAt(quotesOf(view))) return true
  if (t.stopsOut && lt(marginLeft(state, compiled, view), ZERO)) return true
  return t.ceiling !== null && (t.ceiling.strict ? gt(e, t.ceiling.value) : gte(e, t.ceiling.value))
}
const marginLeft = (state: AccountState, compiled: Compiled, view: MarketView): Dec =>
  state.book.positions.reduce(
    (total, position) => add(total, marginRoom(position, compiled, quotesOf(view))),
    state.book.balance,
  )
function isReached({ symbol, waits, price }: Level, event: MarketEvent, view: MarketView): boolean {
  const { bid, ask } = view.symbol(symbol)!.quote!
  const print = event.kind === 'trade' ? dec(event.price) : null
  switch (waits) {
    case 'ask_falls':
      return lte(ask.price, price) || (print !== null && lte(print, price))
    case 'bid_rises':
      return gte(bid.price, price) || (print !== null && gte(print, price))
    case 'ask_rises':
      return gte(ask.price, price) || (print !== null && gte(print, price))
    case 'bid_falls':
      return lte(bid.price, price) || (print !== null && lte(print, price))
  }
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
  /** highest equity since the last look */
  let high: Dec | null = null
  const take = (input: Input): void => {
    if (high && lowestHigh(state, compiled, view)) state = raiseHighs(state, compiled, high)
    high = null
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
    const now = state.book.positions.length > 0 ? equity(state, compiled, view) : null
    if (touchAll || reached(armed, event, state, compiled, view, now && high ? max(now, high) : now))
      take({ kind: 'event', event })
    else if (now) high = high ? max(now, high) : now
    if (event.mseq === 10)
      for (const op of ['create', 'start'] as const) take({ kind: 'command', command: { op }, cseq: ++cseq })
    if (event.mseq > 10 && commands() < 0.05) {
      const mid = (symbol: string) =>
        view.symbol(symbol)?.quote ? toNumber(view.symbol(symbol)!.quote!.bid.price) : null
      take({ kind: 'command', command: randomCommand(commands, mid, settle(state, view)), cseq: ++cseq })
    }
  }
  if (high && lowestHigh(state, compiled, view)) state = raiseHighs(state, compiled, high)
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
  for (const kind of [
    'carry',
    'checkpoint',
    'command',
    'day',
    'fill',
    'floor',
    'header',
    'lock',
    'order',
    'pause',
    'phase',
    'target',
    'verdict',
    'violation',
    'warning',
  ])
    expect(kinds.has(kind)).toBe(true)
  expect(lazyTouches).toBeLessThan(allTouches / 2)
}, 30_000)

test('a state that went through its stored form before every input decides the same', () => {
  for (let seed = 1; seed <= 15; seed++) {
    const plain = run(seed * 104_729, true, false)
    const stored = run(seed * 104_729, true, true)
    expect(stored.records).toEqual(plain.records)
    expect(stored.hash).toBe(plain.hash)
  }
}, 30_000)
