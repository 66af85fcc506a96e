import type { AssessmentResource } from '@assay/core/contracts/wire/assessment'
import type { OrderAnswer } from '@assay/core/contracts/wire/order'
import type { PurchaseResource } from '@assay/core/contracts/wire/purchase'
import { type Client, client } from '../../scripts/demo/client.ts'
import { OPERATOR } from './platform.ts'

const TIER = 'two-step-100k-usd'
const SCOPES = ['trading:read', 'trading:write', 'orders:write', 'market:read']
const LIMITS = { orders_per_second: 10_000, requests_per_minute: 600_000 }

export interface Traders {
  bot: Client
  assessments: string[]
}
/** A trader's API key with a bot's limits. */
export async function addTrader(anonymous: Client, operator: Client, name: string): Promise<string> {
  const trader = { email: `${name}@traders.example`, password: `${name} has a long password` }
  const { user } = await anonymous.post<{ user: { id: string } }>('/api/auth/register', trader)
  const asked = { name, user_id: user.id, scopes: SCOPES, limits: LIMITS }
  return (await operator.post<{ key: string }>('/api/api-keys', asked)).key
}
export async function openAssessment(bot: Client): Promise<string> {
  const { id: purchase_id } = await bot.post<PurchaseResource>('/api/purchases', { tier_id: TIER })
  const { id } = await bot.post<AssessmentResource>('/api/assessments', { purchase_id })
  await bot.post(`/api/assessments/${id}/start`)
  return id
}
/** A bot with started assessments, over HTTP, and its key. */
export async function signUp(url: string, assessments: number): Promise<Traders & { key: string }> {
  const anonymous = client(url)
  const { token } = await anonymous.post<{ token: string }>('/api/auth/login', OPERATOR)
  const key = await addTrader(anonymous, anonymous.as(token), 'bench')
  const bot = anonymous.as(key)
  const ids: string[] = []
  for (let n = 0; n < assessments; n++) ids.push(await openAssessment(bot))
  return { bot, key, assessments: ids }
}

const BITCOIN = { symbol: 'BTC/USD', quantity: '0.001' }
/** Each assessment sends its next order when the last one is answered, until `stop` or a failure. */
export function trade(
  { bot, assessments }: Pick<Traders, 'bot' | 'assessments'>,
  what = BITCOIN,
): { stop(): Promise<{ answered: number; failed: number }> } {
  let trading = true
  let answered = 0
  let failed = 0
  const running = assessments.map(async (id) => {
    for (let n = 0; trading; n++) {
      const order = { ...what, side: n % 2 ? 'sell' : 'buy', type: 'market' }
      await bot.post<OrderAnswer>(`/api/assessments/${id}/orders`, order)
      answered++
    }
  })
  for (const one of running) one.catch(() => failed++)
  return {
    async stop() {
      trading = false
      await Promise.allSettled(running)
      return { answered, failed }
    },
  }
}
