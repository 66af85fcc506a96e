/** Vectors of the rule book through the same door as `assay backtest`: prices with bid = ask, orders by the second. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runBacktest } from './run-backtest.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-vectors-'))
export const removeVectors = (): void => rmSync(folder, { recursive: true, force: true })

export const tradable = (symbol: string, more: object = {}) => ({
  symbol,
  kind: 'spot',
  base: symbol.split('/')[0],
  quote: 'USD',
  contract_size: '1',
  price_tick: '0.001',
  quantity_step: '1',
  min_quantity: '1',
  max_quantity: '1000000',
  margin_rate: '0.01',
  commission: { bps: '0' },
  slippage_bps: '0',
  clip: '1000000',
  stale_limit_ms: null,
  ...more,
})
export const daily = (more: object = {}) => ({
  rule: 'max_daily_loss',
  anchor: 'balance',
  limit: { pct: '5', of: 'initial' },
  ...more,
})
export const overall = (more: object = {}) => ({ rule: 'max_loss', mode: 'static', limit: { pct: '10' }, ...more })

/** A price of TST/USD, or of the symbol that is named; `bid/ask` where they differ. */
export type Quote = [time: string, price: string, symbol?: string]
/** A market order in TST/USD, or a whole command at a time. */
export type Trade = [time: string, side: 'buy' | 'sell', quantity: string] | { at: string; [field: string]: unknown }
let files = 0

const commandOf = (trade: Trade): object => {
  if (!Array.isArray(trade)) return trade
  const [at, side, quantity] = trade
  return { at, op: 'order', symbol: 'TST/USD', side, type: 'market', quantity }
}
export async function run(rules: object[], quotes: readonly Quote[], trades: readonly Trade[], more: object = {}) {
  mkdirSync(folder, { recursive: true })
  const recording = join(folder, `r${++files}.csv`)
  const lines = quotes.map(([t, p, symbol = 'TST/USD']) => {
    const [bid, ask = bid] = p.split('/')
    return `${t},${symbol},${bid},${ask}`
  })
  writeFileSync(recording, `timestamp,symbol,bid,ask\n${lines.join('\n')}\n`)
  const orders = trades.map((trade) => JSON.stringify(commandOf(trade))).join('\n')
  const tier = {
    name: 'vector',
    currency: 'USD',
    initial_balance: '100000',
    leverage: '100',
    reset_zone: 'Europe/Prague',
    reset_time: '00:00',
    instruments: [tradable('TST/USD')],
    phases: [{ kind: 'evaluation', rules }],
    ...more,
  }
  const { result } = await runBacktest({ recording, tier, orders, ordersName: 'orders', out: null })
  return result
}
export const floorsOf = (result: Awaited<ReturnType<typeof run>>, rule = 'max_daily_loss') =>
  result.floors.filter((f) => f.rule === rule).map((f) => f.floor)
/** March 2024; the 4th is a Monday, Prague is UTC+1: its midnight is 23:00 UTC. */
export const T = (text: string): string => `2024-03-${text}Z`

/** Buys at 100 and sells at the price that books `result` on 1,000, at 10:00 of each day from the 4th on. */
export function daysOf(results: readonly number[]): { quotes: Quote[]; trades: Trade[] } {
  const quotes: Quote[] = []
  const trades: Trade[] = []
  results.forEach((result, i) => {
    const day = String(4 + i).padStart(2, '0')
    quotes.push([T(`${day}T08:00:00`), '100'], [T(`${day}T10:00:00`), String(100 + result / 1000)])
    trades.push([T(`${day}T09:00:00`), 'buy', '1000'], [T(`${day}T10:00:01`), 'sell', '1000'])
  })
  quotes.push([T(`${String(4 + results.length).padStart(2, '0')}T08:00:00`), '100'])
  return { quotes, trades }
}
