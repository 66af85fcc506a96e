import type { Json } from './operations.ts'
import type { Pools } from './pools.ts'
import type { Recipe } from './requests.ts'
import { isKnown, type Value } from './values.ts'

/** Bodies whose fields must fit each other, which a schema does not say. */
export function recipesOf(_parts: { home: string; pools: Pools }): Map<string, Recipe> {
  return new Map<string, Recipe>([
    ['POST /api/assessments/{id}/orders', order],
    ['POST /api/assessments/{id}/orders/preview', order],
    ['PATCH /api/assessments/{id}/orders/{oid}', amended],
    ['POST /api/api-keys', key],
    ['POST /api/tiers', tier],
    ['PATCH /api/tiers/{id}', changedTier],
    ['PUT /api/calendars/{name}', calendar],
  ])
}
type Fields = Record<string, Value>
const fieldsOf = (body: Value): Fields =>
  typeof body === 'object' && body !== null && !isKnown(body) ? (body as Fields) : {}

/** Two of three orders are ones that a market takes; the third is what the schema allows. */
const order: Recipe = (body, pick) => {
  const given = fieldsOf(body)
  if (pick % 3 === 0) return body
  const side = given.side as Json
  const common = { symbol: 'BTC/USD', side, quantity: '0.01' }
  const orders: Fields[] = [
    { ...common, type: 'market' },
    { ...common, type: 'limit', price: side === 'buy' ? '1000' : '900000' },
    { ...common, type: 'stop', stop_price: side === 'buy' ? '900000' : '1000' },
    { ...common, type: 'trailing_stop', trail: { pct: '5' } },
    { ...common, type: 'limit', price: '1000', side: 'buy', time_in_force: 'day' },
  ]
  return orders[pick % orders.length]!
}
/** What rests is a limit order far from the market. */
const amended: Recipe = (body, pick) =>
  pick % 3 === 0 ? body : pick % 3 === 1 ? { price: '1001' } : { quantity: '0.02' }
const key: Recipe = (body, pick) => (pick % 3 === 0 ? body : { name: `key ${pick}` })
const tier: Recipe = (body, pick) => {
  if (pick % 4 === 0) return body
  const name = `Fuzz ${pick} ${Date.now()}`
  const rules: Value[] = [
    { rule: 'profit_target', pct: '8' },
    { rule: 'max_daily_loss', limit: { pct: '5' } },
    { rule: 'max_loss', limit: { pct: '10' } },
  ]
  const made: Fields = { name, currency: 'USD', initial_balance: '50000', phases: [{ kind: 'evaluation', rules }] }
  return pick % 2 ? made : { ...made, price: '10', leverage: '10', max_pauses: 2, max_pause_days: 3 }
}
/** What is sold stays sold under the tier that everybody buys. */
const changedTier: Recipe = (body, pick) =>
  pick % 4 === 0 ? body : { price: String(pick % 100), max_pauses: pick % 3 }
const calendar: Recipe = (body, pick) => {
  if (pick % 4 === 0) return body
  const { name: _name, version: _version, ...rest } = fieldsOf(body)
  return pick % 2 ? rest : { kind: 'news', events: [] }
}
