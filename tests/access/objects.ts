import { newPkce } from '@assay/services/gateway/oauth/testing/browser'
import { decodeJwt } from 'jose'
import { type Login, newcomer, type Person } from './people.ts'
import type { World } from './world.ts'

export interface Placed {
  id: string
  order: string
  position: string
}
const RESTING = { symbol: 'BTC/USD', side: 'buy', type: 'limit', quantity: '0.01', price: '1000' }
const NOW = { symbol: 'BTC/USD', side: 'buy', type: 'market', quantity: '0.001' }

const DAY_MS = 86_400_000

/** What is sold in every tenant of the test: free, and it may be paused. */
export const TIER = {
  id: 'walk',
  name: 'Walk',
  currency: 'USD',
  initial_balance: '10000',
  price: '0',
  leverage: '10',
  max_pauses: 5,
  max_pause_days: 5,
  phases: [
    {
      kind: 'evaluation',
      rules: [
        { rule: 'profit_target', pct: '50' },
        { rule: 'max_loss', mode: 'static', limit: { pct: '50' } },
      ],
    },
  ],
}

/** Objects of one person: those that stand for the whole walk, or new ones, where the request may use them up. */
export class Objects {
  private readonly made = new Map<string, Promise<unknown>>()

  constructor(
    private readonly world: World,
    readonly owner: Person,
    /** nothing may use them up: they stand for all requests that are refused */
    readonly standing = false,
  ) {}

  /** a paid purchase that nobody has used */
  purchase = () =>
    this.once('purchase', async () => (await this.post<{ id: string }>('/api/purchases', { tier_id: TIER.id })).id)
  created = () =>
    this.once('created', async () => {
      const { id: purchase_id } = await this.post<{ id: string }>('/api/purchases', { tier_id: TIER.id })
      return (await this.post<{ id: string }>('/api/assessments', { purchase_id })).id
    })
  /** started, without an order */
  flat = () =>
    this.once('flat', async () => {
      const { id: purchase_id } = await this.post<{ id: string }>('/api/purchases', { tier_id: TIER.id })
      const { id } = await this.post<{ id: string }>('/api/assessments', { purchase_id })
      await this.post(`/api/assessments/${id}/start`)
      return id
    })
  paused = () =>
    this.once('paused', async () => {
      const id = await new Objects(this.world, this.owner).flat()
      await this.post(`/api/assessments/${id}/pause`)
      return id
    })
  /** started, with an order that rests and an open position */
  trading = () =>
    this.once<Placed>('trading', async () => {
      const id = await new Objects(this.world, this.owner).flat()
      const { order } = await this.post<{ order: { id: string } }>(`/api/assessments/${id}/orders`, RESTING)
      await this.post(`/api/assessments/${id}/orders`, NOW)
      const { items } = await this.take<{ items: { id: string }[] }>('GET', `/api/assessments/${id}/positions`)
      return { id, order: order.id, position: items[0]!.id }
    })
  /** it ends before any key that may rotate it */
  apiKey = () =>
    this.once('key', async () => {
      const expires_at = new Date(Date.now() + 30 * DAY_MS).toISOString()
      const body = { name: 'standing', scopes: ['keys:write'], expires_at }
      return (await this.post<{ id: string }>('/api/api-keys', body)).id
    })
  /** of the tenant of its owner, made by the row of a table: who may sell is another question */
  soldTier = () =>
    this.once('tier', async () => {
      const id = `sold-${crypto.randomUUID().slice(0, 8)}`
      this.world.writes++
      await this.world.deps.db.query(
        `insert into trading.tier (tenant, id, version, hash, document, origin)
         select tenant, $2, version, hash, document, origin from trading.tier where tenant = $1 and id = $3`,
        [this.owner.tenant, id, TIER.id],
      )
      return id
    })
  preset = () =>
    this.once('preset', async () => (await this.take<{ items: { id: string }[] }>('GET', '/api/presets')).items[0]!.id)
  /** another login of theirs */
  login = () => {
    const { email, password } = this.owner
    return this.once('login', () => this.world.take<Login>('POST', '/api/auth/login', { body: { email, password } }))
  }

  /** the question of a registered client */
  authorization = () =>
    this.once('authorization', async () => {
      const redirect_uri = 'https://agent.example/callback'
      const body = { client_name: 'An agent', redirect_uris: [redirect_uri] }
      const { client_id } = await this.post<{ client_id: string }>('/oauth/register', body)
      const code_challenge = newPkce().challenge
      const asked = { response_type: 'code', client_id, redirect_uri, code_challenge, code_challenge_method: 'S256' }
      return new URLSearchParams(asked).toString()
    })
  /** whom a request may change or erase; of the standing ones the owner */
  person = () =>
    this.once('person', async () => {
      if (this.standing) return this.owner
      return newcomer(this.world, this.owner.role, this.owner.tenant)
    })
  /** into the tenant of the owner, by the house */
  invitation = () =>
    this.once('invitation', async () => {
      const email = `guest-${crypto.randomUUID().slice(0, 8)}@new.example`
      const body = { email, tenant: this.owner.tenant }
      const credential = this.world.house?.token
      return (await this.world.take<{ id: string }>('POST', '/api/invitations', { credential, body })).id
    })
  session = async () => String(decodeJwt((await this.login()).token).sid)
  device = () =>
    this.once('device', async () => {
      const { email, password } = this.owner
      const body = { email, password, device: 'a telephone' }
      const { token } = await this.world.take<Login>('POST', '/api/auth/login', { body })
      const [row] = await this.world.deps.db.query<{ id: string }>(
        'select device_id as id from gateway.sessions where id = $1',
        [String(decodeJwt(token).sid)],
      )
      return row!.id
    })

  async make(): Promise<void> {
    for (const make of [this.purchase, this.created, this.flat, this.trading, this.apiKey, this.device, this.session])
      await make()
  }

  once<T>(name: string, make: () => Promise<T>): Promise<T> {
    const made = this.made.get(name) ?? make()
    this.made.set(name, made)
    return made as Promise<T>
  }
  take<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.world.take<T>(method, path, { credential: this.owner.token, body })
  }
  post<T = unknown>(path: string, body?: unknown): Promise<T> {
    return this.take<T>('POST', path, body)
  }
}
