import { describe, expect, test } from 'bun:test'
import type { Calendar } from '../../domain/calendars/calendar.ts'
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
  expect(notSimulated(parsed)).toEqual([])
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
const zone = 'America/New_York'
/** Each rule of the rule book in its shortest form, and what is filled in. */
const RULES: [said: Record<string, unknown>, filled: Record<string, unknown>][] = [
  [
    { rule: 'profit_target', pct: '8' },
    { basis: 'balance', require_flat: true, sticky: false, effect: 'gate' },
  ],
  [
    { rule: 'max_daily_loss', anchor: 'day_high', limit: { pct: '5', of: 'anchor' }, effect: 'soft' },
    { metric: 'equity', compare: 'lt', tested: 'always' },
  ],
  [
    { rule: 'daily_profit_cap', anchor: 'balance', limit: { amount: '3000' } },
    { metric: 'equity', compare: 'lt', tested: 'always', effect: 'soft' },
  ],
  [
    { rule: 'max_loss', mode: 'intraday_equity', limit: { ratio: '0.06' }, lock: { at: 'initial' } },
    { lock: { at: 'initial', offset: '0' }, metric: 'equity', compare: 'lt', effect: 'hard' },
  ],
  [
    { rule: 'min_trading_days', n: 4 },
    { counts: 'opened', effect: 'gate' },
  ],
  [{ rule: 'winning_days', n: 5, amount: '200' }, { effect: 'gate' }],
  [
    { rule: 'time_limit', days: 30 },
    { unit: 'calendar', from: 'start', effect: 'hard' },
  ],
  [{ rule: 'inactivity', days: 30 }, { effect: 'hard' }],
  [
    { rule: 'consistency', basis: 'positive_days', share: '0.4' },
    { compare: 'lt', gross: false, effect: 'gate' },
  ],
  [
    { rule: 'max_position_size', quantity: '5' },
    { per: 'symbol', effect: 'gate' },
  ],
  [{ rule: 'max_open_positions', n: 3 }, { effect: 'gate' }],
  [{ rule: 'max_orders_per_day', n: 200 }, { effect: 'gate' }],
  [{ rule: 'max_total_exposure', notional: '1000000' }, { effect: 'gate' }],
  [
    { rule: 'scaling_plan', base: '3', steps: [{ above: '101500', max: '5' }] },
    { keeps: false, effect: 'gate' },
  ],
  [{ rule: 'allowed_symbols', symbols: ['EUR/USD'] }, { effect: 'gate' }],
  [{ rule: 'allowed_sides', sides: ['buy'] }, { effect: 'gate' }],
  [{ rule: 'allowed_sessions', zone, windows: [{ days: [1, 2], from: '09:30', to: '16:00' }] }, { effect: 'gate' }],
  [
    { rule: 'max_risk_per_trade', pct: '1' },
    { needs_stop: false, within_s: 0, effect: 'gate' },
  ],
  [
    { rule: 'max_risk_per_idea', pct: '3' },
    { within_s: 120, compare: 'lt', effect: 'hard' },
  ],
  [
    { rule: 'max_open_loss', pct: '50', of: 'day_profit' },
    { compare: 'lt', effect: 'hard' },
  ],
  [
    { rule: 'min_holding_time', seconds: 60, share: '0.5' },
    { compare: 'lt', effect: 'flag' },
  ],
  [
    { rule: 'weekend_flat', time: '16:45', zone },
    { day: 5, effect: 'hard' },
  ],
  [{ rule: 'session_flat', minutes: 10 }, { effect: 'hard' }],
  [
    { rule: 'news_window', calendar: 'news', before_s: 120, after_s: 120, forbids: ['open'] },
    { impact: ['high'], also: {}, effect: 'gate' },
  ],
  [{ rule: 'detectors', detect: ['martingale'] }, { effect: 'flag' }],
]
const withTarget = (fields: object) =>
  tier({ phases: [{ kind: 'evaluation', rules: [fields, { rule: 'profit_target', pct: '8' }] }] })
