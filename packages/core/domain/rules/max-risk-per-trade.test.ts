import { describe, expect, test } from 'bun:test'
import { bookOf, type FactsText, factsOf, SYMBOL, Tape } from '../../testing/book.ts'
import { orderOf, positionOf, requestOf } from '../../testing/request.ts'
import { instrument } from '../../testing/world.ts'
import { type Bracket, newRuleState, type Order, type Position, type RuleState } from '../engine/state.ts'
import { type Dec, dec, str } from '../money/dec.ts'
import type { BookedFill } from './kind.ts'
import { maxRiskPerTrade } from './max-risk-per-trade.ts'
import type { MaxRiskPerTradeRule } from './types.ts'

const SPEC = {
  instruments: [
    instrument(SYMBOL, { contract_size: '10' }),
    instrument('EUR/JPY', { conversions: { USD: [{ symbol: 'USD/JPY', direct: false }] } }),
  ],
}
const tape = new Tape()
  .quote(['99.00'], ['101.00'])
  .quote(['160.00'], ['160.00'], 'EUR/JPY')
  .quote(['100.00'], ['125.00'], 'USD/JPY')
const quoteOf = (symbol: string) => tape.view.symbol(symbol)?.quote ?? null
const rule = (more: Partial<MaxRiskPerTradeRule> = {}): MaxRiskPerTradeRule => ({
  rule: 'max_risk_per_trade',
  pct: '1',
  needs_stop: false,
  within_s: 60,
  effect: 'gate',
  ...more,
})
const bracket = (more: Partial<Bracket>): Bracket => ({
  takeProfit: null,
  stop: null,
  stopLimit: null,
  trail: null,
  born: false,
  ...more,
})
const stopAt = (price: string) => ({ bracket: bracket({ stop: dec(price) }) })
const accountOf = (positions: Position[] = [], orders: Order[] = []): FactsText => ({
  account: { book: { ...bookOf(), positions }, orders },
  spec: SPEC,
})
function refusal(own: MaxRiskPerTradeRule, order: Order, text: FactsText = accountOf()) {
  const facts = factsOf(text)
  return maxRiskPerTrade.refuse!(own, requestOf(order, facts, quoteOf), facts, newRuleState())
}
const refused = (order: Order, text?: FactsText) => refusal(rule(), order, text) !== null

describe('loss at the stop', () => {
  test('may reach pct of B0, not pass it', () => {
    // 1 % of 100,000; 10 a point
    const at = (stop: string) => refused(orderOf({ quantity: '100', price: '100', type: 'limit', ...stopAt(stop) }))
    expect([at('99.00'), at('98.99')]).toEqual([false, true])
    const short = (stop: string) =>
      refused(orderOf({ side: 'sell', quantity: '100', price: '100', type: 'limit', ...stopAt(stop) }))
    expect([short('101.00'), short('101.01')]).toEqual([false, true])
  })

  test('says what would be lost, for a rule that does more than refuse', () => {
    const found = refusal(rule(), orderOf({ quantity: '200', price: '100', type: 'limit', ...stopAt('99') }))!
    expect(found).toMatchObject({ field: 'quantity', detail: 'at most 1000 USD lost at the stop; this order 2000' })
    expect([str(found.measure!.value), str(found.measure!.limit), found.measure!.side]).toEqual([
      '2000',
      '1000',
      'above',
    ])
  })

  test('counts from the touch that a market order takes', () => {
    expect([
      refused(orderOf({ quantity: '50', ...stopAt('99') })),
      refused(orderOf({ quantity: '51', ...stopAt('99') })),
    ]).toEqual([false, true])
    const sell = (quantity: string) => refused(orderOf({ side: 'sell', quantity, ...stopAt('101') }))
    expect([sell('50'), sell('51')]).toEqual([false, true])
  })

  test('a stop that is in profit loses nothing, whatever the size', () => {
    expect(refused(orderOf({ quantity: '999999', price: '100', type: 'limit', ...stopAt('100') }))).toBe(false)
    expect(refused(orderOf({ side: 'sell', quantity: '999999', price: '100', type: 'limit', ...stopAt('90') }))).toBe(
      false,
    )
  })

  test('nothing to lose needs no rate', () => {
    const order = orderOf({ symbol: 'EUR/JPY', quantity: '1', price: '160', type: 'limit', ...stopAt('160') })
    const facts = factsOf(accountOf())
    expect(
      maxRiskPerTrade.refuse!(
        rule(),
        requestOf(order, facts, () => null),
        facts,
        newRuleState(),
      ),
    ).toBeNull()
  })

  test('a trailing stop counts where it would stand now, by offset or share', () => {
    const trail = (side: 'buy' | 'sell', more: { offset?: string; share?: string }) => {
      const of = { offset: more.offset ? dec(more.offset) : null, share: more.share ? dec(more.share) : null }
      return refused(orderOf({ side, quantity: '100', price: '100', type: 'limit', bracket: bracket({ trail: of }) }))
    }
    for (const side of ['buy', 'sell'] as const) {
      expect([trail(side, { offset: '1' }), trail(side, { offset: '1.01' })]).toEqual([false, true])
      expect([trail(side, { share: '0.01' }), trail(side, { share: '0.0101' })]).toEqual([false, true])
    }
  })

  test('only what adds exposure is at risk', () => {
    const order = orderOf({ quantity: '150', price: '100', type: 'limit', ...stopAt('99') })
    expect([refused(order), refused(order, accountOf([positionOf('-50')]))]).toEqual([true, false])
  })

  test('converts as a loss does', () => {
    const order = (quantity: string) =>
      orderOf({ symbol: 'EUR/JPY', quantity, price: '160', type: 'limit', ...stopAt('159') })
    expect([refused(order('100000')), refused(order('100001'))]).toEqual([false, true])
  })
})

