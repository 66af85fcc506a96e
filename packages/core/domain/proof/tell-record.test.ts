import { describe, expect, test } from 'bun:test'
import type { Body, JournalRecord } from '../engine/types.ts'
import type { Rule } from '../rules/types.ts'
import { tellBreach, tellRecord } from './tell-record.ts'

const told = (body: Body): string => tellRecord({ aseq: 1, mseq: 2, mts: 3, cseq: 1, ...body } as JournalRecord, 'USD')

describe('a fill says what made it and why', () => {
  const fill = (order: string, kind: 'quote' | 'slippage' | 'settlement' = 'quote'): string =>
    told({
      kind: 'fill',
      phase: 0,
      order,
      symbol: 'BTC/USD',
      side: 'sell',
      quantity: '2',
      price: '99',
      liquidity: 'taker',
      source: { kind, venue: 'sim', mseq: 7, price: '99', size: '5', ts: 1 },
      instrument: 'BTC/USD@1',
      result: { amount: '-2', currency: 'USD', rate: '1', rate_mseq: [], booked: '-2.00' },
      fee: null,
      postings: [],
      spread_cost: '0',
      position: { id: 'o1', quantity: '0', cost: '0' },
    })
  test.each([
    ['o12', 'for the order o12'],
    ['o12.tp', 'for the take-profit o12.tp'],
    ['o12.sl', 'for the stop-loss o12.sl'],
    ['o12.stop', 'for the stop leg o12.stop'],
    ['close', 'because the phase ended'],
    ['stop_out', 'by the stop-out'],
    ['lock', 'because the account was locked'],
    ['flat', 'because the rules ask to be flat'],
    ['settlement', 'because the market was settled'],
  ])('%s', (order, why) => expect(fill(order)).toContain(why))
  test('from a quote, or beyond the size that showed', () => {
    expect(fill('o1')).toStartWith('sold 2 BTC/USD at 99 as taker from the quote m7 (99 at sim)')
    expect(fill('o1')).toEndWith('result -2.00')
    expect(fill('o1', 'slippage')).toContain('beyond the size that showed')
  })
})

/** Every rule with words that only its sentence has. */
const RULES: Readonly<Record<Rule['rule'], string>> = {
  profit_target: 'aimed at',
  max_daily_loss: "day's floor",
  daily_profit_cap: "day's cap",
  max_loss: 'the floor is',
  min_trading_days: 'trading days',
  winning_days: 'winning days',
  time_limit: 'were over',
  inactivity: 'without a fill',
  consistency: 'a share of',
  max_position_size: 'a position of',
  max_open_positions: 'open positions',
  max_orders_per_day: 'orders in a day',
  max_total_exposure: 'an exposure of',
  scaling_plan: 'the plan allows',
  allowed_symbols: 'may not be traded',
  allowed_sides: 'orders are not allowed',
  allowed_sessions: 'outside the hours',
  max_risk_per_trade: 'in one trade',
  max_risk_per_idea: 'in one idea',
  max_open_loss: 'what floats',
  min_holding_time: 'held too shortly',
  weekend_flat: "weekend's cut-off",
  session_flat: "session's cut-off",
  news_window: 'news window',
  detectors: 'for review',
}
test.each(Object.entries(RULES))('a breach of %s is told in its own words', (rule, words) => {
  const breach = { value: '90', limit: '95' }
  expect(tellBreach(rule, breach, 'USD')).toStartWith(`${rule}: `)
  expect(tellBreach(rule, breach, 'USD')).toContain(words)
  const warning = told({ kind: 'warning', phase: 0, rule, index: 0, fraction: '0.8', ...breach })
  expect(warning).toStartWith(`0.8 of what ${rule} allows was used: `)
  expect(warning.split(rule)).toHaveLength(2)
})

test('locks, pauses, stop-outs and bookings are told with their figures', () => {
  expect(told({ kind: 'lock', phase: 0, rule: 'max_loss', index: 0, until: 0 })).toContain('1970-01-01T00:00:00.000Z')
  expect(told({ kind: 'lock', phase: 0, rule: null, index: null, until: null })).toBe('the account was unlocked')
  expect(told({ kind: 'pause', phase: 0, paused: true, count: 2 })).toBe('pause 2 began')
  const stopped = { position: 'o1', symbol: 'BTC/USD', equity: '49', used: '100', level: '0.5' }
  expect(told({ kind: 'stop_out', phase: 0, ...stopped })).toContain('equity 49 is below 0.5 x 100')
  const booked = { amount: '-1', currency: 'USD', rate: '1', rate_mseq: [], booked: '-1.00' }
  const carry = { position: 'o1', symbol: 'BTC/USD', quantity: '10', mark: '100', rate: '0.001', rate_mseq: 4 }
  expect(told({ kind: 'carry', phase: 0, what: 'funding', ...carry, booked, postings: [] })).toBe(
    'funding of -1.00 USD on 10 BTC/USD: mark 100, rate 0.001',
  )
})
