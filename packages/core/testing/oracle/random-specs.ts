import type { Calendar } from '../../domain/calendars/calendar.ts'
import type { AccountSpec, MinTradingDaysRule, Rule } from '../../domain/engine/types.ts'
import type { Instrument } from '../../domain/instruments/instrument.ts'
import { pick } from '../random-world.ts'
import { PLAIN_ACCOUNT } from '../world.ts'
import type { Has, Random, Weather } from './worlds.ts'

interface Setting {
  weather: Weather
  instruments: Instrument[]
  has: Has
}
/** An account under random rules of every kind that the world has. */
export function specOf(random: Random, { weather, instruments, has }: Setting): AccountSpec {
  const currency = weather.coarse ? 'USD' : pick(random, ['USD', 'USD', 'EUR', 'JPY'])
  const unit = currency === 'JPY' ? 100 : 1
  const money = (thousands: number) => String(thousands * 1000 * unit)
  const chance = (share: number) => random() < share
  const rules = (): Rule[] =>
    rulesOf(random, { money, has, instruments })
      .map((rule) => ({ rule, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ rule }) => rule)
  return {
    ...PLAIN_ACCOUNT,
    engine: 1,
    currency,
    initial_balance: money(100),
    leverage: pick(random, ['10', '30', '100']),
    position_mode: has('hedging') && chance(0.35) ? 'hedging' : 'netting',
    stop_out: has('margin') && chance(0.6) ? pick(random, ['0.5', '0.9', '2', '10']) : null,
    queue_model: has('queue') && chance(0.4),
    latency_ms: has('latency') && chance(0.25) ? pick(random, [1, 250, 60_000, 900_000]) : 0,
    max_pauses: has('pause') ? pick(random, [0, 1, 3]) : 0,
    max_pause_days: has('pause') ? pick(random, [1, 2, 10]) : 0,
    warnings: has('warnings') && chance(0.6) ? pick(random, [['0.5', '0.8', '0.95'], ['0.1'], ['0.333', '1']]) : [],
    group: 'main',
    reset_zone: pick(random, ['Europe/Prague', 'America/New_York', 'UTC', 'Australia/Lord_Howe']),
    reset_time: pick(random, ['00:00', '01:30', '02:00', '02:30', '17:00']),
    phases: [
      { kind: 'evaluation', rules: rules() },
      { kind: 'evaluation', rules: rules() },
      { kind: 'funded', rules: rules() },
    ],
    instruments,
    calendars: has('sessions') || has('news') ? calendarsOf(random, weather) : [],
  }
}

