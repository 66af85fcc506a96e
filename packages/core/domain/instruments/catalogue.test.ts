import { expect, test } from 'bun:test'
import { CURRENCIES } from '../money/currency.ts'
import { CATALOGUE, outcomeContract } from './catalogue.ts'
import { resolveInstruments } from './resolve.ts'

const of = (symbol: string) => CATALOGUE.find((instrument) => instrument.symbol === symbol)!

test('every instrument of the catalogue reaches every account currency of the table in at most two legs', () => {
  for (const instrument of CATALOGUE) {
    expect(Object.keys(instrument.conversions).sort()).toEqual(Object.keys(CURRENCIES).sort())
    for (const path of Object.values(instrument.conversions)) expect(path.length).toBeLessThanOrEqual(2)
  }
})
test('EUR/JPY in a USD account converts through USD/JPY, the other way round', () => {
  expect(of('EUR/JPY').conversions.USD).toEqual([{ symbol: 'USD/JPY', direct: false }])
  expect(of('USD/JPY').conversions.EUR).toEqual([{ symbol: 'EUR/JPY', direct: false }])
  expect(of('USD/JPY').conversions.GBP).toEqual([
    { symbol: 'USD/JPY', direct: false },
    { symbol: 'GBP/USD', direct: false },
  ])
})
test('a peg says so, and needs no symbol', () => {
  expect(of('BTC/USD').conversions.USDT).toEqual([{ symbol: 'USDT/USD', direct: false, peg: true }])
})
test('an instrument whose quote currency nothing converts is tradable in that currency only', () => {
  const { instruments } = resolveInstruments([], [{ symbol: 'XRP/ETH' }])
  expect(instruments[0]!.conversions).toEqual({ ETH: [] })
})
test('a name without base and quote needs both in the document', () => {
  expect(() => resolveInstruments([], [{ symbol: 'GOLD' }])).toThrow('GOLD: say base and quote')
})
test('an outcome contract is one of a price in [0, 1]: whatever it is called, its currency converts', () => {
  const { instruments } = resolveInstruments(CATALOGUE, [outcomeContract('RAIN-YES', 'USD', { price_tick: '0.001' })])
  expect(instruments.find((i) => i.symbol === 'RAIN-YES')).toMatchObject({
    kind: 'outcome',
    price_tick: '0.001',
    margin_rate: '1',
    conversions: { USD: [], EUR: [{ symbol: 'EUR/USD', direct: false }] },
  })
})
test('an outcome contract converts nothing: its price is a probability', () => {
  const { instruments } = resolveInstruments([], [outcomeContract('RAIN-YES', 'USD'), { symbol: 'TST/SHARE' }])
  expect(instruments.find((i) => i.symbol === 'TST/SHARE')!.conversions).toEqual({})
})
test('the catalogue invents no schedule: nothing is closed, carried or marked up unless somebody says so', () => {
  for (const { session_calendar, swap, funding, spread_markup_ticks } of CATALOGUE)
    expect([session_calendar, swap, funding, spread_markup_ticks]).toEqual([null, null, null, '0'])
})
