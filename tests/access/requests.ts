import type { Caller, ObjectOf } from '../../scripts/access/table.ts'
import { type Objects, TIER } from './objects.ts'
import type { Person } from './people.ts'

export interface Asking {
  /** whose objects the row speaks of */
  objects: Objects
  owner: Person
  caller: Caller
  /** who asks; absent: somebody without a name */
  sender?: Person | null
  object: ObjectOf
  /** what the caller sends */
  credential: string | null
}
export interface Asked {
  /** for the names in the path */
  params?: Record<string, string>
  query?: string
  body?: unknown
  headers?: Record<string, string>
  /** statuses that say the same as the table's */
  alike?: readonly number[]
  /** sent in place of the caller's: somebody like the caller */
  credential?: string
  /** the credential is of no use afterwards */
  ends?: boolean
}
type Build = (asking: Asking) => Asked | Promise<Asked>

/** all there is: whoever must not be in a list may be on its last page */
const whole: Build = () => ({ query: 'limit=500' })
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
let last = 0
const unique = (): string => `x${++last}-${crypto.randomUUID().slice(0, 8)}`
const market = { symbol: 'BTC/USD', side: 'buy', type: 'market', quantity: '0.001' }

const onTrading: Build = async ({ objects }) => ({ params: { id: (await objects.trading()).id } })
const onFlat: Build = async ({ objects }) => ({ params: { id: await objects.flat() } })
const onOrder =
  (body?: unknown): Build =>
  async ({ objects }) => {
    const { id, order } = await objects.trading()
    return { params: { id, oid: order }, body }
  }
/** a list that an operator may ask of somebody else */
const ofUser = ({ owner, object }: Asking): Asked => (object === 'own' ? {} : { query: `user_id=${owner.id}` })
const ofPassword = ({ owner }: Asking) => ({ body: { password: owner.password } })
const feedOf =
  (key: string): Build =>
  () => ({ params: { key } })
const ofSymbol: Build = () => ({ params: { symbol: 'BTC-USD' } })
const TIER_DOCUMENT = (({ id, ...document }) => document)(TIER)

