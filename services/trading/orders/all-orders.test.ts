import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { topicNamed } from '@assay/core/contracts/topics/catalog'
import { parseTier } from '@assay/core/contracts/wire/tier'
import { openWorld, type World } from '../testing/world.ts'
import { seedTiers } from '../tiers/seed-tiers.ts'

const TRADER = 'trader:ada'
const BOOT_MS = 60_000
let world: World
let second = 0
/** the next second of market time */
const next = () => new Date(Date.parse('2024-03-01T09:00:00Z') + second++ * 1000).toISOString()
const btc = (bid: string, ask: string) => world.quote(next(), bid, ask)

beforeAll(async () => {
  world = await openWorld()
  const rules = [{ rule: 'max_loss', limit: { pct: '50' } }]
  const phases = [{ kind: 'evaluation', rules }]
  const shared = { currency: 'USD', initial_balance: '10000', leverage: '10', phases }
  await seedTiers(world.deps.db, 'default', {
    wide: parseTier({ name: 'wide', ...shared, max_pauses: 1, max_pause_days: 2 }),
    late: parseTier({ name: 'late', ...shared, latency_ms: 1500 }),
    tickets: parseTier({ name: 'tickets', ...shared, position_mode: 'hedging' }),
  })
  await btc('60000', '60001')
}, BOOT_MS)
afterAll(() => world.close())

const market = (more: object = {}) => ({ symbol: 'BTC/USD', side: 'buy', type: 'market', quantity: '0.01', ...more })
async function account(tier = 'wide') {
  const id = await world.started(TRADER, tier)
  const path = `/api/assessments/${id}`
  const caller = world.as(TRADER)
  return {
    id,
    path,
    caller,
    order: (body: unknown) => caller.post(`${path}/orders`, body),
    get: async (what: string) => (await caller.get(`${path}${what}`)).body,
    orders: async () => (await caller.get(`${path}/orders`)).body.items as Record<string, unknown>[],
  }
}

describe('a bracket', () => {
  test('has its exits as orders of their own, the other one cancelled when one fills', async () => {
    const { get, order, orders } = await account()
    const exits = { take_profit: { price: '61000' }, stop_loss: { stop_price: '59000' } }
    const { status, body } = await order(market({ type: 'bracket', client_order_id: 'b1', ...exits }))
    expect([status, body.order.status, body.order.type]).toEqual([201, 'filled', 'market'])
    const { id } = body.order
    expect(await get(`/orders/${id}.tp`)).toMatchObject({
      type: 'limit',
      side: 'sell',
      price: '61000',
      quantity: '0.01',
      reduce_only: true,
      parent: id,
      oco: `${id}.sl`,
      status: 'working',
    })
    expect(await get(`/orders/${id}.sl`)).toMatchObject({ type: 'stop', stop_price: '59000', oco: `${id}.tp` })
    await btc('58900', '58901')
    expect(await get(`/orders/${id}.sl`)).toMatchObject({ status: 'filled', filled: '0.01' })
    expect(await get(`/orders/${id}.tp`)).toMatchObject({ status: 'cancelled', filled: '0' })
    expect((await get('/positions')).items).toEqual([])
    expect((await get(`/trades?order=${id}.sl`)).items).toMatchObject([{ price: '58900', liquidity: 'taker' }])
    expect((await orders()).map((o) => o.id)).toHaveLength(3)
    await btc('60000', '60001')
  })
  test('with an exit on the wrong side is refused by the field', async () => {
    const { order } = await account()
    const { status, body } = await order(market({ type: 'bracket', stop_loss: { stop_price: '70000' } }))
    expect([status, body.code, body.field]).toEqual([422, 'bracket_inconsistent', 'stop_loss.stop_price'])
  })
})