interface Ground {
  money: (thousands: number) => string
  has: Has
  instruments: Instrument[]
}
function rulesOf(random: Random, { money, has, instruments }: Ground): Rule[] {
  const chance = (share: number) => random() < share
  const compare = () => pick(random, ['lt', 'lte'] as const)
  const metric = () => pick(random, ['equity', 'equity', 'min', 'balance'] as const)
  const consequence = () =>
    has('losses') ? pick(random, ['hard', 'hard', 'soft', 'soft', 'flag'] as const) : ('hard' as const)
  const symbol = () => pick(random, instruments).symbol
  const daily = (): Rule => ({
    rule: 'max_daily_loss',
    anchor: pick(random, ['balance', 'equity', 'max', 'initial', 'day_high'] as const),
    limit: chance(0.4)
      ? { amount: money(pick(random, [1, 2, 4])) }
      : { pct: pick(random, ['1', '2.5', '4']), of: pick(random, ['initial', 'anchor'] as const) },
    metric: metric(),
    compare: compare(),
    tested: chance(0.25) ? 'reset' : 'always',
    effect: consequence(),
  })
  const cap = (): Rule => ({ ...(daily() as Extract<Rule, { rule: 'max_daily_loss' }>), rule: 'daily_profit_cap' })
  const overall = (): Rule => ({
    rule: 'max_loss',
    mode: has('losses')
      ? pick(random, ['static', 'eod_balance', 'eod_equity', 'closed_balance', 'intraday_equity'] as const)
      : 'static',
    lock: has('losses')
      ? pick(random, [
          null,
          null,
          { at: 'initial', offset: '0' },
          { at: 'initial', offset: '100' },
          { at: 'target' },
        ] as const)
      : null,
    metric: metric(),
    compare: compare(),
    effect: consequence(),
    limit:
      has('losses') && chance(0.2)
        ? { ratio: pick(random, ['0.02', '0.05']) }
        : chance(0.5)
          ? { pct: pick(random, ['2', '4', '6']) }
          : { amount: money(pick(random, [2, 4, 6])) },
  })
  const openLoss = (): Rule => ({
    rule: 'max_open_loss',
    pct: pick(random, ['0.5', '1', '30']),
    of: pick(random, ['balance', 'balance', 'day_profit'] as const),
    compare: compare(),
    effect: consequence(),
  })
  const target = (): Rule => ({
    rule: 'profit_target',
    basis: pick(random, ['balance', 'equity'] as const),
    require_flat: chance(0.5),
    sticky: chance(0.4),
    effect: 'gate',
    ...(chance(0.5) ? { pct: pick(random, ['0.5', '1', '3']) } : { amount: money(pick(random, [0.5, 1, 2])) }),
  })
  const days = (): MinTradingDaysRule => {
    const counts = pick(random, ['opened', 'opened_and_closed', 'moved', 'won'] as const)
    const pct = counts === 'moved' || counts === 'won' ? { pct: pick(random, ['0.1', '0.5', '1']) } : {}
    return { rule: 'min_trading_days', n: pick(random, [1, 1, 2, 3]), counts, ...pct, effect: 'gate' }
  }
  const winning = (): Rule => ({
    rule: 'winning_days',
    n: pick(random, [1, 2]),
    amount: money(pick(random, [0.1, 0.5])),
    effect: 'gate',
  })
  const consistency = (): Rule => ({
    rule: 'consistency',
    basis: pick(random, ['total', 'positive_days', 'target', 'trade', 'lots'] as const),
    share: pick(random, ['0.3', '0.5', '0.9']),
    compare: compare(),
    gross: chance(0.4),
    effect: 'gate',
  })
  const timeLimit = (): Rule => ({
    rule: 'time_limit',
    days: pick(random, [1, 3, 6]),
    unit: pick(random, ['calendar', 'trading'] as const),
    from: pick(random, ['start', 'first_fill'] as const),
    effect: 'hard',
  })
  const inactivity = (): Rule => ({ rule: 'inactivity', days: pick(random, [1, 2]), effect: consequence() })
  const size = (): Rule => {
    const per = pick(random, ['symbol', 'all'] as const)
    const one = chance(0.4) ? { symbol: symbol() } : {}
    const most = chance(0.5)
      ? { quantity: pick(random, ['300', '2000', '9000']) }
      : { notional: money(pick(random, [20, 60, 200])) }
    return { rule: 'max_position_size', per, ...(per === 'symbol' ? one : {}), ...most, effect: 'gate' }
  }
  const limits = (): Rule =>
    pick(random, [
      size,
      size,
      (): Rule => ({ rule: 'max_open_positions', n: pick(random, [1, 2, 4]), effect: 'gate' }),
      (): Rule => ({ rule: 'max_orders_per_day', n: pick(random, [2, 6]), effect: 'gate' }),
      (): Rule => ({ rule: 'max_total_exposure', notional: money(pick(random, [50, 200])), effect: 'gate' }),
      (): Rule => ({
        rule: 'scaling_plan',
        base: '3000',
        steps: [
          { above: money(100.2), max: '6000' },
          { above: money(101), max: '20000' },
        ],
        keeps: chance(0.5),
        effect: 'gate',
      }),
      (): Rule => ({ rule: 'allowed_symbols', symbols: [symbol(), symbol(), symbol(), symbol()], effect: 'gate' }),
      (): Rule => ({ rule: 'allowed_sides', sides: [pick(random, ['buy', 'sell'] as const)], effect: 'gate' }),
      (): Rule => ({
        rule: 'allowed_sessions',
        zone: pick(random, ['Europe/Prague', 'America/New_York']),
        windows: [
          { days: [1, 2, 3, 4, 5], from: '02:15', to: '20:00' },
          { days: [5, 6, 7], from: '21:00', to: '02:30' },
        ],
        effect: 'gate',
      }),
    ])()
  const perTrade = (): Rule => ({
    rule: 'max_risk_per_trade',
    pct: pick(random, ['0.5', '1']),
    needs_stop: chance(0.5),
    within_s: pick(random, [0, 60, 3600]),
    effect: chance(0.4) ? 'gate' : consequence(),
  })
  const perIdea = (): Rule => ({
    rule: 'max_risk_per_idea',
    pct: pick(random, ['0.5', '1', '2']),
    within_s: pick(random, [0, 120, 3600]),
    compare: compare(),
    effect: consequence(),
  })
  const holding = (): Rule => ({
    rule: 'min_holding_time',
    seconds: pick(random, [60, 1800]),
    share: pick(random, ['0', '0.5', '0.25']),
    compare: compare(),
    effect: chance(0.4) ? 'gate' : consequence(),
  })
  const weekend = (): Rule => ({
    rule: 'weekend_flat',
    day: 5,
    time: '15:45',
    zone: 'America/New_York',
    effect: consequence(),
  })
  const session = (): Rule => ({ rule: 'session_flat', minutes: pick(random, [0, 5, 30]), effect: consequence() })
  const news = (): Rule => ({
    rule: 'news_window',
    calendar: 'news',
    before_s: pick(random, [0, 120, 3600]),
    after_s: pick(random, [0, 120, 7200]),
    impact: pick(random, [['high'], ['high', 'medium']] as ('high' | 'medium')[][]),
    also: { CHF: [symbol()] },
    forbids: pick(random, [
      ['open', 'close', 'activation', 'stop_trigger'],
      ['open'],
      ['close', 'stop_trigger'],
      ['open', 'activation'],
    ] as ('open' | 'close' | 'activation' | 'stop_trigger')[][]),
    effect: pick(random, ['gate', 'hard', 'soft', 'flag'] as const),
  })
  const withTarget = (rules: Rule[]): Rule[] =>
    rules.some((r) => r.rule === 'profit_target') ? rules : rules.filter((r) => !needsTarget(r))
  const some = (make: () => Rule, ...share: number[]): Rule[] => share.flatMap((p) => (chance(p) ? [make()] : []))
  return withTarget([
    ...some(target, 0.95, 0.1),
    ...some(daily, 0.8, 0.3),
    ...some(overall, 0.8, 0.2),
    ...some(days, 0.5, 0.2),
    ...(has('losses') ? [...some(cap, 0.3), ...some(openLoss, 0.25)] : []),
    ...(has('clocks')
      ? [...some(winning, 0.15), ...some(consistency, 0.25), ...some(timeLimit, 0.25), ...some(inactivity, 0.25)]
      : []),
    ...(has('limits') ? some(limits, 0.35, 0.15) : []),
    ...(has('conduct') ? [...some(perTrade, 0.15), ...some(perIdea, 0.25), ...some(holding, 0.2)] : []),
    ...(has('sessions') ? [...some(weekend, 0.2), ...some(session, 0.2)] : []),
    ...(has('news') ? some(news, 0.2) : []),
  ])
}
const needsTarget = (rule: Rule): boolean =>
  (rule.rule === 'max_loss' && rule.lock?.at === 'target') ||
  (rule.rule === 'consistency' && (rule.basis === 'target' || rule.basis === 'trade'))