describe('a stop is needed', () => {
  const plain = orderOf({ quantity: '1', price: '100', type: 'limit' })
  const profit = { ...plain, bracket: bracket({ takeProfit: dec('120') }) }
  test('with the order, where the rule refuses', () => {
    const needs = rule({ needs_stop: true })
    expect([refusal(needs, plain)?.field, refusal(needs, profit)?.field]).toEqual(['stop_loss', 'stop_loss'])
    expect(refusal(needs, { ...plain, ...stopAt('99.9') })).toBeNull()
    expect([refusal(rule(), plain), refusal(rule(), profit)]).toEqual([null, null])
    expect(refusal(rule({ needs_stop: true, effect: 'hard' }), plain)).toBeNull()
  })
})

describe('a position needs its stop within the time', () => {
  const own = rule({ needs_stop: true, effect: 'soft' })
  const opened = (openedAt: number, quantity = '5', id = 'o1'): Position => ({
    ...positionOf(quantity, '0', SYMBOL, id),
    openedAt,
  })
  const stop = (quantity: string, more: Partial<Order> = {}): Order => ({
    ...orderOf({ id: 'o7', side: 'sell', type: 'stop', quantity, stop: '90' }),
    ...more,
  })
  type Entry = RuleState['entries'][number]
  const entry = (at: number, position = 'o1'): Entry => ({ position, at })
  /** After a fill that adds `quantity` to o1, or closes some. */
  function filled(entries: Entry[], at: number, quantity = '1', more: Partial<MaxRiskPerTradeRule> = {}): RuleState {
    const state = { ...newRuleState(), entries }
    const fill = { position: 'o1', opened: dec(quantity) } as BookedFill
    const held = [opened(1000), opened(1000, '1', 'o2')]
    maxRiskPerTrade.onFill!({ ...own, ...more }, fill, factsOf({ ...accountOf(held), at }), state)
    return state
  }
  type Passed = { bare: string | null; side: 'above' | 'below' | undefined; next: number | null }
  function passed(positions: Position[], orders: Order[] = [], text: FactsText['spec'] = {}): Passed {
    const entries = positions.map((p) => entry(p.openedAt, p.id))
    const state = { ...newRuleState(), due: 61_000, entries }
    const facts = factsOf({ ...accountOf(positions, orders), spec: { ...SPEC, ...text }, at: 61_000 })
    const { found } = maxRiskPerTrade.passDue!(own, facts, state)
    return { bare: found ? str(found.value) : null, side: found?.side, next: state.due }
  }

  test('counted from each entry, additions too, the earliest first', () => {
    expect(filled([], 1000)).toMatchObject({ due: 61_000, entries: [entry(1000)] })
    expect(filled([entry(1000)], 9000)).toMatchObject({ due: 61_000, entries: [entry(1000), entry(9000)] })
    expect(filled([entry(1000, 'o2')], 9000)).toMatchObject({ due: 61_000, entries: [entry(1000, 'o2'), entry(9000)] })
    expect(filled([], 1000, '1', { within_s: 0 }).due).toBe(1000)
  })
  test('not from what closes; what is no more is not waited for', () => {
    expect(filled([entry(1000)], 9000, '0')).toMatchObject({ due: 61_000, entries: [entry(1000)] })
    expect(filled([entry(500, 'o3')], 9000, '0')).toMatchObject({ due: null, entries: [] })
  })
  test('fills of one instant are one entry; at most 100 of a position wait, the last one is put off', () => {
    expect(filled([entry(1000)], 1000).entries).toEqual([entry(1000)])
    const many = Array.from({ length: 100 }, (_, i) => entry(i))
    expect(filled(many, 5000).entries).toEqual([...many.slice(0, 99), entry(5000)])
    expect(
      filled(
        many.map((e) => entry(e.at, 'o2')),
        5000,
      ).entries,
    ).toHaveLength(101)
  })

  test('not where the rule asks for none, or refuses the order without it', () => {
    const none = { due: null, entries: [] }
    expect(filled([], 1000, '1', { needs_stop: false })).toMatchObject(none)
    expect(filled([], 1000, '1', { effect: 'gate' })).toMatchObject(none)
  })

  test('one without is found, one that stops cover wholly is not', () => {
    expect(passed([opened(1000)])).toEqual({ bare: '1', side: 'above', next: null })
    expect(passed([opened(1000)], [stop('5')]).bare).toBeNull()
    expect(passed([opened(1000)], [stop('4.99')]).bare).toBe('1')
    expect(passed([opened(1000)], [stop('3'), stop('2', { id: 'o8', type: 'trailing_stop' })]).bare).toBeNull()
    expect(passed([opened(1000)], [stop('5', { filled: dec('1') })]).bare).toBe('1')
    expect(passed([opened(1000)], [stop('5', { type: 'stop_limit' })]).bare).toBeNull()
    expect(passed([opened(1000)], [stop('5', { type: 'stop_limit', stop: null })]).bare).toBe('1')
    const trailing = { offset: dec('1'), share: null, activation: dec('120'), best: null }
    expect(passed([opened(1000)], [stop('5', { type: 'trailing_stop', stop: null, trailing })]).bare).toBeNull()
  })

  test('a limit, another symbol and the same side cover nothing', () => {
    expect(passed([opened(1000)], [stop('5', { type: 'limit' })]).bare).toBe('1')
    expect(passed([opened(1000)], [stop('5', { symbol: 'EUR/JPY' })]).bare).toBe('1')
    expect(passed([opened(1000)], [stop('5', { side: 'buy' })]).bare).toBe('1')
    expect(passed([opened(1000, '-5')], [stop('5', { side: 'buy' })]).bare).toBeNull()
    expect(passed([opened(1000, '-5')], [stop('5')]).bare).toBe('1')
  })

  test('hedging: the stop of a ticket covers that ticket', () => {
    const hedging = { position_mode: 'hedging' as const }
    expect(passed([opened(1000)], [stop('5', { position: 'o1' })], hedging).bare).toBeNull()
    expect(passed([opened(1000)], [stop('5', { position: 'o2' })], hedging).bare).toBe('1')
  })

  test('a position whose time has not come is looked at when it has', () => {
    expect(passed([opened(1000), opened(2000, '5', 'o2')])).toEqual({ bare: '1', side: 'above', next: 62_000 })
    expect(passed([opened(2000)])).toEqual({ bare: null, side: undefined, next: 62_000 })
  })
})

