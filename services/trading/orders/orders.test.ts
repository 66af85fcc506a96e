import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { openWorld, type World } from '../testing/world.ts'

let world: World
let second = 0
/** the next second of market time */
const next = () => new Date(Date.parse('2024-03-01T09:00:00Z') + second++ * 1000).toISOString()
beforeAll(async () => {
  world = await openWorld()
  await world.quote(next(), '60000', '60001')
  await world.quote(next(), '1.08000', '1.08002', 'EUR/USD')
})
afterAll(() => world.close())

const market = (more: object = {}) => ({ symbol: 'BTC/USD', side: 'buy', type: 'market', quantity: '0.01', ...more })
const limit = (more: object = {}) => ({ ...market(), type: 'limit', price: '50000', ...more })
const TRADER = 'trader:ada'
async function account(token = TRADER) {
  const id = await world.started(token)
  const path = `/api/assessments/${id}`
  const caller = world.as(token)
  return { id, path, caller, order: (body: unknown) => caller.post(`${path}/orders`, body) }
}
const refusal = ({ status, body }: { status: number; body: { code: string; field?: string; nearest?: string } }) => [
  status,
  body.code,
  body.field,
]

describe('an order', () => {
  test('at the market fills at the touch; the answer holds order, fills and receipt, and reads agree', async () => {
    const { path, caller, order } = await account()
    const { status, body } = await order(market({ client_order_id: 'a1' }))
    expect(status).toBe(201)
    expect(body.order).toMatchObject({ client_order_id: 'a1', status: 'filled', filled: '0.01', time_in_force: 'ioc' })
    expect(body.fills).toMatchObject([{ quantity: '0.01', price: '60001', liquidity: 'taker', fee: '0.24' }])
    expect(body.receipt).toMatchObject({ aseq: expect.any(Number), hash: expect.stringMatching(/^[0-9a-f]{64}$/) })
    const shown = await caller.get(`${path}/orders/client:a1`)
    expect(shown.body).toMatchObject({ id: body.order.id, status: 'filled', filled: '0.01', phase: 0 })
    expect((await caller.get(`${path}/orders/${body.order.id}`)).body).toEqual(shown.body)
    const trades = await caller.get(`${path}/trades`)
    expect(trades.body.items).toMatchObject([
      {
        id: body.fills[0].id,
        order_id: body.order.id,
        price: '60001',
        source: { kind: 'quote', price: '60001' },
        fee: { booked: '-0.24' },
      },
    ])
    const live = await caller.get(`${path}/account`)
    expect(live.body).toMatchObject({ balance: '9999.76', equity: '9999.75', unrealised: '-0.01', status: 'started' })
    expect((await caller.get(`${path}/positions`)).body).toMatchObject({
      mseq: live.body.mseq,
      items: [{ symbol: 'BTC/USD', quantity: '0.01', average_price: '60001', mark: '60000', unrealised: '-0.01' }],
    })
  })
  test('repeated with the same client_order_id and body gets the first answer, with another body a conflict', async () => {
    const { path, caller, order } = await account()
    const first = await order(market({ client_order_id: 'r1' }))
    const again = await order(market({ client_order_id: 'r1' }))
    expect(again.status).toBe(200)
    expect(again.body).toEqual({ ...first.body, replayed: true })
    const other = await order(market({ client_order_id: 'r1', quantity: '0.02' }))
    expect(refusal(other)).toEqual([409, 'client_order_id_conflict', undefined])
    expect((await caller.get(`${path}/orders`)).body.items).toHaveLength(1)
  })
  test('that rests can be cancelled by either name, once', async () => {
    const { path, caller, order } = await account()
    const { body } = await order(limit({ client_order_id: 'l1' }))
    expect([body.order.status, body.fills]).toEqual(['working', []])
    expect((await caller.get(`${path}/account`)).body.reserved_margin).not.toBe('0.00')
    const cancelled = await caller.delete(`${path}/orders/client:l1`)
    expect([cancelled.status, cancelled.body.cancelled]).toEqual([200, [body.order.id]])
    expect(refusal(await caller.delete(`${path}/orders/${body.order.id}`))).toEqual([
      409,
      'order_not_working',
      undefined,
    ])
    expect((await caller.get(`${path}/orders/client:l1`)).body).toMatchObject({
      status: 'cancelled',
      reason: 'requested',
    })
    expect(refusal(await caller.delete(`${path}/orders/o999`))).toEqual([404, 'not_found', undefined])
  })
  test('and all others of a symbol, or of every symbol, can be cancelled together', async () => {
    const { path, caller, order } = await account()
    const [one, two] = [await order(limit()), await order(limit({ price: '49000' }))]
    const euro = await order({ symbol: 'EUR/USD', side: 'buy', type: 'limit', quantity: '1000', price: '1.05' })
    expect((await caller.delete(`${path}/orders?symbol=BTC/USD`)).body.cancelled).toEqual([
      one.body.order.id,
      two.body.order.id,
    ])
    expect((await caller.delete(`${path}/orders`)).body.cancelled).toEqual([euro.body.order.id])
    expect((await caller.delete(`${path}/orders`)).body.cancelled).toEqual([])
  })
  test('that rests fills when the market comes to it, as maker', async () => {
    const { path, caller, order } = await account()
    const { body } = await order(limit({ price: '59000' }))
    await world.quote(next(), '58990', '58999')
    expect((await caller.get(`${path}/orders/${body.order.id}`)).body).toMatchObject({
      status: 'filled',
      filled: '0.01',
    })
    expect((await caller.get(`${path}/trades?order=${body.order.id}`)).body.items).toMatchObject([
      { price: '59000', liquidity: 'maker' },
    ])
    await world.quote(next(), '60000', '60001')
  })
})

