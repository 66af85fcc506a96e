import type { Calendar } from '../domain/calendars/calendar.ts'
import type { Rule } from '../domain/engine/types.ts'
import { pick } from './random.ts'

type Random = () => number
const some = (random: Random, share: number, make: () => Rule): Rule[] => (random() < share ? [make()] : [])

/** Sessions of a working day with a holiday, and news every few hours: around both changes of the clock. */
export const CALENDARS: Calendar[] = [
  {
    name: 'floor',
    version: 1,
    kind: 'sessions',
    zone: 'America/New_York',
    weekly: [1, 2, 3, 4, 5].map((day) => ({ from: { day, time: '03:00' }, to: { day, time: '16:00' } })),
    holidays: 'closed',
  },
  {
    name: 'closed',
    version: 1,
    kind: 'holidays',
    dates: [{ date: '2024-04-01' }, { date: '2024-10-28', close: '12:00' }],
  },
  {
    name: 'news',
    version: 1,
    kind: 'news',
    events: ['2024-03-29', '2024-03-30', '2024-03-31', '2024-10-25', '2024-10-26'].flatMap((date) =>
      ['09:00', '13:30', '18:00'].map((time, i) => ({
        at: `${date}T${time}:00Z`,
        currency: i === 1 ? 'USD' : 'EUR',
        impact: 'high' as const,
      })),
    ),
  },
]

/** A target, loss limits of every mode and effect, gates, limits on orders and clocks: each now and then. */
export function randomRules(random: Random): Rule[] {
  const compare = (): 'lt' | 'lte' => pick(random, ['lt', 'lte'] as const)
  const metric = (): 'equity' | 'balance' | 'min' => pick(random, ['equity', 'equity', 'min', 'balance'] as const)
  const effect = (): 'hard' | 'soft' | 'flag' => pick(random, ['hard', 'hard', 'soft', 'flag'] as const)
  const daily = (): Rule => ({
    rule: 'max_daily_loss',
    anchor: pick(random, ['balance', 'equity', 'max', 'initial', 'day_high'] as const),
    limit:
      random() < 0.3
        ? { amount: '2000' }
        : { pct: pick(random, ['1', '3']), of: pick(random, ['initial', 'anchor'] as const) },
    metric: metric(),
    compare: compare(),
    tested: random() < 0.15 ? 'reset' : 'always',
    effect: effect(),
  })
  const overall = (): Rule => ({
    rule: 'max_loss',
    mode: pick(random, ['static', 'eod_balance', 'eod_equity', 'closed_balance', 'intraday_equity', 'intraday_equity']),
    limit: pick(random, [{ pct: '2' }, { pct: '6' }, { amount: '2500' }, { ratio: '0.04' }]),
    lock: pick(random, [null, null, { at: 'initial', offset: '100' }, { at: 'target' }]),
    metric: metric(),
    compare: compare(),
    effect: effect(),
  })
  return [
    {
      rule: 'profit_target',
      pct: pick(random, ['1', '3', '8']),
      basis: pick(random, ['balance', 'equity'] as const),
      require_flat: random() < 0.5,
      sticky: random() < 0.3,
      effect: 'gate',
    },
    daily(),
    overall(),
    ...some(random, 0.2, overall),
    ...some(random, 0.4, () => ({
      rule: 'min_trading_days',
      n: pick(random, [1, 2]),
      counts: pick(random, ['opened', 'opened_and_closed'] as const),
      effect: 'gate',
    })),
    ...some(random, 0.2, () => ({
      ...(daily() as Extract<Rule, { rule: 'max_daily_loss' }>),
      rule: 'daily_profit_cap',
      effect: pick(random, ['soft', 'flag'] as const),
    })),
    ...some(random, 0.15, () => ({ rule: 'winning_days', n: 1, amount: '200', effect: 'gate' })),
    ...some(random, 0.15, () => ({
      rule: 'time_limit',
      days: pick(random, [1, 2]),
      unit: pick(random, ['calendar', 'trading'] as const),
      from: pick(random, ['start', 'first_fill'] as const),
      effect: 'hard',
    })),
    ...some(random, 0.15, () => ({ rule: 'inactivity', days: 1, effect: effect() })),
    ...some(random, 0.2, () => ({
      rule: 'consistency',
      basis: pick(random, ['total', 'positive_days', 'target', 'trade', 'lots'] as const),
      share: pick(random, ['0.5', '0.9']),
      compare: compare(),
      gross: random() < 0.5,
      effect: 'gate',
    })),
    ...some(random, 0.15, () => ({ rule: 'max_position_size', per: 'symbol', quantity: '500', effect: 'gate' })),
    ...some(random, 0.15, () => ({ rule: 'max_open_positions', n: 2, effect: 'gate' })),
    ...some(random, 0.15, () => ({ rule: 'max_orders_per_day', n: 20, effect: 'gate' })),
    ...some(random, 0.15, () => ({ rule: 'max_total_exposure', notional: '300000', effect: 'gate' })),
    ...some(random, 0.15, () => ({
      rule: 'scaling_plan',
      base: '600',
      steps: [{ above: '100500', max: '900' }],
      keeps: random() < 0.5,
      effect: 'gate',
    })),
    ...some(random, 0.1, () => ({ rule: 'allowed_sides', sides: ['buy'], effect: 'gate' })),
    ...some(random, 0.15, () => ({
      rule: 'max_risk_per_trade',
      pct: '1',
      needs_stop: random() < 0.5,
      within_s: 600,
      effect: pick(random, ['flag', 'gate', 'soft'] as const),
    })),
    ...some(random, 0.2, () => ({
      rule: 'max_risk_per_idea',
      pct: pick(random, ['0.5', '1']),
      within_s: 120,
      compare: compare(),
      effect: effect(),
    })),
    ...some(random, 0.2, () => ({
      rule: 'max_open_loss',
      pct: pick(random, ['1', '30']),
      of: pick(random, ['balance', 'day_profit'] as const),
      compare: compare(),
      effect: effect(),
    })),
    ...some(random, 0.15, () => ({
      rule: 'min_holding_time',
      seconds: 900,
      share: '0.5',
      compare: compare(),
      effect: pick(random, ['flag', 'soft'] as const),
    })),
    ...some(random, 0.15, () => ({
      rule: 'weekend_flat',
      day: 5,
      time: '15:45',
      zone: 'America/New_York',
      effect: 'flag',
    })),
    ...some(random, 0.15, () => ({ rule: 'session_flat', minutes: 10, effect: 'flag' })),
    ...some(random, 0.15, () => ({
      rule: 'news_window',
      calendar: 'news',
      before_s: 600,
      after_s: 1800,
      impact: ['high'],
      also: {},
      forbids: ['open', 'close', 'activation', 'stop_trigger'],
      effect: pick(random, ['gate', 'flag', 'soft'] as const),
    })),
  ]
}
