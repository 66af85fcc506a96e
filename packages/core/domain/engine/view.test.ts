import { expect, test } from 'bun:test'
import type { MarketEvent } from '../market/event.ts'
import { dec } from '../money/dec.ts'
import { MarketView } from './view.ts'

const event = (mseq: number, tick: Record<string, unknown>): MarketEvent =>
  ({ symbol: 'A/USD', venue: 't', ts: mseq, pos: mseq, ...tick, mseq, mts: mseq * 1000 }) as unknown as MarketEvent
const TOLD = [
  event(1, { kind: 'quote', bid: '1', ask: '2' }),
  event(2, { kind: 'rate', what: 'funding', rate: '0.0001' }),
  event(3, { kind: 'rate', what: 'swap', long: '-1', short: '0.5' }),
  event(4, { kind: 'trade', price: '1.5', size: '3', side: 'buy' }),
]
const viewOf = (events: readonly MarketEvent[]): MarketView => {
  const view = new MarketView()
  for (const e of events) view.apply(e)
  return view
}

test('the newest rates and the last trade stand beside the quote, each with its place', () => {
  const view = viewOf([...TOLD, event(5, { kind: 'rate', what: 'funding', rate: '-0.0002' })])
  expect(view.symbol('A/USD')).toMatchObject({
    fundingRate: { rate: dec('-0.0002'), mseq: 5 },
    swapRates: { long: dec('-1'), short: dec('0.5'), mseq: 3 },
    last: dec('1.5'),
    settlement: null,
  })
})
test('a rate says nothing of the price: it neither freshens nor opens a market', () => {
  const view = viewOf(TOLD.slice(0, 3))
  expect(view.symbol('A/USD')!.lastMts).toBe(1000)
  const unknown = viewOf([TOLD[0]!, event(2, { kind: 'symbol_state', state: 'unknown' }), TOLD[2]!])
  expect(unknown.symbol('A/USD')!.status).toBe('unknown')
})
test('a settled market keeps its price, one that settled without a price has none', () => {
  const priced = viewOf([...TOLD, event(5, { kind: 'symbol_state', state: 'settled', price: '1' })])
  expect(priced.symbol('A/USD')).toMatchObject({ status: 'settled', settlement: { price: dec('1'), mseq: 5 } })
  const bare = viewOf([...TOLD, event(5, { kind: 'symbol_state', state: 'settled' })])
  expect(bare.symbol('A/USD')).toMatchObject({ status: 'settled', settlement: null })
  const halted = viewOf([...TOLD, event(5, { kind: 'symbol_state', state: 'halted', price: '1' })])
  expect(halted.symbol('A/USD')!.settlement).toBe(null)
})
test('a frozen view keeps what it saw, a carried one knows what was told before it began', () => {
  const view = viewOf(TOLD)
  const frozen = view.freeze()
  view.apply(event(5, { kind: 'rate', what: 'funding', rate: '9' }))
  expect(frozen.symbol('A/USD')!.fundingRate).toEqual({ rate: dec('0.0001'), mseq: 2 })
  const carried = new MarketView()
  carried.carry(TOLD)
  for (const of of ['fundingRate', 'swapRates', 'last'] as const)
    expect(carried.symbol('A/USD')![of]).toEqual(frozen.symbol('A/USD')![of])
})