test('the largest loss at a stop from here is served', () => {
  const positions = [positionOf('5')]
  const stop = (id: string, price: string, more: Partial<Order> = {}): Order => ({
    ...orderOf({ id, side: 'sell', type: 'stop', quantity: '5', stop: price }),
    ...more,
  })
  const served = (orders: Order[], held = positions) => {
    const found = maxRiskPerTrade.standing!(rule(), factsOf(accountOf(held, orders)), newRuleState(), quoteOf)
    return [str(found.value as Dec), str(found.remaining as Dec)]
  }
  expect(served([stop('o2', '97'), stop('o3', '95'), stop('o4', '98')])).toEqual(['200', '800'])
  expect(served([stop('o2', '95', { filled: dec('2') })])).toEqual(['120', '880'])
  const short = [stop('o2', '103', { side: 'buy' })]
  expect(served(short, [positionOf('-5')])).toEqual(['100', '900'])
  for (const other of [
    stop('o2', '95', { side: 'buy' }),
    stop('o2', '120', { side: 'buy' }),
    stop('o2', '95', { type: 'limit' }),
    stop('o2', '95', { symbol: 'EUR/JPY' }),
    stop('o2', '95', { stop: null, type: 'trailing_stop' }),
  ])
    expect(served([other])).toEqual(['0', '1000'])
})