describe('refused by name, and never a 500', () => {
  const malformed: [name: string, body: unknown, status: number, code: string, field: string | undefined][] = [
    ['not JSON', '{"symbol":', 400, 'malformed_body', undefined],
    ['a number for money', market({ quantity: 0.01 }), 422, 'validation_failed', 'quantity'],
    ['wrong decimals', market({ quantity: '1e-2' }), 422, 'validation_failed', 'quantity'],
    ['an unknown field', market({ leverage: '5' }), 422, 'validation_failed', 'leverage'],
    ['an unknown type', market({ type: 'iceberg' }), 422, 'validation_failed', 'type'],
    ['a trailing stop without trail', market({ type: 'trailing_stop' }), 422, 'validation_failed', 'trail'],
    ['a GTD without its time', limit({ time_in_force: 'gtd' }), 422, 'validation_failed', 'expires_at'],
    ['a bracket without exits', market({ type: 'bracket' }), 422, 'validation_failed', 'take_profit'],
    ['a limit without price', limit({ price: undefined }), 422, 'validation_failed', 'price'],
    ['a market order with price', market({ price: '1' }), 422, 'validation_failed', 'price'],
    ['a market order that should rest', market({ time_in_force: 'gtc' }), 422, 'validation_failed', 'time_in_force'],
    ['a client id with spaces', market({ client_order_id: 'a b' }), 422, 'validation_failed', 'client_order_id'],
  ]
  test.each(malformed)('%s: by the edge, not journalled', async (_, body, status, code, field) => {
    const { path, caller, order } = await account()
    const before = (await caller.get(`${path}/journal`)).body.items.length
    expect(refusal(await order(body))).toEqual([status, code, field])
    expect((await caller.get(`${path}/journal`)).body.items.length).toBe(before)
  })

  const decided = [
    {
      name: 'unknown symbol',
      body: market({ symbol: 'NOPE/USD' }),
      refused: { code: 'unknown_symbol', field: 'symbol' },
    },
    { name: 'zero size', body: market({ quantity: '0' }), refused: { code: 'quantity_too_small', field: 'quantity' } },
    {
      name: 'negative size',
      body: market({ quantity: '-1' }),
      refused: { code: 'quantity_too_small', field: 'quantity' },
    },
    {
      name: 'off the quantity grid',
      body: market({ quantity: '0.0100001' }),
      refused: { code: 'quantity_off_grid', field: 'quantity', nearest: '0.01' },
    },
    {
      name: 'over the limit',
      body: market({ quantity: '201' }),
      refused: { code: 'quantity_too_large', field: 'quantity', nearest: '200' },
    },
    {
      name: 'off the price grid',
      body: limit({ price: '50000.001' }),
      refused: { code: 'price_off_grid', field: 'price', nearest: '50000' },
    },
    { name: 'insufficient margin', body: market({ quantity: '1' }), refused: { code: 'insufficient_margin' } },
    {
      name: 'a symbol without a quote',
      body: market({ symbol: 'ETH/USD' }),
      refused: { code: 'market_stale', field: 'symbol' },
    },
  ]
  test.each(decided)('$name: by the engine, journalled', async ({ body, refused }) => {
    const { path, caller, order } = await account()
    const answer = await order(body)
    expect(answer.status).toBe(422)
    expect(answer.body).toMatchObject(refused)
    const commands = (await caller.get(`${path}/journal?kind=command`)).body.items
    expect(commands.at(-1).record.answer).toMatchObject({ ok: false, ...refused })
  })

  test('a closed, halted or lost market refuses, and a stale refusal does not use the id up', async () => {
    const { order } = await account()
    const state = (state: string) => world.tick(next(), { kind: 'symbol_state', symbol: 'BTC/USD', state })
    await state('closed')
    expect(refusal(await order(market()))).toEqual([422, 'market_closed', 'symbol'])
    await state('halted')
    expect(refusal(await order(market()))).toEqual([422, 'market_halted', 'symbol'])
    await state('unknown')
    const stale = await order(market({ client_order_id: 'again' }))
    expect(refusal(stale)).toEqual([422, 'market_stale', 'symbol'])
    expect(stale.headers.get('retry-after')).toBe('1')
    expect(stale.body.retryable).toBe(true)
    await state('open')
    await world.quote(next(), '60000', '60001')
    expect((await order(market({ client_order_id: 'again' }))).status).toBe(201)
  })
  test('an assessment that has not started or has ended takes no order', async () => {
    const { path, caller, order } = await account()
    await caller.post(`${path}/abandon`)
    expect(refusal(await order(market()))).toEqual([409, 'assessment_ended', undefined])
    const { body: purchase } = await caller.post('/api/purchases', { tier_id: 'demo-usd' })
    const { body: created } = await caller.post('/api/assessments', { purchase_id: purchase.id })
    const early = await caller.post(`/api/assessments/${created.id}/orders`, market())
    expect(refusal(early)).toEqual([409, 'assessment_not_started', undefined])
  })
  test('another’s assessment is as absent as one that does not exist, on every route (V8.2.2)', async () => {
    const { path, order } = await account()
    await order(limit({ client_order_id: 'mine' }))
    const bob = world.as('trader:bob')
    const absent = '/api/assessments/01900000-0000-7000-8000-000000000000'
    const reads = [
      '',
      '/account',
      '/equity',
      '/positions',
      '/trades',
      '/orders',
      '/rules',
      '/violations',
      '/journal',
      '/orders/client:mine',
      '/explain',
      '/proof',
    ]
    for (const read of reads) {
      const [theirs, none] = [await bob.get(path + read), await bob.get(absent + read)]
      expect([read, theirs.status, theirs.body.detail]).toEqual([read, 404, none.body.detail])
    }
    expect((await bob.post(`${path}/orders`, market())).status).toBe(404)
    expect((await bob.post(`${path}/start`)).status).toBe(404)
    expect((await bob.delete(`${path}/orders`)).status).toBe(404)
    expect((await bob.delete(`${path}/orders/client:mine`)).status).toBe(404)
    expect((await world.as('operator:olga').get(`${path}/account`)).status).toBe(200)
    expect((await world.as('operator:otto:other').get(`${path}/account`)).status).toBe(404)
  })
  test('without a token nothing is said, whatever the body; a bot’s key trades for its owner', async () => {
    const { path } = await account()
    expect((await world.as('').post(`${path}/orders`, { type: 'iceberg' })).status).toBe(401)
    expect((await world.as('bot:ada').post(`${path}/orders`, market())).status).toBe(201)
    expect((await world.as('bot:ada').post(`${path}/abandon`)).status).toBe(403)
    expect((await world.as('bot:rob').post(`${path}/orders`, market())).status).toBe(404)
  })
})

