/** Tiers whose accounts go through everything: soft locks, floors that trail, caps, clocks, news, stop-outs, carry, pauses. */
import type { TierRequest } from '@assay/core/contracts/wire/tier'
import type { z } from 'zod'

export type TierSaid = z.input<typeof TierRequest>
export interface TierPlace {
  currency: string
  initial_balance: string
  symbols: readonly string[]
  /** instants with news, ISO 8601 */
  news: readonly string[]
  /** seconds before and after them */
  around: number
  /** local times in UTC */
  reset: string
  swap: string
  /** a fraction of the balance that a day is sure to lose */
  soft: string
}

/** Netting, all of it on one account, but a limit that ends it only far away. */
export const everything = ({ currency, initial_balance, symbols, news, around, reset, swap, soft }: TierPlace) =>
  ({
    name: 'Everything',
    currency,
    initial_balance,
    leverage: '5',
    queue_model: true,
    max_pauses: 100,
    max_pause_days: 1,
    warnings: ['0.25', '0.5', '0.8'],
    reset_time: reset,
    calendars: [
      { name: 'chaos-news', kind: 'news', events: news.map((at) => ({ at, currency, impact: 'high' as const })) },
    ],
    instruments: symbols.map((symbol) => ({
      symbol,
      swap: { zone: 'UTC', time: swap, unit: 'bps', long: '-1.5', short: '-0.5', triple: 3 },
      funding: { every_hours: 1, rate: '0.0001' },
      spread_markup_ticks: '1',
    })),
    phases: [
      {
        kind: 'evaluation',
        rules: [
          { rule: 'profit_target', pct: '60' },
          { rule: 'max_daily_loss', anchor: 'day_high', limit: { pct: soft, of: 'initial' }, effect: 'soft' },
          { rule: 'daily_profit_cap', anchor: 'balance', limit: { pct: soft, of: 'initial' }, effect: 'flag' },
          {
            rule: 'max_loss',
            mode: 'intraday_equity',
            limit: { pct: '40' },
            lock: { at: 'initial', offset: '0' },
          },
          { rule: 'max_open_loss', pct: '0.01', effect: 'flag' },
          { rule: 'max_risk_per_idea', pct: '0.01', effect: 'flag' },
          { rule: 'min_trading_days', n: 3, counts: 'opened_and_closed' },
          { rule: 'consistency', basis: 'positive_days', share: '0.6' },
          { rule: 'inactivity', days: 30, effect: 'flag' },
          { rule: 'min_holding_time', seconds: 5, share: '0.5' },
          {
            rule: 'news_window',
            calendar: 'chaos-news',
            before_s: around,
            after_s: around,
            forbids: ['open', 'activation', 'stop_trigger'],
          },
        ],
      },
    ],
  }) satisfies TierSaid

/** Tickets of a slow connection, triggered by prints; limits on orders. */
export const tickets = ({ currency, initial_balance, symbols, reset, swap }: TierPlace) =>
  ({
    name: 'Tickets',
    currency,
    initial_balance,
    leverage: '5',
    position_mode: 'hedging',
    latency_ms: 120,
    reset_time: reset,
    instruments: symbols.map((symbol) => ({
      symbol,
      trigger_price: 'last',
      swap: { zone: 'UTC', time: swap, unit: 'bps', long: '-1.5', short: '0.5', triple: null },
      funding: { every_hours: 1, rate: '-0.0002' },
    })),
    phases: [
      {
        kind: 'evaluation',
        rules: [
          { rule: 'profit_target', pct: '60', basis: 'equity', sticky: true },
          { rule: 'max_daily_loss', anchor: 'max', limit: { pct: '20', of: 'anchor' }, metric: 'min' },
          { rule: 'max_loss', mode: 'eod_equity', limit: { ratio: '0.4' }, effect: 'flag' },
          { rule: 'time_limit', days: 30, unit: 'trading', from: 'first_fill' },
          { rule: 'max_open_positions', n: 40 },
          { rule: 'max_orders_per_day', n: 100_000 },
          { rule: 'max_risk_per_trade', pct: '1', needs_stop: true, within_s: 3, effect: 'flag' },
          { rule: 'scaling_plan', base: '100000', steps: [{ above: '1', max: '1000000' }] },
        ],
      },
    ],
  }) satisfies TierSaid

/** No loss ends it: the stop-out does what limits do elsewhere. */
export const poor = ({ currency, initial_balance, symbols }: TierPlace) =>
  ({
    name: 'Poor',
    currency,
    initial_balance,
    leverage: '20',
    stop_out: '0.99',
    instruments: symbols.map((symbol) => ({ symbol, margin_rate: '0.05' })),
    phases: [
      {
        kind: 'evaluation',
        rules: [
          { rule: 'profit_target', pct: '90' },
          { rule: 'max_loss', mode: 'closed_balance', limit: { pct: '99' } },
        ],
      },
    ],
  }) satisfies TierSaid
