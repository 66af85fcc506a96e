/** Breaches found while a feed is lost: none that comes after the first one is forgotten. */
import { describe, expect, test } from 'bun:test'
import { maxLoss } from '../../testing/rules.ts'
import { instrument, spec, World } from '../../testing/world.ts'
import { stateHash } from './settle.ts'
import { decodeState, encodeState } from './stored-state.ts'
import type { Rule } from './types.ts'

const at = (time: string): string => `2024-03-04T${time}Z`
const floor = (amount: string, more: Partial<Extract<Rule, { rule: 'max_loss' }>> = {}): Rule =>
  maxLoss({ amount }, more)
/** 1,000 of each at 100; then OTH's feed is lost. */
function world(rules: Rule[], ...more: string[]): World {
  const symbols = ['TST/USD', 'OTH/USD', ...more]
  const w = new World(spec(rules, { instruments: symbols.map((symbol) => instrument(symbol)) })).start(at('08:00:00'))
  for (const symbol of symbols) w.quote(at('08:00:01'), '100.00', '100.00', { symbol })
  for (const symbol of symbols) w.buy('1000', { symbol })
  return w.status(at('08:01:00'), 'unknown', 'OTH/USD')
}
const price = (w: World, time: string, bid: string): World => w.quote(at(time), bid, bid)
const marked = (w: World, time: string, bid: string): World => w.quote(at(time), bid, bid, { symbol: 'OTH/USD' })
const violations = (w: World) =>
  w.of('violation').map((v) => [v.index, v.provisional ? 'provisional' : v.effect, v.value])
const withdrawn = (w: World) => w.of('withdrawn').map((r) => [r.index, r.value])

describe('a second breach while the first is in doubt', () => {
  test('stands when the first is withdrawn, dated at its own instant', () => {
    const w = world([floor('5000')])
    price(w, '08:02:00', '94.90')
    price(w, '08:03:00', '80.00')
    price(w, '08:04:00', '100.00')
    marked(w, '08:05:00', '101.00')
    expect(violations(w)).toEqual([
      [0, 'provisional', '94900'],
      [0, 'hard', '81000'],
    ])
    expect(withdrawn(w)).toEqual([[0, '95900']])
    expect(w.of('violation')[1]!.dated).toEqual({ mts: Date.parse(at('08:03:00')), mseq: 6 })
    expect(w.state.status).toBe('failed')
  })
  test('of a limit the deepest later instant counts, not the last', () => {
    const w = world([floor('5000')])
    price(w, '08:02:00', '94.90')
    price(w, '08:03:00', '80.00')
    price(w, '08:04:00', '90.00')
    marked(w, '08:05:00', '101.00')
    expect(violations(w).at(-1)).toEqual([0, 'hard', '81000'])
  })
  test('is withdrawn with the first by the same mark: one record says so', () => {
    const w = world([floor('5000')])
    price(w, '08:02:00', '94.90')
    price(w, '08:03:00', '80.00')
    price(w, '08:04:00', '100.00')
    marked(w, '08:05:00', '120.00')
    expect(violations(w)).toEqual([[0, 'provisional', '94900']])
    expect(withdrawn(w)).toEqual([[0, '114900']])
    expect([w.state.status, w.state.provisional]).toEqual(['started', null])
  })
  test('goes with the first one when that stands', () => {
    const w = world([floor('5000')])
    price(w, '08:02:00', '94.90')
    price(w, '08:03:00', '80.00')
    marked(w, '08:05:00', '99.00')
    expect(violations(w).at(-1)).toEqual([0, 'hard', '93900'])
    expect(withdrawn(w)).toEqual([])
  })
  test('may be of another rule than the first', () => {
    const w = world([floor('5000', { effect: 'soft' }), floor('15000')])
    price(w, '08:02:00', '94.90')
    price(w, '08:03:00', '83.00')
    price(w, '08:04:00', '100.00')
    marked(w, '08:05:00', '101.00')
    // 84,000: beyond both; the hard one is named
    expect(violations(w)).toEqual([
      [0, 'provisional', '94900'],
      [1, 'hard', '84000'],
    ])
  })
  test('a flag that stands leaves the hard one behind it to be decided', () => {
    const w = world([floor('5000', { effect: 'flag' }), floor('15000')])
    price(w, '08:02:00', '94.90')
    price(w, '08:03:00', '83.00')
    price(w, '08:04:00', '100.00')
    marked(w, '08:05:00', '99.50')
    expect(violations(w)).toEqual([
      [0, 'provisional', '94900'],
      [0, 'flag', '94400'],
      [1, 'hard', '82500'],
    ])
    expect(withdrawn(w)).toEqual([])
  })
  test('waits for its own marks when another feed is lost later', () => {
    const w = world([floor('5000')])
    price(w, '08:02:00', '94.90')
    price(w, '08:03:00', '80.00').status(at('08:03:30'), 'unknown')
    marked(w, '08:03:40', '70.00')
    // the first has its mark and stands, whatever TST does
    expect(violations(w).at(-1)).toEqual([0, 'hard', '64900'])

    const other = world([floor('5000')], 'THR/USD')
    price(other, '08:02:00', '94.90').status(at('08:02:30'), 'unknown')
    other.quote(at('08:02:40'), '99.00', '99.00', { symbol: 'THR/USD' })
    marked(other, '08:03:00', '101.00')
    expect(other.state.provisional).not.toBeNull()
    expect(withdrawn(other)).toEqual([])
    price(other, '08:04:00', '80.00')
    expect(violations(other).at(-1)).toEqual([0, 'hard', '80000'])
  })
  test('is none while nothing gets worse than it was at the point before', () => {
    const w = world([floor('5000')])
    price(w, '08:02:00', '94.90')
    price(w, '08:03:00', '94.90')
    price(w, '08:03:10', '94.95')
    expect(w.state.provisional!.later).toEqual([])
    price(w, '08:03:20', '94.94')
    expect(w.state.provisional!.later.map((d) => d.at)).toEqual([Date.parse(at('08:03:20'))])
  })
})

test('what is measured on no mark is decided at once, also while a breach is in doubt', () => {
  const w = world([floor('5000'), { rule: 'inactivity', days: 1, effect: 'hard' }])
  price(w, '08:02:00', '94.90')
  w.clock('2024-03-06T00:00:00Z')
  expect(violations(w).at(-1)).toEqual([1, 'hard', '1'])
})

test('an account in doubt keeps at most one instant of each limit, and comes back from its stored state', () => {
  const w = world([floor('5000'), floor('15000')])
  for (let i = 0; i < 40; i++) price(w, `08:02:${10 + i}`, `${94 - i}.00`)
  const { state } = w
  expect(state.provisional!.later.map((d) => d.rule)).toEqual([0, 1])
  const read = decodeState(JSON.parse(JSON.stringify(encodeState(state))))
  expect(stateHash(read)).toBe(stateHash(state))
})