describe('two requests racing on one account', () => {
  test('are decided one after the other: what one spent the other has not (V2.3.4)', async () => {
    const { path, caller, order } = await account()
    const answers = await Promise.all(Array.from({ length: 8 }, () => order(market({ quantity: '0.05' }))))
    const filled = answers.filter(({ status }) => status === 201)
    expect(filled).toHaveLength(3)
    expect(answers.filter(({ body }) => body.code === 'insufficient_margin')).toHaveLength(5)
    expect((await caller.get(`${path}/positions`)).body.items[0].quantity).toBe('0.15')
  })
  test('with one client_order_id place one order', async () => {
    const { path, caller, order } = await account()
    const answers = await Promise.all(Array.from({ length: 5 }, () => order(market({ client_order_id: 'one' }))))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201])
    expect(new Set(answers.map(({ body }) => body.order.id)).size).toBe(1)
    expect((await caller.get(`${path}/trades`)).body.items).toHaveLength(1)
  })
  test('more than 256 waiting are turned away with Retry-After, the rest is answered (V2.3.2)', async () => {
    const { order } = await account()
    const answers = await Promise.all(Array.from({ length: 300 }, () => order(limit())))
    const full = answers.filter(({ status }) => status === 429)
    expect(full.length).toBeGreaterThan(0)
    expect(full.every(({ body, headers }) => body.code === 'queue_full' && headers.get('retry-after') === '1')).toBe(
      true,
    )
    expect(answers.filter(({ status }) => status >= 500)).toEqual([])
  })
})