function calendarsOf(random: Random, { start }: Weather): Calendar[] {
  const date = (days: number) => new Date(start + days * 86_400_000).toISOString().slice(0, 10)
  return [
    {
      name: 'fx',
      version: 1,
      kind: 'sessions',
      zone: 'America/New_York',
      weekly: [
        { from: { day: 7, time: '17:00' }, to: { day: 7, time: '24:00' } },
        { from: { day: 1, time: '00:00' }, to: { day: 5, time: '17:00' } },
      ],
      holidays: 'days',
    },
    {
      name: 'desk',
      version: 1,
      kind: 'sessions',
      zone: 'Europe/Prague',
      weekly: [1, 2, 3, 4, 5, 7].map((day) => ({ from: { day, time: '02:30' }, to: { day, time: '20:15' } })),
      holidays: null,
    },
    {
      name: 'days',
      version: 1,
      kind: 'holidays',
      dates: [{ date: date(2) }, { date: date(4), close: '13:00' }],
    },
    {
      name: 'news',
      version: 1,
      kind: 'news',
      events: Array.from({ length: 60 }, () => ({
        at: new Date(start + Math.floor(random() * 12 * 1440) * 60_000).toISOString(),
        currency: pick(random, ['USD', 'EUR', 'JPY', 'CHF', 'BTC']),
        impact: pick(random, ['low', 'medium', 'high'] as const),
      })),
    },
  ]
}