describe('an exit, where the rule refuses', () => {
  const stop = (price: string | null, more: Partial<Order> = {}): Order => ({
    ...orderOf({ id: 'o7', side: 'sell', type: 'stop', quantity: '5', stop: '1' }),
    stop: price === null ? null : dec(price),
    ...more,
  })
  /** 5 bought at 110 on the average, ten a point: 1 % of B0 is lost at 90. */
  const held = positionOf('5', '5500')
  const gate = rule({ needs_stop: true })
  const asked = (own: MaxRiskPerTradeRule, before: Order[], after: Order[], position = held) => {
    const facts = factsOf(accountOf([position], after))
    return maxRiskPerTrade.refuseExit!(own, { before, after, quoteOf }, facts)
  }
  test('may not be moved to where more than the limit is lost, by size and cost of the position', () => {
    const to = (price: string) => asked(rule(), [stop('100')], [stop(price)])
    expect([to('90'), to('89.99')?.field, to('120')]).toEqual([null, 'stop_loss', null])
    expect(to('89.99')?.detail).toBe('at most 1000 USD lost at the stop; there 1000.5')
    const short = (price: string) =>
      asked(rule(), [stop('120', { side: 'buy' })], [stop(price, { side: 'buy' })], positionOf('-5', '-5500'))
    expect([short('130'), short('130.01')?.field]).toEqual([null, 'stop_loss'])
  })
  test('one that lies beyond the limit already may come nearer, not go farther', () => {
    const from = (before: string, after: string) => asked(rule(), [stop(before)], [stop(after)])
    expect([from('80', '85'), from('80', '80'), from('80', '79')?.field]).toEqual([null, null, 'stop_loss'])
  })
  test('counts for what it closes: its rest, at most the position', () => {
    const to = (quantity: string, filled = '0') =>
      asked(rule(), [stop('100')], [stop('80', { quantity: dec(quantity), filled: dec(filled) })])
    expect([to('3'), to('4')?.field, to('4', '1'), to('9')?.detail]).toEqual([
      null,
      'stop_loss',
      null,
      'at most 1000 USD lost at the stop; there 1500',
    ])
  })
  test('one that is not active yet loses nothing; a limit, the same side and another symbol are none', () => {
    const trailing = { offset: dec('1'), share: null, activation: dec('120'), best: null }
    expect(asked(rule(), [stop('100')], [stop(null, { type: 'trailing_stop', trailing })])).toBeNull()
    for (const more of [{ type: 'limit' }, { side: 'buy' }, { symbol: 'EUR/JPY' }] as Partial<Order>[])
      expect(asked(rule(), [stop('100')], [stop('1', more)])).toBeNull()
  })
  test('is not given up where one is needed: not cancelled, not made smaller, and none comes that loses more', () => {
    expect(asked(gate, [stop('100')], [])?.detail).toBe('a position in TST/USD keeps its stop')
    expect(asked(gate, [stop('100')], [stop('100', { quantity: dec('4') })])?.field).toBe('stop_loss')
    expect(asked(gate, [stop('100')], [stop('100'), stop('80', { id: 'o8' })])?.field).toBe('stop_loss')
    expect(asked(gate, [stop('100')], [stop('100'), stop('95', { id: 'o8' })])).toBeNull()
    expect(asked(gate, [stop('100', { quantity: dec('4') })], [])).toBeNull()
    expect(asked(gate, [stop('100'), stop('95', { id: 'o8' })], [stop('100')])).toBeNull()
    expect([asked(rule(), [stop('100')], []), asked(rule(), [], [stop('80')])]).toEqual([null, null])
  })
})