/** A request of each route that is right in everything but perhaps who sends it; a route that is not here needs nothing. */
export const REQUESTS: Readonly<Record<string, Build>> = {
  'GET /api/users': whole,
  'GET /api/tenants': whole,
  'GET /api/invitations': whole,
  'GET /api/audit': whole,
  'GET /api/api-keys': whole,
  'GET /api/purchases': whole,
  'GET /api/assessments': whole,

  'POST /api/auth/register': () => ({ body: { email: `${unique()}@new.example`, password: 'quite a long password' } }),
  'POST /api/auth/login': ({ owner: { email, password } }) => ({ body: { email, password } }),
  'POST /api/auth/refresh': async ({ objects }) => ({
    body: { refresh_token: (await objects.login()).refresh_token },
  }),

  'GET /api/auth/sessions': ofUser,
  'DELETE /api/auth/sessions/{id}': async ({ objects }) => ({ params: { id: await objects.session() } }),
  'GET /api/auth/devices': ofUser,
  'DELETE /api/auth/devices/{id}': async ({ objects }) => ({ params: { id: await objects.device() } }),
  'POST /api/auth/totp/enable': ofPassword,
  'POST /api/auth/totp/disable': (asking) => ({ body: { ...ofPassword(asking).body, code: '000000' } }),
  'POST /api/auth/totp/verify': () => ({ body: { code: '000000' } }),
  'GET /api/usage': ofUser,

  'POST /api/auth/logout': () => ({ ends: true }),

  'POST /api/api-keys': ({ owner, object }) => ({
    body: { name: unique(), scopes: ['keys:write'], ...(object !== 'own' && { user_id: owner.id }) },
  }),
  'POST /api/api-keys/{id}/rotate': async ({ objects }) => ({ params: { id: await objects.apiKey() }, body: {} }),
  'DELETE /api/api-keys/{id}': async ({ objects }) => ({ params: { id: await objects.apiKey() } }),

  'PATCH /api/users/me': () => ({ body: { name: 'Somebody' } }),
  'GET /api/users/{id}': ({ owner }) => ({ params: { id: owner.id } }),
  'PATCH /api/users/{id}': async ({ objects, object, owner }) => ({
    params: { id: object === 'own' ? owner.id : (await objects.person()).id },
    body: { disabled: false },
  }),
  'POST /api/tenants': () => ({ body: { id: unique(), name: 'New' } }),
  'PATCH /api/tenants/{id}': ({ owner }) => ({ params: { id: owner.tenant }, body: { name: unique() } }),
  'POST /api/invitations': () => ({ body: { email: `${unique()}@new.example` } }),
  'DELETE /api/invitations/{id}': async ({ objects }) => ({ params: { id: await objects.invitation() } }),
  'POST /api/invitations/{id}/accept': () => ({
    params: { id: crypto.randomUUID() },
    body: { token: 'none', password: 'quite a long phrase' },
  }),
  'POST /api/auth/hash-password': () => ({ body: { password: 'quite a long phrase' } }),
  'POST /api/auth/password/forgot': () => ({ body: { email: `${unique()}@new.example` } }),
  'POST /api/auth/password/reset': () => ({ body: { token: 'none', password: 'quite a long phrase' } }),
  'POST /api/auth/email/verify': () => ({ body: { token: 'none' } }),
  'GET /api/privacy/export': ofUser,
  'POST /api/privacy/erase': async ({ objects, object, sender }) => {
    const person = await objects.person()
    if (object === 'own')
      return { body: { password: person.password }, ...(!objects.standing && { credential: person.token }) }
    return { body: { password: sender?.password ?? 'none', user_id: person.id } }
  },

  'GET /.well-known/oauth-authorization-server/{resource}': () => ({ params: { resource: 'mcp' } }),
  'GET /.well-known/oauth-protected-resource/{resource}': () => ({ params: { resource: 'mcp' } }),
  'GET /oauth/authorize': async ({ objects }) => ({ query: await objects.authorization() }),
  'POST /oauth/login': () => ({ headers: FORM, body: 'request=none&email=nobody@new.example&password=nothing' }),
  'POST /oauth/consent': () => ({ headers: FORM, body: 'ticket=none&decision=allow' }),
  'POST /oauth/token': () => ({ headers: FORM, body: 'grant_type=authorization_code&client_id=none&code=none' }),
  'POST /oauth/revoke': () => ({ headers: FORM, body: 'token=none&client_id=none' }),
  'POST /oauth/register': () => ({ body: { client_name: unique(), redirect_uris: ['https://new.example/callback'] } }),

  'GET /api/tiers/{id}': () => ({ params: { id: TIER.id } }),
  'POST /api/tiers': () => ({ body: { ...TIER_DOCUMENT, id: unique(), name: unique() } }),
  'PATCH /api/tiers/{id}': async ({ objects }) => ({
    params: { id: await objects.soldTier() },
    body: { name: unique() },
  }),
  'DELETE /api/tiers/{id}': async ({ objects }) => ({ params: { id: await objects.soldTier() } }),
  'PUT /api/calendars/{name}': () => ({
    params: { name: unique() },
    body: { kind: 'holidays', dates: [{ date: '2024-12-25' }] },
  }),
  'GET /api/presets/{id}': ({ objects }) => objects.preset().then((id) => ({ params: { id } })),

  'POST /api/purchases': () => ({ body: { tier_id: TIER.id } }),
  'GET /api/purchases/{id}': async ({ objects }) => ({ params: { id: await objects.purchase() } }),
  'POST /api/assessments': async ({ objects }) => ({ body: { purchase_id: await objects.purchase() } }),
  'GET /api/assessments/{id}': onTrading,
  'POST /api/assessments/{id}/start': async ({ objects }) => ({ params: { id: await objects.created() } }),
  'POST /api/assessments/{id}/abandon': onFlat,
  'POST /api/assessments/{id}/pause': onFlat,
  'POST /api/assessments/{id}/resume': async ({ objects }) => ({ params: { id: await objects.paused() } }),
  'GET /api/assessments/{id}/account': onTrading,
  'GET /api/assessments/{id}/equity': onTrading,
  'GET /api/assessments/{id}/positions': onTrading,
  'GET /api/assessments/{id}/trades': onTrading,
  'GET /api/assessments/{id}/orders': onTrading,
  'GET /api/assessments/{id}/rules': onTrading,
  'GET /api/assessments/{id}/violations': onTrading,
  'GET /api/assessments/{id}/journal': onTrading,
  // once a segment of the log has ended there is a proof
  'GET /api/assessments/{id}/proof': async (asking) => ({ ...(await onTrading(asking)), alike: [200, 202] }),
  'GET /api/assessments/{id}/explain': onTrading,
  'GET /api/assessments/{id}/orders/{oid}': onOrder(),
  'PATCH /api/assessments/{id}/orders/{oid}': onOrder({ price: '1001' }),
  'DELETE /api/assessments/{id}/orders/{oid}': onOrder(),
  'DELETE /api/assessments/{id}/orders': onTrading,
  'POST /api/assessments/{id}/orders': async (asking) => ({ ...(await onFlat(asking)), body: market }),
  'POST /api/assessments/{id}/orders/preview': async (asking) => ({ ...(await onFlat(asking)), body: market }),
  'POST /api/assessments/{id}/positions/{pid}/close': async ({ objects }) => {
    const { id, position } = await objects.trading()
    return { params: { id, pid: position }, body: {} }
  },
  'SUBSCRIBE ticks:{key}': feedOf('BTC/USD'),
  'SUBSCRIBE candles:{key}': feedOf('BTC/USD:1m'),
  'SUBSCRIBE assessment:{key}': async ({ objects }) => ({ params: { key: (await objects.trading()).id } }),
  'GET /api/instruments/{symbol}': ofSymbol,
  'GET /api/market/ticker/{symbol}': ofSymbol,
  'GET /api/market/candles/{symbol}': ofSymbol,
  'GET /api/market/trades/{symbol}': ofSymbol,
}
