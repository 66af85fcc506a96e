import { afterAll, beforeAll, expect, test } from 'bun:test'
import { parseTier } from '@assay/core/contracts/wire/tier'
import type { Row } from '@assay/core/ports/db/port'
import { openWorld, type World } from '@assay/services/trading/testing/world'
import { seedTiers } from '@assay/services/trading/tiers/seed-tiers'
import { auditDatabase } from './audit.ts'
import type { Ask } from './finding.ts'

let world: World
let second = 0
const next = () => new Date(Date.parse('2024-03-01T07:59:00Z') + second++ * 1000).toISOString()
const btc = (bid: string, ask: string) => world.quote(next(), bid, ask)
const ask: Ask = (sql, params = []) => world.database.db.query<Row>(sql, params as never)

beforeAll(async () => {
  world = await openWorld()
  const phases = [{ kind: 'evaluation', rules: [{ rule: 'max_loss', limit: { pct: '90' } }] }]
  const funding = { every_hours: 8, rate: '0.001' }
  const shared = { currency: 'USD', initial_balance: '10000', leverage: '10', phases }
  const instruments = [{ symbol: 'BTC/USD', funding }]
  await seedTiers(world.deps.db, 'default', {
    one: parseTier({ name: 'one', ...shared, instruments }),
    tickets: parseTier({ name: 'tickets', ...shared, position_mode: 'hedging', instruments }),
    late: parseTier({ name: 'late', ...shared, latency_ms: 500 }),
  })
  await btc('60000', '60001')
}, 60_000)
afterAll(() => world.close())

test('brackets, pairs, amendments, tickets, closes, pending orders and funding leave books and tables as the journals say', async () => {
  for (const tier of ['one', 'tickets', 'late']) {
    const id = await world.started('trader:ada', tier)
    const caller = world.as('trader:ada')
    const order = async (more: object) => {
      const said = { symbol: 'BTC/USD', side: 'buy', type: 'market', quantity: '0.02', ...more }
      const { status, body } = await caller.post(`/api/assessments/${id}/orders`, said)
      if (status !== 201) throw new Error(JSON.stringify(body))
      return body.order.id as string
    }
    await order({ type: 'bracket', take_profit: { price: '61000' }, stop_loss: { trail: { pct: '2' } } })
    await order({ side: 'sell', quantity: '0.01', client_order_id: 'opposite' })
    const resting = await order({ type: 'limit', price: '59000' })
    await order({ type: 'oco', price: '58000', stop_price: '62000' })
    await caller.patch(`/api/assessments/${id}/orders/${resting}`, { quantity: '0.03', price: '59500' })
    for (const bid of ['60000', '60500', '59400', '59000', '61500']) await btc(bid, `${Number(bid) + 1}`)
    second += 60
    await btc('60000', '60001')
    const { items } = (await caller.get(`/api/assessments/${id}/positions`)).body
    if (items[0]) await caller.post(`/api/assessments/${id}/positions/${items[0].id}/close`, { quantity: '0.01' })
  }
  const kinds = await ask(
    `select kind from trading.journal where kind in ('carry', 'fill', 'order') group by kind order by kind`,
  )
  expect(kinds.map(({ kind }) => kind)).toEqual(['carry', 'fill', 'order'])
  expect((await auditDatabase(ask)).findings).toEqual([])
})
test('a row that no record made is found, and one that a record does not say', async () => {
  await ask(`update trading.orders set quantity = quantity + 1 where order_id like '%.sl'`)
  await ask(`update trading.positions set ticket = ticket || 'x' where ticket <> ''`)
  const rules = new Set((await auditDatabase(ask)).findings.map(({ rule }) => rule))
  expect(rules).toContain('an order stands as its newest record says')
  expect(rules).toContain('a position is what its last fill left, in hedging accounts each ticket')
})
