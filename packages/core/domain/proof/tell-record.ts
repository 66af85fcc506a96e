/** A record of a journal as a sentence for people: every rule, every kind of fill. */
import type { JournalRecord } from '../engine/types.ts'
import type { Rule } from '../rules/types.ts'

type RecordOf<K extends JournalRecord['kind']> = Extract<JournalRecord, { kind: K }>
type Breach = Pick<RecordOf<'violation'>, 'value' | 'limit'>

/** What each rule compares: `value` is what it found, `limit` what it holds against. */
const RULES: Readonly<Record<Rule['rule'], (breach: Breach, currency: string) => string>> = {
  profit_target: ({ value, limit }, c) => `a profit of ${value} ${c} of the ${limit} ${c} aimed at`,
  max_daily_loss: ({ value, limit }, c) => `the day's floor is ${limit} ${c}, the account stood at ${value} ${c}`,
  daily_profit_cap: ({ value, limit }, c) => `the day's cap is ${limit} ${c}, the account stood at ${value} ${c}`,
  max_loss: ({ value, limit }, c) => `the floor is ${limit} ${c}, the account stood at ${value} ${c}`,
  min_trading_days: ({ value, limit }) => `${value} of ${limit} trading days`,
  winning_days: ({ value, limit }) => `${value} of ${limit} winning days`,
  time_limit: ({ limit }) => `its ${limit} days were over with objectives open`,
  inactivity: ({ value, limit }) => `${value} days without a fill, less than ${limit} are allowed`,
  consistency: ({ value, limit }) => `a share of ${value} in one, ${limit} is allowed`,
  max_position_size: ({ value, limit }) => `a position of ${value}, ${limit} is allowed`,
  max_open_positions: ({ value, limit }) => `${value} open positions, ${limit} are allowed`,
  max_orders_per_day: ({ value, limit }) => `${value} orders in a day, ${limit} are allowed`,
  max_total_exposure: ({ value, limit }, c) => `an exposure of ${value} ${c}, ${limit} ${c} is allowed`,
  scaling_plan: ({ value, limit }) => `a size of ${value}, the plan allows ${limit} now`,
  allowed_symbols: ({ value }) => `${value} may not be traded`,
  allowed_sides: ({ value }) => `${value} orders are not allowed`,
  allowed_sessions: ({ value }) => `outside the hours that are allowed: ${value}`,
  max_risk_per_trade: ({ value, limit }, c) =>
    limit === '0'
      ? `${value} positions without a stop that protects them`
      : `a risk of ${value} ${c} in one trade, ${limit} ${c} is allowed`,
  max_risk_per_idea: ({ value, limit }, c) => `a loss of ${value} ${c} in one idea, ${limit} ${c} is allowed`,
  max_open_loss: ({ value, limit }, c) =>
    `the floor under what floats is ${limit} ${c}, the account stood at ${value} ${c}`,
  min_holding_time: ({ value, limit }) => `${value} trades were held too shortly, ${limit} of all may be`,
  weekend_flat: ({ value }) => `${value} positions stood at the weekend's cut-off`,
  session_flat: ({ value }) => `${value} positions stood at the session's cut-off`,
  news_window: () => 'it happened inside a news window that forbids it',
  detectors: ({ value }) => `found for review: ${value}`,
}
const tellFound = (rule: string, breach: Breach, currency: string): string =>
  (RULES[rule as Rule['rule']] ?? RULES.max_loss)(breach, currency)
/** What a rule found, in words. */
export const tellBreach = (rule: string, breach: Breach, currency: string): string =>
  `${rule}: ${tellFound(rule, breach, currency)}`

const CLOSED_BY: Readonly<Record<string, string>> = {
  close: 'because the phase ended',
  stop_out: 'by the stop-out: equity did not carry the margin',
  lock: 'because the account was locked',
  flat: 'because the rules ask to be flat by then',
  settlement: 'because the market was settled',
}
function tellFill(r: RecordOf<'fill'>): string {
  const { source } = r
  const of = source.kind === 'slippage' ? 'beyond the size that showed' : `from the ${source.kind} m${source.mseq}`
  const why = CLOSED_BY[r.order] ?? `for ${exitOf(r.order)} ${r.order}`
  const costs = [r.result && `result ${r.result.booked}`, r.fee && `fee ${r.fee.booked}`].filter(Boolean).join(', ')
  const did = r.side === 'buy' ? 'bought' : 'sold'
  return `${did} ${r.quantity} ${r.symbol} at ${r.price} as ${r.liquidity} ${of} (${source.price} at ${source.venue}) ${why}${costs ? `: ${costs}` : ''}`
}
const exitOf = (order: string): string =>
  order.endsWith('.tp')
    ? 'the take-profit'
    : order.endsWith('.sl')
      ? 'the stop-loss'
      : order.endsWith('.stop')
        ? 'the stop leg'
        : 'the order'

/** One sentence for a record; amounts are in the account's currency. */
export function tellRecord(r: JournalRecord, currency: string): string {
  switch (r.kind) {
    case 'header':
      return `an account of ${r.initial_balance} ${r.currency} began`
    case 'command':
      return r.answer.ok
        ? `the command ${r.command.op} was taken`
        : `the command ${r.command.op} was refused, ${r.answer.code}: ${r.answer.detail}`
    case 'phase':
      return `phase ${r.phase} ${r.status} with a balance of ${r.balance} ${currency}`
    case 'fill':
      return tellFill(r)
    case 'order':
      return `${exitOf(r.order)} ${r.order}: ${r.status}${r.reason ? `, ${r.reason}` : ''}, ${r.filled} filled`
    case 'carry':
      return `${r.what} of ${r.booked.booked} ${currency} on ${r.quantity} ${r.symbol}: mark ${r.mark}, rate ${r.rate}`
    case 'stop_out':
      return `stop-out of ${r.symbol}: equity ${r.equity} is below ${r.level} x ${r.used} of margin`
    case 'lock':
      return r.rule === null ? 'the account was unlocked' : `${r.rule} locked the account until ${instant(r.until)}`
    case 'warning':
      return `${r.fraction} of what ${r.rule} allows was used: ${tellFound(r.rule, r, currency)}`
    case 'pause':
      return r.paused ? `pause ${r.count} began` : `it went on${r.reason ? `: ${r.reason}` : ''}`
    case 'floor':
      return `the floor of ${r.rule} is ${r.floor} ${currency}`
    case 'day':
      return `day ${r.k} began: balance ${r.balance}, equity ${r.equity} ${currency}`
    case 'target':
      return `the profit target was ${r.reached ? 'reached' : 'lost'} at ${r.value} ${currency}`
    case 'violation':
      return `${r.provisional ? 'it looks as if ' : ''}${tellBreach(r.rule, r, currency)} (${r.effect})`
    case 'withdrawn':
      return `the breach of ${r.rule} was none: ${r.value} against ${r.limit} ${currency}`
    case 'verdict':
      return `${r.verdict}${r.rule ? ` by ${r.rule}` : ''}: balance ${r.balance}, equity ${r.equity} ${currency}`
    case 'checkpoint':
      return 'the state was noted'
    case 'sealed':
      return `the log that record ${r.verdict_aseq} stands on was sealed`
  }
}
const instant = (ms: number | null): string => (ms === null ? 'it is lifted' : new Date(ms).toISOString())
