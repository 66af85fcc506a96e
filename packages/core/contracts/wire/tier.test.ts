import { describe, expect, test } from 'bun:test'
import { CATALOGUE } from '../../domain/instruments/catalogue.ts'
import type { AssayError } from '../errors.ts'
import { specOf } from './account-spec.ts'
import { notSimulated, parseTier } from './tier.ts'

const rule = (fields: object) => tier({ phases: [{ kind: 'evaluation', rules: [fields] }] })
const tier = (over: object = {}) => ({
  name: 'two step 100k',
  currency: 'USD',
  initial_balance: '100000',
  leverage: '30',
  stop_out: '0.5',
  position_mode: 'netting',
  reset_zone: 'Europe/Prague',
  reset_time: '00:00',
  price: '540',
  fees: 'preset or instrument',
  instruments: [{ symbol: 'EUR/USD', commission: { per_lot: '0' } }],
  phases: [
    {
      kind: 'evaluation',
      rules: [
        { rule: 'profit_target', pct: '8', basis: 'balance', require_flat: true, sticky: false },
        {
          rule: 'max_daily_loss',
          anchor: 'balance',
          limit: { pct: '5', of: 'initial' },
          metric: 'equity',
          compare: 'lt',
          tested: 'always',
          effect: 'hard',
        },
        {
          rule: 'max_loss',
          mode: 'static',
          limit: { pct: '10' },
          lock: null,
          metric: 'equity',
          compare: 'lt',
          effect: 'hard',
        },
        { rule: 'min_trading_days', n: 4, counts: 'opened' },
      ],
    },
  ],
  ...over,
})
function refused(document: unknown): [code: string, field: string | undefined] {
  try {
    parseTier(document)
  } catch (error) {
    return [(error as AssayError).code, (error as AssayError).options.field]
  }
  return ['accepted', undefined]
}

test('the document of the specification is a tier, word for word', () => {
  const parsed = parseTier(tier())
  expect(parsed.phases[0]!.rules[0]).toEqual({
    rule: 'profit_target',
    pct: '8',
    basis: 'balance',
    require_flat: true,
    sticky: false,
    effect: 'gate',
  })
  expect(notSimulated(parsed)).toEqual(['stop_out'])
})
test('what is left out has the defaults of the rule book', () => {
  const parsed = parseTier(
    tier({
      phases: [
        {
          kind: 'evaluation',
          rules: [
            { rule: 'profit_target', amount: '500' },
            { rule: 'max_daily_loss', anchor: 'max', limit: { pct: '5' } },
          ],
        },
      ],
    }),
  )
  expect(parsed.phases[0]!.rules).toEqual([
    { rule: 'profit_target', amount: '500', basis: 'balance', require_flat: true, sticky: false, effect: 'gate' },
    {
      rule: 'max_daily_loss',
      anchor: 'max',
      limit: { pct: '5', of: 'initial' },
      metric: 'equity',
      compare: 'lt',
      tested: 'always',
      effect: 'hard',
    },
  ])
})
describe('a rule of a later version is refused by name and place', () => {
  test.each([
    [rule({ rule: 'time_limit', days: 30 }), 'phases[0].rules[0].rule'],
    [rule({ rule: 'max_loss', mode: 'intraday_equity', limit: { pct: '6' } }), 'phases[0].rules[0].mode'],
    [rule({ rule: 'max_loss', mode: 'static', limit: { ratio: '0.06' } }), 'phases[0].rules[0].limit.ratio'],
    [rule({ rule: 'max_loss', limit: { pct: '6' }, lock: { at: 'target' } }), 'phases[0].rules[0].lock'],
    [
      rule({ rule: 'max_daily_loss', anchor: 'balance', limit: { pct: '5' }, effect: 'soft' }),
      'phases[0].rules[0].effect',
    ],
    [tier({ position_mode: 'hedging' }), 'position_mode'],
    [tier({ max_pauses: 2 }), 'max_pauses'],
  ])('%#', (document, field) => expect(refused(document)).toEqual(['not_supported', field]))
})
describe('a document that no version reads names the field', () => {
  test.each([
    [tier({ initial_balance: 100000 }), 'initial_balance'],
    [tier({ initial_balance: '100000.001' }), 'initial_balance'],
    [tier({ currency: 'XAU' }), 'currency'],
    [tier({ reset_zone: 'Europe/Atlantis' }), 'reset_zone'],
    [tier({ reset_time: '24:00' }), 'reset_time'],
    [tier({ leverag: '30' }), 'leverag'],
    [tier({ phases: [] }), 'phases'],
    [rule({ rule: 'max_los', limit: { pct: '6' } }), 'phases[0].rules[0].rule'],
    [rule({ rule: 'max_loss', limit: { pct: '6', amount: '5' } }), 'phases[0].rules[0].limit'],
    [rule({ rule: 'max_loss', limit: { pct: '-6' } }), 'phases[0].rules[0].limit.pct'],
    [rule({ rule: 'min_trading_days', n: 4, counts: 'moved' }), 'phases[0].rules[0].pct'],
    [tier({ instruments: [{ symbol: 'GOLD' }] }), 'instruments[0].symbol'],
    [tier({ instruments: [{ symbol: 'EUR/USD', tick: '1' }] }), 'instruments[0].tick'],
    [tier({ instruments: [{ symbol: 'EUR/USD' }, { symbol: 'EUR/USD' }] }), 'instruments[1].symbol'],
    ['not a document', undefined],
  ])('%#', (document, field) => expect(refused(document)).toEqual(['validation_failed', field]))
})
test('a tier overrides the fee of a catalogue symbol and defines one of its own, whose defaults are named', () => {
  const inline = { symbol: 'TST/USD', quantity_step: '1', stale_limit_ms: null }
  const parsed = parseTier(tier({ instruments: [{ symbol: 'EUR/USD', commission: { per_lot: '0' } }, inline] }))
  const { spec, defaults } = specOf(parsed, CATALOGUE)
  const of = (symbol: string) => spec.instruments.find((instrument) => instrument.symbol === symbol)!
  expect(of('EUR/USD').commission).toEqual({ per_lot: '0' })
  expect(of('EUR/USD').price_tick).toBe('0.00001')
  expect(of('TST/USD')).toMatchObject({ base: 'TST', quote: 'USD', min_quantity: '1', conversions: { USD: [] } })
  expect(defaults).toContain('TST/USD.clip')
  expect(defaults).not.toContain('TST/USD.quantity_step')
})