describe('an OCO', () => {
  const pair = (more: object = {}) => market({ type: 'oco', price: '59000', stop_price: '61000', ...more })
  test('is two legs in the answer and the list, and a fill of one ends the other', async () => {
    const { get, order, orders } = await account()
    const { body } = await order(pair({ client_order_id: 'pair' }))
    const { id } = body.order
    expect(body.legs.map((leg: { id: string; type: string; oco: string }) => [leg.id, leg.type, leg.oco])).toEqual([
      [id, 'limit', `${id}.stop`],
      [`${id}.stop`, 'stop', id],
    ])
    const again = await order(pair({ client_order_id: 'pair' }))
    expect([again.status, again.body]).toEqual([200, { ...body, replayed: true }])
    await btc('61050', '61051')
    expect(await get(`/orders/${id}.stop`)).toMatchObject({ status: 'filled', filled: '0.01' })
    expect(await get(`/orders/${id}`)).toMatchObject({ status: 'cancelled', filled: '0' })
    expect(await orders()).toHaveLength(2)
    await btc('60000', '60001')
  })
  test('is paged without a hole although its legs share a record', async () => {
    const { order, orders, caller, path } = await account()
    for (const stop_price of ['61000', '61001', '61002']) await order(pair({ stop_price }))
    const paged: unknown[] = []
    for (let query = 'limit=1'; ; ) {
      const { body } = await caller.get(`${path}/orders?${query}`)
      paged.push(...body.items)
      if (body.next === null) break
      query = `limit=1&cursor=${body.next}`
    }
    expect(paged).toEqual(await orders())
    expect(paged).toHaveLength(6)
    expect((await caller.get(`${path}/orders?cursor=12`)).body).toMatchObject({ field: 'cursor' })
  })
})

test('a trailing stop is read with its stop where it stands now, although no record moved it', async () => {
  const { get, order, orders } = await account()
  await order(market())
  const trail = { side: 'sell', type: 'trailing_stop', trail: { offset: '100' }, reduce_only: true }
  const { body } = await order(market(trail))
  const stop = async () => (await get(`/orders/${body.order.id}`)).stop_price
  const first = await stop()
  await btc('60500', '60501')
  expect([first, await stop()]).toEqual(['59900', '60400'])
  expect((await orders()).find(({ id }) => id === body.order.id)).toMatchObject({ stop_price: '60400' })
  await btc('60000', '60001')
  expect(await get(`/orders/${body.order.id}`)).toMatchObject({ status: 'filled' })
})
test('with latency an order is pending until it arrives: its legs stand once in the list, with what they are then', async () => {
  const { get, order, orders } = await account('late')
  const { body } = await order(market({ type: 'oco', price: '59000', stop_price: '61000' }))
  const { id } = body.order
  expect(body.legs.map((leg: { status: string }) => leg.status)).toEqual(['pending', 'pending'])
  expect((await orders()).map((o) => o.status)).toEqual(['pending', 'pending'])
  await btc('60000', '60001')
  second += 2
  await btc('60000', '60001')
  expect((await orders()).map((o) => [o.id, o.status, o.filled])).toEqual([
    [`${id}.stop`, 'working', '0'],
    [id, 'working', '0'],
  ])
  await btc('61500', '61501')
  expect(await get(`/orders/${id}.stop`)).toMatchObject({ status: 'filled', filled: '0.01', type: 'stop' })
  await btc('60000', '60001')
})

