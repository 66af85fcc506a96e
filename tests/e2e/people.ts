import type { AssessmentResource } from '@assay/core/contracts/wire/assessment'
import type { PurchaseResource } from '@assay/core/contracts/wire/purchase'
import type { Api } from './api.ts'
import { OPERATOR } from './platform.ts'

export interface Person {
  id: string
  email: string
  password: string
  token: string
  refreshToken: string
  /** with the person's access token */
  api: Api
  /** with an API key that an operator gave a bot's limits */
  bot: Api
  key: string
}
export interface Tokens {
  token: string
  refresh_token: string
  expires_in: number
}
const LIMITS = { orders_per_second: 10_000, requests_per_minute: 600_000 }

export const operatorToken = async (api: Api): Promise<string> =>
  (await api.post<Tokens>('/api/auth/login', OPERATOR)).token

export async function signUp(api: Api, name: string, operator: string): Promise<Person> {
  const who = { email: `${name}@traders.example`, password: `${name} has a long password` }
  const { user } = await api.post<{ user: { id: string } }>('/api/auth/register', who)
  const { token, refresh_token: refreshToken } = await api.post<Tokens>('/api/auth/login', who)
  const { key } = await api
    .as(operator)
    .post<{ key: string }>('/api/api-keys', { name: `${name} bot`, user_id: user.id, limits: LIMITS })
  return { ...who, id: user.id, token, refreshToken, api: api.as(token), bot: api.as(key), key }
}

/** A started assessment under a tier of the catalogue. */
export async function startAssessment({ api }: Person, tier: string): Promise<string> {
  const { id: purchase_id } = await api.post<PurchaseResource>('/api/purchases', { tier_id: tier })
  const { id } = await api.post<AssessmentResource>('/api/assessments', { purchase_id })
  await api.post(`/api/assessments/${id}/start`)
  return id
}
