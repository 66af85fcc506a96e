import type { Strategy } from '@assay/core/domain/strategies/strategy'
import { runBacktest } from '../../scripts/backtest/run-backtest.ts'
import { EVERY, FEE_BPS, INITIAL, type Plan, PRICE_PLACES, QUANTITY, SYMBOL } from './recording.ts'
import type { Outcome, Side } from './side.ts'

const TIER = {
  name: 'bench',
  currency: 'ETH',
  initial_balance: INITIAL,
  instruments: [
    {
      symbol: SYMBOL,
      kind: 'spot',
      price_tick: (10 ** -PRICE_PLACES).toFixed(PRICE_PLACES),
      quantity_step: QUANTITY,
      commission: { bps: FEE_BPS },
    },
  ],
  phases: [
    {
      kind: 'evaluation',
      rules: [
        { rule: 'profit_target', pct: '8' },
        { rule: 'max_daily_loss', anchor: 'balance', limit: { pct: '5', of: 'initial' } },
        { rule: 'max_loss', mode: 'static', limit: { pct: '10' } },
      ],
    },
  ],
}

/** `assay backtest` in this process: the strategy sees each event before the next one is released. */
export function backtestSide(plan: Plan): Side {
  return {
    name: 'ours',
    async run(): Promise<Outcome> {
      const { strategy, seen } = alternating(plan.orders)
      const cpu = process.cpuUsage()
      const from = performance.now()
      const { result } = await runBacktest({ recording: plan.file, tier: TIER, strategy, out: null })
      const seconds = (performance.now() - from) / 1000
      const { user, system } = process.cpuUsage(cpu)
      const fills = result.fills.map(({ at, quantity, price }): [number, number, number] => [
        Date.parse(at),
        Number(quantity),
        Number(price),
      ])
      return { seconds, runSeconds: seconds, cpuSeconds: (user + system) / 1e6, seen: seen(), fills }
    },
  }
}
/** Buys and sells in turn. */
function alternating(orders: number): { strategy: Strategy; seen: () => number } {
  let seen = 0
  let placed = 0
  const strategy: Strategy = {
    name: 'alternating',
    summary: 'a market order at every 12th trade',
    decide() {
      if (++seen % EVERY > 0 || placed === orders) return null
      const side = placed++ % 2 === 0 ? 'buy' : 'sell'
      return { symbol: SYMBOL, side, type: 'market', quantity: QUANTITY }
    },
  }
  return { strategy, seen: () => seen }
}
