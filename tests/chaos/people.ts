/** Sign-up, purchase and keys of the people whose orders run while the platform is killed. */
import { everything, poor, type TierPlace, tickets } from './chaos-tiers.ts'
import { OPERATOR } from './platform.ts'

export interface Person {
  key: string
  /** `trader` trades, `holder` buys once and holds, `burner` trades until its limits break and starts again */
  role: 'trader' | 'holder' | 'burner'
  assessments: string[]
}
/** By place among a person's assessments, in turns. */
const TIERS = {
  trader: ['chaos-everything', 'chaos-tickets', 'two-step-100k-usd', 'chaos-poor'],
  holder: ['chaos-everything', 'two-step-100k-usd'],
  burner: ['demo-usd'],
}
export const tierOf = (role: Person['role'], n: number): string => TIERS[role][n % TIERS[role].length]!
export const HEDGING = 'chaos-tickets'

/** Its day ends, its swap is booked and its news are while the platform is killed. */
async function sellTiers(url: string, operator: string): Promise<void> {
  const now = Date.now()
  const at = (ms: number): string => new Date(now + ms).toISOString()
  const place: TierPlace = {
    currency: 'USD',
    initial_balance: '100000',
    symbols: ['BTC/USD', 'ETH/USD'],
    news: [1, 2, 3, 4].map((n) => at(n * 45_000)),
    around: 4,
    reset: at(120_000).slice(11, 16),
    swap: at(180_000).slice(11, 16),
    soft: '0.02',
  }
  const sold = { 'chaos-everything': everything(place), 'chaos-tickets': tickets(place), 'chaos-poor': poor(place) }
  for (const [id, tier] of Object.entries(sold)) await ask(url, '/api/tiers', operator, { id, ...tier })
}
const SCOPES = ['trading:read', 'trading:write', 'orders:write', 'market:read']

/** JSON over HTTP; throws with the whole answer when it is no success. */
export async function ask<T>(url: string, path: string, credential?: string, body?: unknown, key?: string): Promise<T> {
  const answer = await fetch(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      'content-type': 'application/json',
      ...(credential ? { authorization: `Bearer ${credential}` } : {}),
      ...(key ? { 'idempotency-key': key } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`)
  return JSON.parse(text) as T
}

export async function signUp(url: string, roles: readonly (readonly [Person['role'], number])[]): Promise<Person[]> {
  const operator = await logIn(url)
  await sellTiers(url, operator)
  const people: Person[] = []
  for (const [role, count] of roles) {
    const key = await keyFor(url, role, operator)
    const assessments: string[] = []
    for (let n = 0; n < count; n++) assessments.push(await buy(url, key, tierOf(role, n), `${role}-${n}`))
    people.push({ key, role, assessments })
  }
  return people
}
export const logIn = async (url: string): Promise<string> =>
  (await ask<{ token: string }>(url, '/api/auth/login', undefined, OPERATOR)).token

/** A new trader's API key, made by an operator so that it may send more than a person. */
export async function keyFor(url: string, name: string, operator: string): Promise<string> {
  const who = { email: `${name}@chaos.example`, password: 'a long enough password' }
  await ask(url, '/api/auth/register', undefined, who)
  const { token } = await ask<{ token: string }>(url, '/api/auth/login', undefined, who)
  const { user } = await ask<{ user: { id: string } }>(url, '/api/auth/check', token)
  const limits = { orders_per_second: 10_000, requests_per_minute: 600_000 }
  const wanted = { name, user_id: user.id, scopes: SCOPES, limits }
  return (await ask<{ key: string }>(url, '/api/api-keys', operator, wanted)).key
}

/** A started assessment; every step may be repeated under the same name. */
export async function buy(url: string, key: string, tier: string, name: string): Promise<string> {
  const id = await create(url, key, tier, name)
  await ask(url, `/api/assessments/${id}/start`, key, {}, `${name}-start`)
  return id
}
export async function create(url: string, key: string, tier: string, name: string): Promise<string> {
  const purchase = await ask<{ id: string }>(url, '/api/purchases', key, { tier_id: tier }, `${name}-buy`)
  const body = { purchase_id: purchase.id }
  return (await ask<{ id: string }>(url, '/api/assessments', key, body, `${name}-make`)).id
}
