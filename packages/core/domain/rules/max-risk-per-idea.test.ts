import { expect, test } from 'bun:test'
import { bookOf, factsOf, Tape } from '../../testing/book.ts'
import { positionOf } from '../../testing/request.ts'
import { instrument } from '../../testing/world.ts'
import { type Idea, newRuleState, newTrades, type Position } from '../engine/state.ts'
import { type Dec, dec, str } from '../money/dec.ts'
import { isPast } from './kind.ts'
import { maxRiskPerIdea } from './max-risk-per-idea.ts'
import type { MaxRiskPerIdeaRule } from './types.ts'

const GOLD = 'XAU/USD'
const SPEC = { instruments: [instrument(GOLD), instrument('XAG/USD')] }
const rule: MaxRiskPerIdeaRule = { rule: 'max_risk_per_idea', pct: '2', within_s: 120, compare: 'lt', effect: 'hard' }
const idea = (realised: string, more: Partial<Idea> = {}): Idea => ({
  withinS: 120,
  symbol: GOLD,
  side: 'buy',
  realised: dec(realised),
  flatSince: null,
  ...more,
})
const AT = 5_000
function lossOf(ideas: Idea[], positions: Position[] = [], bid = '2000.00', ask = '2000.00'): string | null {
  const tape = new Tape().quote([bid], [ask], GOLD).quote([bid], [ask], 'XAG/USD')
  const account = { book: { ...bookOf(), positions }, trades: { ...newTrades(), ideas } }
  const facts = factsOf({ spec: SPEC, account, at: AT })
  const found = maxRiskPerIdea.measure!(rule, facts, newRuleState(), (s) => tape.view.symbol(s)?.quote ?? null)
  return found && str(found.value)
}
const lots = (quantity: string, cost: string, symbol = GOLD) =>
  positionOf(quantity, cost, symbol, `o${cost}${quantity}`)

test('vector 25: three overlapping buys that lose 700 each are 2,100 of one idea; in three symbols they are not', () => {
  const buys = [lots('1', '2700'), lots('1', '2700'), lots('1', '2700')]
  expect(lossOf([idea('0')], buys)).toBe('2100')
  expect(lossOf([idea('0'), idea('0', { symbol: 'XAG/USD' })], [lots('1', '2700'), lots('1', '2700', 'XAG/USD')])).toBe(
    '700',
  )
})

test('what it realised and what its own positions float: the other direction is another idea', () => {
  expect(lossOf([idea('-300')], [lots('1', '2700'), lots('-1', '-1000')])).toBe('1000')
  expect(lossOf([idea('-300'), idea('-50', { side: 'sell' })], [lots('1', '2700'), lots('-1', '-1000')])).toBe('1050')
  expect(lossOf([idea('300')], [lots('1', '2700')])).toBe('400')
})

test('positions float at the side that closes them', () => {
  expect(lossOf([idea('0')], [lots('1', '2000')], '1990.00', '2010.00')).toBe('10')
  expect(lossOf([idea('0', { side: 'sell' })], [lots('-1', '-2000')], '1990.00', '2010.00')).toBe('10')
})

test('an idea that ended now is judged, one that ended before or belongs to another rule is not', () => {
  const ended = (flatSince: number) => lossOf([idea('-900', { flatSince })])
  expect([ended(AT), ended(AT - 1)]).toEqual(['900', null])
  expect(lossOf([idea('-900', { withinS: 60 })])).toBeNull()
})

test('the position of a new idea is none of one that ended', () => {
  expect(lossOf([idea('-900', { flatSince: AT })], [lots('1', '2700')])).toBe('900')
})

test('the worst idea counts, whichever comes first', () => {
  const two = [idea('-100'), idea('-200', { side: 'sell' })]
  expect([lossOf(two), lossOf([...two].reverse())]).toEqual(['200', '200'])
  expect(lossOf([idea('50')])).toBe('-50')
})

test('the limit is pct of B0: above it is past, at it by the comparison', () => {
  const past = (realised: string) => {
    const facts = factsOf({ spec: SPEC, account: { trades: { ...newTrades(), ideas: [idea(realised)] } }, at: AT })
    const found = maxRiskPerIdea.measure!(rule, facts, newRuleState(), NO_QUOTE)!
    const { remaining } = maxRiskPerIdea.standing!(rule, facts, newRuleState(), NO_QUOTE)
    return [str(found.limit), isPast(found, 'lt'), isPast(found, 'lte'), str(remaining as Dec)]
  }
  expect(past('-1999.99')).toEqual(['2000', false, false, '0.01'])
  expect(past('-2000')).toEqual(['2000', false, true, '0'])
  expect(past('-2000.01')).toEqual(['2000', true, true, '-0.01'])
})
const NO_QUOTE = () => null

test('the price that reaches the limit is that of the worst idea, while it holds a position', () => {
  const tape = new Tape().quote(['2000.00'], ['2000.00'], GOLD)
  const reach = (...ideas: Idea[]) => {
    const account = { book: { ...bookOf(), positions: [lots('1', '2700')] }, trades: { ...newTrades(), ideas } }
    const facts = factsOf({ spec: SPEC, account, equity: '99300', at: AT })
    const to = maxRiskPerIdea.reach!(rule, facts, newRuleState(), (s) => tape.view.symbol(s)?.quote ?? null)
    return to && [str(to.equity), to.side, to.symbol]
  }
  // 700 and 100 are lost of 2,000: 1,200 less of equity
  expect(reach(idea('-100'))).toEqual(['98100', 'below', GOLD])
  expect(reach(idea('-900', { side: 'sell', flatSince: AT }))).toBeNull()
  expect(reach()).toBeNull()
  // of two alike the older one
  const silver = idea('-800', { symbol: 'XAG/USD' })
  expect([reach(idea('-100'), silver)?.[2], reach(silver, idea('-100'))?.[2]]).toEqual([GOLD, 'XAG/USD'])
})
