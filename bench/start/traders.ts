import type { AssessmentResource } from '@assay/core/contracts/wire/assessment'
import type { OrderAnswer } from '@assay/core/contracts/wire/order'
import type { PurchaseResource } from '@assay/core/contracts/wire/purchase'
import { type Client, client } from '../../scripts/demo/client.ts'
import { OPERATOR } from './platform.ts'

const TIER = 'two-step-100k-usd'
const LIMITS = { orders_per_second: 10_000, requests_per_minute: 600_000 }

export interface Traders {
  bot: Client
  key: string
  assessments: string[]
}
/** A bot with started assessments, over HTTP. */
export async function signUp(url: string, assessments: number): Promise<Traders> {
  const anonymous = client(url)
  const trader = { email: 'bench@traders.example', password: 'the bench trader 1' }
  const { user } = await anonymous.post<{ user: { id: string } }>('/api/auth/register', trader)
  const { token } = await anonymous.post<{ token: string }>('/api/auth/login', OPERATOR)
  const scopes = ['trading:read', 'trading:write', 'orders:write', 'market:read']
  const asked = { name: 'bench', user_id: user.id, scopes, limits: LIMITS }
  const { key } = await anonymous.as(token).post<{ key: string }>('/api/api-keys', asked)
  const bot = anonymous.as(key)
  const ids: string[] = []
  for (let n = 0; n < assessments; n++) {
    const { id: purchase_id } = await bot.post<PurchaseResource>('/api/purchases', { tier_id: TIER })
    const { id } = await bot.post<AssessmentResource>('/api/assessments', { purchase_id })
    await bot.post(`/api/assessments/${id}/start`)
    ids.push(id)
  }
  return { bot, key, assessments: ids }
}

/** Each assessment sends its next order when the last one is answered, until `stop` or a failure. */
export function trade({ bot, assessments }: Traders): { stop(): Promise<{ answered: number; failed: number }> } {
  let trading = true
  let answered = 0
  let failed = 0
  const running = assessments.map(async (id) => {
    for (let n = 0; trading; n++) {
      const order = { symbol: 'BTC/USD', side: n % 2 ? 'sell' : 'buy', type: 'market', quantity: '0.001' }
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