test.each(RULES)('every rule is read with its defaults: %j', (said, filled) => {
  const [parsed] = parseTier(withTarget(said)).phases[0]!.rules
  expect(parsed as unknown).toEqual({ ...said, ...filled })
})
test('what only the jobs service reads is named as not simulated', () => {
  expect(notSimulated(parseTier(rule({ rule: 'detectors', detect: ['grid'] })))).toEqual(['detectors'])
})
describe('a rule that contradicts itself names the field', () => {
  test.each([
    [rule({ rule: 'max_loss', limit: { pct: '6' }, lock: { at: 'target' } }), 'phases[0].rules[0].lock'],
    [rule({ rule: 'max_loss', limit: { pct: '6' }, lock: { at: 'now' } }), 'phases[0].rules[0].lock.at'],
    [rule({ rule: 'max_loss', limit: { pct: '6', ratio: '0.1' } }), 'phases[0].rules[0].limit'],
    [rule({ rule: 'max_loss', limit: { pct: '6' }, effect: 'gate' }), 'phases[0].rules[0].effect'],
    [rule({ rule: 'max_position_size', quantity: '1', notional: '1' }), 'phases[0].rules[0]'],
    [rule({ rule: 'max_position_size', per: 'all', symbol: 'EUR/USD', quantity: '1' }), 'phases[0].rules[0].symbol'],
    [rule({ rule: 'max_risk_per_trade', pct: '1', needs_stop: true }), 'phases[0].rules[0].within_s'],
    [
      rule({
        rule: 'scaling_plan',
        base: '1',
        steps: [
          { above: '5', max: '1' },
          { above: '5', max: '2' },
        ],
      }),
      'phases[0].rules[0].steps[1].above',
    ],
    [
      rule({ rule: 'allowed_sessions', zone, windows: [{ days: [8], from: '09:30', to: '16:00' }] }),
      'phases[0].rules[0].windows[0].days[0]',
    ],
    [rule({ rule: 'weekend_flat', time: '25:00', zone }), 'phases[0].rules[0].time'],
    [rule({ rule: 'consistency', basis: 'total', share: '0' }), 'phases[0].rules[0].share'],
    [rule({ rule: 'time_limit', days: 30, effect: 'flag' }), 'phases[0].rules[0].effect'],
    [tier({ max_pauses: 2 }), 'max_pause_days'],
    [tier({ warnings: ['0.8', '0.5'] }), 'warnings[1]'],
    [tier({ stop_out: '1.5' }), 'stop_out'],
    [tier({ preset: { id: 'x', version: 1, hash: 'none' } }), 'preset.hash'],
  ])('%#', (document, field) => expect(refused(document)).toEqual(['validation_failed', field]))
})
test('a tier closes positions while equity is below half of the margin, unless it says otherwise', () => {
  const { stop_out: _, ...without } = tier()
  expect(parseTier(without).stop_out).toBe('0.5')
  expect(parseTier(tier({ stop_out: null })).stop_out).toBeNull()
})

describe('calendars', () => {
  const hours = {
    kind: 'sessions',
    name: 'cme',
    zone: 'America/Chicago',
    weekly: [
      { from: { day: 1, time: '00:00' }, to: { day: 5, time: '16:00' } },
      { from: { day: 7, time: '17:00' }, to: { day: 7, time: '24:00' } },
    ],
    holidays: 'cme-holidays',
  }
  const closed = { kind: 'holidays', name: 'cme-holidays', dates: [{ date: '2024-12-25' }] }
  const trading = { instruments: [{ symbol: 'EUR/USD', session_calendar: 'cme' }] }
  test('are pinned with an assessment: those that an instrument, a rule or another calendar names', () => {
    const parsed = parseTier(tier({ ...trading, calendars: [hours, closed, { ...closed, name: 'unused' }] }))
    const { spec } = specOf(parsed, CATALOGUE)
    expect(spec.calendars.map(({ name, version }) => [name, version])).toEqual([
      ['cme', 1],
      ['cme-holidays', 1],
    ])
    expect(Object.keys(spec)).not.toContain('preset')
  })
  test("a tier's own goes before one in force of the same name", () => {
    const parsed = parseTier(tier({ ...trading, calendars: [{ ...hours, holidays: null, version: 7 }] }))
    const inForce = { ...hours, version: 1 } as Calendar
    expect(specOf(parsed, CATALOGUE, { calendars: [inForce] }).spec.calendars).toMatchObject([{ version: 7 }])
  })
  const unresolved = (document: unknown): string | undefined => {
    try {
      specOf(parseTier(document), CATALOGUE)
    } catch (error) {
      return (error as AssayError).options.field
    }
  }
  test('one that is not there, or of another kind, is refused at the place that names it', () => {
    const news = { rule: 'news_window', calendar: 'cme-holidays', before_s: 1, after_s: 1, forbids: ['open'] }
    expect(unresolved(tier(trading))).toBe('instruments[0].session_calendar')
    expect(unresolved(tier({ ...trading, calendars: [hours] }))).toBe('calendars.cme.holidays')
    expect(unresolved({ ...(rule(news) as object), calendars: [closed] })).toBe('phases[0].rules[0].calendar')
  })
  test.each([
    [{ ...hours, weekly: [hours.weekly[0], hours.weekly[0]] }, 'calendars[0].weekly[1]'],
    [{ ...hours, zone: 'Moon/Base' }, 'calendars[0].zone'],
    [{ ...closed, dates: [{ date: '2024-02-30' }] }, 'calendars[0].dates[0].date'],
    [{ ...closed, dates: [{ date: '2024-12-25' }, { date: '2024-12-25' }] }, 'calendars[0].dates[1].date'],
    [
      { kind: 'news', name: 'n', events: [{ at: '2024-03-01T13:30:00', currency: 'USD', impact: 'high' }] },
      'calendars[0].events[0].at',
    ],
  ])('one that is not sound names its field: %#', (calendar, field) =>
    expect(refused(tier({ calendars: [calendar] }))).toEqual(['validation_failed', field]),
  )
})
describe('a document that no version reads names the field', () => {
  test.each([
    [tier({ initial_balance: 100000 }), 'initial_balance'],
    [tier({ initial_balance: '100000.001' }), 'initial_balance'],
    [tier({ price: 'much' }), 'price'],
    [tier({ warnings: ['0.5', 'x'] }), 'warnings[1]'],
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