describe('an amendment', () => {
  const limit = (price: string) => market({ type: 'limit', price })
  test('changes what is said and keeps the rest; a price that crosses trades at once', async () => {
    const { get, order, caller, path } = await account()
    const { body } = await order(limit('50000'))
    const amended = await caller.patch(`${path}/orders/${body.order.id}`, { quantity: '0.02' })
    expect(amended.status).toBe(200)
    expect(amended.body.order).toMatchObject({ id: body.order.id, quantity: '0.02', price: '50000', status: 'working' })
    expect(await get(`/orders/${body.order.id}`)).toMatchObject({ quantity: '0.02', price: '50000', status: 'working' })
    const crossed = await caller.patch(`${path}/orders/${body.order.id}`, { price: '60100' })
    expect(crossed.body).toMatchObject({
      order: { status: 'filled', filled: '0.02' },
      fills: [{ order_id: body.order.id, quantity: '0.02', price: '60001', liquidity: 'taker' }],
    })
    expect(await get(`/orders/${body.order.id}`)).toMatchObject({ status: 'filled', filled: '0.02', price: '60100' })
  })
  test('is refused by code and field where there is nothing to change', async () => {
    const { order, caller, path } = await account()
    const { body } = await order(limit('50000'))
    const patch = async (id: string, change: unknown) => {
      const { status, body: refused } = await caller.patch(`${path}/orders/${id}`, change)
      return [status, refused.code, refused.field]
    }
    expect(await patch(body.order.id, {})).toEqual([422, 'validation_failed', 'body'])
    expect(await patch(body.order.id, { side: 'sell' })).toEqual([422, 'validation_failed', 'side'])
    expect(await patch(body.order.id, { stop_price: '1' })).toEqual([422, 'not_amendable', 'stop_price'])
    expect(await patch(body.order.id, { price: '50000.001' })).toEqual([422, 'price_off_grid', 'price'])
    expect(await patch('o999', { price: '1' })).toEqual([404, 'not_found', undefined])
    await caller.delete(`${path}/orders/${body.order.id}`)
    expect(await patch(body.order.id, { price: '1' })).toEqual([409, 'order_not_working', undefined])
  })
})

describe('a position', () => {
  test('is closed by its id or its symbol, in part or whole, once per client id', async () => {
    const { get, order, caller, path } = await account()
    const opened = await order(market({ quantity: '0.03' }))
    const [{ id }] = (await get('/positions')).items
    expect(id).toBe(opened.body.order.id)
    const part = await caller.post(`${path}/positions/${id}/close`, { quantity: '0.01', client_order_id: 'c1' })
    expect([part.status, part.body.order.side, part.body.order.filled]).toEqual([201, 'sell', '0.01'])
    const again = await caller.post(`${path}/positions/${id}/close`, { quantity: '0.01', client_order_id: 'c1' })
    expect([again.status, again.body]).toEqual([200, { ...part.body, replayed: true }])
    expect((await get('/orders/client:c1')).id).toBe(part.body.order.id)
    const rest = await caller.post(`${path}/positions/BTC-USD/close`)
    expect([rest.status, rest.body.order.filled]).toEqual([201, '0.02'])
    expect((await get('/positions')).items).toEqual([])
    const gone = await caller.post(`${path}/positions/${id}/close`)
    expect([gone.status, gone.body.code]).toEqual([409, 'position_not_open'])
  })
  test('of a hedging account is a ticket: both sides stand, each is closed by its id', async () => {
    const { get, order, caller, path } = await account('tickets')
    const long = (await order(market())).body.order.id
    const short = (await order(market({ side: 'sell' }))).body.order.id
    const ids = (await get('/positions')).items.map((p: { id: string; quantity: string }) => [p.id, p.quantity])
    expect(ids.sort()).toEqual(
      [
        [long, '0.01'],
        [short, '-0.01'],
      ].sort(),
    )
    expect((await caller.post(`${path}/positions/${long}/close`)).status).toBe(201)
    expect((await get('/positions')).items.map((p: { id: string }) => p.id)).toEqual([short])
    const trades = (await get('/trades')).items.map((t: { position_id: string }) => t.position_id)
    expect(trades).toEqual([long, short, long])
  })
})

