import { parseTier, type TierDocument } from '@assay/core/contracts/wire/tier'

interface Limits {
  /** percents of the initial balance */
  target: string
  daily: string
  max: string
  days?: number
}
const phase = ({ target, daily, max, days }: Limits) => ({
  kind: 'evaluation',
  rules: [
    { rule: 'profit_target', pct: target },
    { rule: 'max_daily_loss', anchor: 'balance', limit: { pct: daily, of: 'initial' } },
    { rule: 'max_loss', mode: 'static', limit: { pct: max } },
    ...(days ? [{ rule: 'min_trading_days', n: days, counts: 'opened' }] : []),
  ],
})
/** Passing its phases opens the funded one: the same losses, no target. */
const funded = ({ daily, max }: Pick<Limits, 'daily' | 'max'>) => ({
  kind: 'funded',
  rules: [
    { rule: 'max_daily_loss', anchor: 'balance', limit: { pct: daily, of: 'initial' } },
    { rule: 'max_loss', mode: 'static', limit: { pct: max } },
  ],
})

const twoStep = (currency: string, initial_balance: string, price: string) => ({
  name: `Two steps, ${initial_balance} ${currency}`,
  currency,
  initial_balance,
  price,
  leverage: '30',
  reset_zone: 'Europe/Prague',
  phases: [
    phase({ target: '10', daily: '5', max: '10', days: 4 }),
    phase({ target: '5', daily: '5', max: '10', days: 4 }),
    funded({ daily: '5', max: '10' }),
  ],
})
const oneStep = (currency: string, initial_balance: string, price: string) => ({
  name: `One step, ${initial_balance} ${currency}`,
  currency,
  initial_balance,
  price,
  leverage: '10',
  phases: [phase({ target: '8', daily: '3', max: '6', days: 2 })],
})
/** The tour's tier: ordinary limits, no leverage, one phase; one for each account currency. */
const demo = (currency: string, initial_balance: string) => ({
  name: `Demo, ${initial_balance} ${currency}`,
  currency,
  initial_balance,
  leverage: '1',
  price: '0',
  phases: [phase({ target: '5', daily: '3', max: '6' })],
})
const DEMO_BALANCES: Readonly<Record<string, string>> = {
  USD: '10000',
  EUR: '10000',
  GBP: '10000',
  CHF: '10000',
  AUD: '10000',
  CAD: '10000',
  USDT: '10000',
  USDC: '10000',
  JPY: '1000000',
  BTC: '1',
  ETH: '5',
}

/** The first catalogue, by id. Examples of rule sets; no firm's program is meant. */
export const TIER_CATALOGUE: Readonly<Record<string, TierDocument>> = {
  ...Object.fromEntries(
    Object.entries(DEMO_BALANCES).map(([currency, balance]) => [
      `demo-${currency.toLowerCase()}`,
      parseTier(demo(currency, balance)),
    ]),
  ),
  'one-step-25k-usd': parseTier(oneStep('USD', '25000', '199')),
  'one-step-25k-eur': parseTier(oneStep('EUR', '25000', '189')),
  'one-step-5m-jpy': parseTier(oneStep('JPY', '5000000', '39000')),
  'one-step-1-btc': parseTier(oneStep('BTC', '1', '0.004')),
  'one-step-25k-usdt': parseTier(oneStep('USDT', '25000', '199')),
  'two-step-50k-usd': parseTier(twoStep('USD', '50000', '299')),
  'two-step-100k-usd': parseTier(twoStep('USD', '100000', '540')),
  'two-step-100k-eur': parseTier(twoStep('EUR', '100000', '540')),
  'two-step-100k-gbp': parseTier(twoStep('GBP', '100000', '460')),
  /** The built-in payment provider refuses amounts that end in .13: the way to see a refused purchase. */
  'refused-payment': parseTier({
    ...oneStep('USD', '10000', '99.13'),
    name: 'One step, its payment is refused (test)',
  }),
}
