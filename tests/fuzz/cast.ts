import { openApi } from '../e2e/api.ts'
import type { Contract } from '../e2e/contract.ts'
import { operatorToken, type Tokens } from '../e2e/people.ts'
import type { Pools } from './pools.ts'

export const ROLES = ['anonymous', 'trader', 'bot', 'operator', 'admin'] as const
export type Role = (typeof ROLES)[number]
/** Somebody who asks. */
export interface Actor {
  role: Role
  credential: string | null
  /** with which it buys: a bot's key buys nothing, its owner does */
  buyer: string
}
const ASSESSMENT = '/api/assessments/{id}'
const MARKET = { symbol: 'BTC/USD', side: 'buy', type: 'market', quantity: '0.01' }
const RESTING = { symbol: 'BTC/USD', side: 'buy', type: 'limit', quantity: '0.01', price: '1000' }
const LIMITS = { orders_per_second: 10_000, requests_per_minute: 600_000 }

/**
 * People of every role. A request may take a credential away (a logout, a disabled user): whoever is refused is made
 * anew. The operator who makes them is nobody's target: the pools do not know him.
 */
export async function openCast(url: string, contract: Contract) {
  const anonymous = openApi(url, contract)
  const actors = new Map<Role, Actor>([['anonymous', { role: 'anonymous', credential: null, buyer: '' }]])
  const master = anonymous.as(await operatorToken(anonymous))
  const { user: masterUser } = await master.get<{ user: { id: string } }>('/api/auth/check')
  const furnished = new Map<Role, Actor>()
  let made = 0

  async function person(role: 'trader' | 'operator' | 'admin') {
    const name = `cast-${++made}-${Date.now().toString(36)}`
    const who = { email: `${name}@traders.example`, password: `${name} has a long password` }
    const headers = { 'x-forwarded-for': address() }
    const call = { body: who, headers }
    const { user } = (await anonymous.send<{ user: { id: string } }>('POST', '/api/auth/register', call)).body
    if (role !== 'trader') await master.send('PATCH', `/api/users/${user.id}`, { body: { role } })
    const tokens = (await anonymous.send<Tokens>('POST', '/api/auth/login', call)).body
    return { ...tokens, id: user.id }
  }
  async function make(role: Exclude<Role, 'anonymous'>): Promise<Actor> {
    if (role !== 'bot') {
      const { token } = await person(role)
      return { role, credential: token, buyer: token }
    }
    const owner = await person('trader')
    const { key } = await master.post<{ key: string }>('/api/api-keys', {
      name: 'fuzz bot',
      user_id: owner.id,
      limits: LIMITS,
    })
    return { role, credential: key, buyer: owner.token }
  }

  return {
    reserved: new Set([masterUser.id]),
    async actor(role: Role): Promise<Actor> {
      const known = actors.get(role)
      if (known) return known
      const actor = await make(role as Exclude<Role, 'anonymous'>)
      actors.set(role, actor)
      return actor
    },
    lost(role: Role): void {
      if (role !== 'anonymous') actors.delete(role)
    },
    /** Things of its own to ask about, where the role is new: bought tiers, running assessments with orders and positions. */
    async furnish(role: Role, pools: Pools, again = false): Promise<void> {
      const actor = await this.actor(role)
      if (role === 'anonymous' || (furnished.get(role) === actor && !again)) return
      if (furnished.get(role) !== actor) pools.forget(role)
      furnished.set(role, actor)
      const api = openApi(url, contract, actor.buyer)
      for (const id of [await buy(api), await buy(api)]) pools.add('/api/purchases', { values: [id], role })
      for (const started of [false, true, true]) {
        const id = await create(api, await buy(api))
        pools.add('/api/assessments', { values: [id], role })
        if (!started) continue
        const at = `/api/assessments/${id}`
        await api.post(`${at}/start`)
        await api.send('POST', `${at}/orders`, { body: MARKET })
        const { body } = await api.send<{ order?: { id: string } }>('POST', `${at}/orders`, { body: RESTING })
        if (body.order) pools.add(`${ASSESSMENT}/orders`, { values: [id, body.order.id], role })
        const { body: positions } = await api.send<{ items?: { id: string }[] }>('GET', `${at}/positions`)
        for (const item of positions.items ?? []) pools.add(`${ASSESSMENT}/positions`, { values: [id, item.id], role })
      }
    },
  }
}
export type Cast = Awaited<ReturnType<typeof openCast>>

/** Another one each time: what is limited by address is not what is tested here. */
export const address = (): string => {
  const at = ++addresses
  return `10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`
}
let addresses = 0

type Api = ReturnType<typeof openApi>
const buy = async (api: Api): Promise<string> =>
  (await api.post<{ id: string }>('/api/purchases', { tier_id: 'two-step-100k-usd' })).id
const create = async (api: Api, purchase_id: string): Promise<string> =>
  (await api.post<{ id: string }>('/api/assessments', { purchase_id })).id