describe('a preview', () => {
  test('says fills, costs, margin and floors after it, and writes nothing', async () => {
    const { get, order, caller, path } = await account()
    const records = (await get('/journal')).items.length
    const asked = market({ quantity: '0.1', stop_loss: { stop_price: '1000' }, type: 'bracket', client_order_id: 'p' })
    const { status, body } = await caller.post(`${path}/orders/preview`, asked)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      refusal: null,
      order: { status: 'filled' },
      fills: [{ price: '60001', quantity: '0.1', fee: '2.4', liquidity: 'taker' }],
      floors: [{ rule: 'max_loss', floor: '5000.00', stop_beyond: true }],
    })
    expect(body.worst_case).toContain('to the max_loss floor; its stop lies beyond it')
    expect((await get('/journal')).items.length).toBe(records)
    const placed = await order(asked)
    expect(placed.status).toBe(201)
    const live = await get('/account')
    expect([live.equity, live.used_margin, live.free_margin]).toEqual([body.equity, body.used_margin, body.free_margin])
  })
  test('of an order that would be refused says why, and is no error', async () => {
    const { caller, path } = await account()
    const { status, body } = await caller.post(`${path}/orders/preview`, market({ quantity: '5' }))
    expect([status, body.refusal.code, body.refusal.field, body.order]).toEqual([
      200,
      'insufficient_margin',
      'quantity',
      null,
    ])
  })
})

describe('a pause', () => {
  test('stops orders until it is ended, and is bounded by the tier', async () => {
    const { get, order, caller, path } = await account()
    const waiting = await order(market({ type: 'limit', price: '50000' }))
    const paused = await caller.post(`${path}/pause`, undefined, { 'idempotency-key': 'p1' })
    expect([paused.status, paused.body.status]).toEqual([200, 'paused'])
    expect((await caller.post(`${path}/pause`, undefined, { 'idempotency-key': 'p1' })).body).toEqual(paused.body)
    expect((await get(`/orders/${waiting.body.order.id}`)).status).toBe('cancelled')
    expect((await get('')).status).toBe('paused')
    const refused = await order(market())
    expect([refused.status, refused.body.code]).toEqual([409, 'assessment_paused'])
    const resumed = await caller.post(`${path}/resume`)
    expect([resumed.status, resumed.body.status]).toEqual([200, 'started'])
    expect((await order(market())).status).toBe(201)
    await caller.post(`${path}/positions/BTC-USD/close`)
    const second = await caller.post(`${path}/pause`)
    expect([second.status, second.body.code]).toEqual([409, 'pause_not_allowed'])
  })
  test('with an open position is refused', async () => {
    const { order, caller, path } = await account()
    await order(market())
    const { status, body } = await caller.post(`${path}/pause`)
    expect([status, body.code]).toEqual([409, 'pause_not_allowed'])
  })
})

test('nobody reads or changes another’s: amend, close, preview, pause and resume are as absent as what does not exist', async () => {
  const { order, path, get } = await account()
  const resting = (await order(market({ type: 'limit', price: '50000' }))).body.order.id
  const [bob, nobody, operator] = [world.as('trader:bob'), world.as(''), world.as('operator:otto:other')]
  const tries = (who: typeof bob) => [
    who.patch(`${path}/orders/${resting}`, { price: '50001' }),
    who.post(`${path}/positions/BTC-USD/close`),
    who.post(`${path}/orders/preview`, market()),
    who.post(`${path}/pause`),
    who.post(`${path}/resume`),
  ]
  for (const answer of await Promise.all([...tries(bob), ...tries(operator)])) expect(answer.status).toBe(404)
  for (const answer of await Promise.all(tries(nobody))) expect(answer.status).toBe(401)
  expect((await world.as('bot:ada').post(`${path}/pause`)).status).toBe(403)
  expect((await world.as('bot:ada').patch(`${path}/orders/${resting}`, { price: '50001' })).status).toBe(200)
  expect(await get(`/orders/${resting}`)).toMatchObject({ status: 'working', price: '50001' })
})

test('everything that left for the bus fits the schema of its topic', async () => {
  const rows = await world.database.db.query<{ topic: string; data: unknown }>('select topic, data from bus.outbox')
  for (const { topic, data } of rows) topicNamed(topic).schema.parse(data)
  const told = new Set(rows.map(({ topic }) => topic))
  for (const name of ['order-placed', 'order-triggered', 'order-amended', 'order-cancelled', 'position-closed'])
    expect(told).toContain(`trading.${name}`)
  expect(told).toContain('assessment.paused')
  expect(told).toContain('assessment.resumed')
})
