import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { openWorld, type World } from '../testing/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
  await world.quote('2024-03-01T09:00:00Z', '60000', '60001')
})
afterAll(() => world.close())

const ada = () => world.as('trader:ada')
const events = async (purchase: string) =>
  (await world.database.db.query('select topic, data from bus.outbox where aggregate = $1', [
    `purchase:${purchase}`,
  ])) as {
    topic: string
    data: Record<string, unknown>
  }[]

describe('tiers', () => {
  test('the catalogue is public, paged and filtered', async () => {
    const first = await world.as('').get('/api/tiers?limit=3')
    expect(first.status).toBe(200)
    expect(first.body.items).toHaveLength(3)
    const second = await world.as('').get(`/api/tiers?limit=3&cursor=${first.body.next}`)
    expect(second.body.items[0].id > first.body.items[2].id).toBe(true)
    const inYen = await world.as('').get('/api/tiers?currency=JPY')
    expect(inYen.body.items.every((tier: { document: { currency: string } }) => tier.document.currency === 'JPY')).toBe(
      true,
    )
  })
  test('a list that the caller has already is a 304', async () => {
    const first = await world.as('').get('/api/tiers')
    const again = await world.as('').get('/api/tiers', { 'if-none-match': first.headers.get('etag')! })
    expect([again.status, again.body]).toEqual([304, ''])
    expect((await world.as('').get('/api/tiers', { 'if-none-match': 'W/"other"' })).status).toBe(200)
  })
  test('the demo tier has a target of 5 %, 3 % a day, 6 % in all', async () => {
    const { body } = await world.as('').get('/api/tiers/demo-usd')
    expect(body.document.phases[0].rules).toMatchObject([
      { rule: 'profit_target', pct: '5' },
      { rule: 'max_daily_loss', limit: { pct: '3', of: 'initial' } },
      { rule: 'max_loss', limit: { pct: '6' } },
    ])
  })
  test('a tier that is not there is a problem by code', async () => {
    const answer = await world.as('').get('/api/tiers/nope')
    expect([answer.status, answer.body.code, answer.headers.get('content-type')]).toEqual([
      404,
      'not_found',
      'application/problem+json',
    ])
  })
})

describe('purchases', () => {
  test('buying pays at once and tells so', async () => {
    const { status, body } = await ada().post('/api/purchases', { tier_id: 'two-step-100k-usd' })
    expect([status, body.status, body.amount, body.currency, body.assessment_id]).toEqual([
      201,
      'paid',
      '540',
      'USD',
      null,
    ])
    expect(await events(body.id)).toMatchObject([
      { topic: 'payment.purchase-completed', data: { user_id: 'ada', amount: '540' } },
    ])
    expect((await ada().get(`/api/purchases/${body.id}`)).body).toEqual(body)
  })
  test('a refused payment is 402, recorded, told, and makes no assessment', async () => {
    const refused = await ada().post('/api/purchases', { tier_id: 'refused-payment' })
    expect([refused.status, refused.body.code]).toEqual([402, 'payment_refused'])
    const [purchase] = (await ada().get('/api/purchases?status=refused')).body.items
    expect(purchase.reason).toContain('.13')
    expect(await events(purchase.id)).toMatchObject([{ topic: 'payment.purchase-failed' }])
    const assessment = await ada().post('/api/assessments', { purchase_id: purchase.id })
    expect([assessment.status, assessment.body.code]).toEqual([409, 'conflict'])
  })
  test('with an Idempotency-Key the repeat gets the first answer and nothing is bought twice', async () => {
    const headers = { 'idempotency-key': 'buy-1' }
    const before = (await ada().get('/api/purchases')).body.items.length
    const [one, two] = [
      await ada().post('/api/purchases', { tier_id: 'demo-usd' }, headers),
      await ada().post('/api/purchases', { tier_id: 'demo-usd' }, headers),
    ]
    expect([two.status, two.body]).toEqual([one.status, one.body])
    expect((await ada().get('/api/purchases')).body.items.length).toBe(before + 1)
    const other = await ada().post('/api/purchases', { tier_id: 'demo-eur' }, headers)
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused'])
  })
  test('a refusal is answered again under its key', async () => {
    const headers = { 'idempotency-key': 'buy-2' }
    const one = await ada().post('/api/purchases', { tier_id: 'refused-payment' }, headers)
    const two = await ada().post('/api/purchases', { tier_id: 'refused-payment' }, headers)
    expect([one.status, two.status]).toEqual([402, 402])
    expect((await ada().get('/api/purchases?status=refused')).body.items).toHaveLength(2)
  })
  test('a purchase pins the tier: the next version does not change it', async () => {
    const { body } = await ada().post('/api/purchases', { tier_id: 'one-step-25k-usd' })
    await world.database.db.query(
      `update trading.tier set version = 2, hash = 'x', document = jsonb_set(document, '{name}', '"new"') where id = 'one-step-25k-usd'`,
    )
    const assessment = await ada().post('/api/assessments', { purchase_id: body.id })
    expect(assessment.body).toMatchObject({ tier_version: 1, tier_name: 'One step, 25000 USD' })
  })
  test('nobody sees another’s purchase; the tenant’s operator sees all, another tenant’s none', async () => {
    const { body } = await ada().post('/api/purchases', { tier_id: 'demo-usd' })
    const bob = await world.as('trader:bob').get(`/api/purchases/${body.id}`)
    expect([bob.status, bob.body.code]).toEqual([404, 'not_found'])
    expect((await world.as('trader:bob').post('/api/assessments', { purchase_id: body.id })).status).toBe(404)
    expect((await world.as('operator:olga').get(`/api/purchases/${body.id}`)).status).toBe(200)
    expect((await world.as('operator:otto:other').get(`/api/purchases/${body.id}`)).status).toBe(404)
  })
  test('without a token 401, without the scope 403, whatever the body (V8.2.1, V8.3.1, V10.3.2)', async () => {
    expect((await world.as('').post('/api/purchases', { nonsense: 1 })).status).toBe(401)
    expect((await world.as('bot:rob').post('/api/purchases', { tier_id: 'demo-usd' })).status).toBe(403)
  })
})

describe('assessments', () => {
  test('a purchase makes one assessment, and a second request says which', async () => {
    const { body: purchase } = await ada().post('/api/purchases', { tier_id: 'demo-usd' })
    const [one, two] = await Promise.all([
      ada().post('/api/assessments', { purchase_id: purchase.id }),
      ada().post('/api/assessments', { purchase_id: purchase.id }),
    ])
    const made = [one, two].filter(({ status }) => status === 201)
    expect(made.length).toBeGreaterThanOrEqual(1)
    expect(new Set(made.map(({ body }) => body.id)).size).toBe(1)
    const third = await ada().post('/api/assessments', { purchase_id: purchase.id })
    expect([third.status, third.body.detail]).toEqual([409, `The purchase has its assessment: ${made[0]!.body.id}.`])
    expect((await ada().get(`/api/purchases/${purchase.id}`)).body.assessment_id).toBe(made[0]!.body.id)
  })
  test('created, started once, abandoned once (V2.3.1)', async () => {
    const { body: purchase } = await ada().post('/api/purchases', { tier_id: 'demo-usd' })
    const { body: assessment } = await ada().post('/api/assessments', { purchase_id: purchase.id })
    expect(assessment).toMatchObject({ status: 'created', currency: 'USD', initial_balance: '10000', phases: [] })
    const path = `/api/assessments/${assessment.id}`
    const started = await ada().post(`${path}/start`, undefined, { 'idempotency-key': 's' })
    expect(started.body).toMatchObject({ id: assessment.id, status: 'started' })
    expect((await ada().post(`${path}/start`, undefined, { 'idempotency-key': 's' })).body).toEqual(started.body)
    const again = await ada().post(`${path}/start`)
    expect([again.status, again.body.code]).toEqual([409, 'assessment_already_started'])
    expect((await ada().post(`${path}/abandon`)).body.status).toBe('abandoned')
    const twice = await ada().post(`${path}/abandon`)
    expect([twice.status, twice.body.code]).toEqual([409, 'assessment_ended'])
    expect((await ada().get(path)).body).toMatchObject({
      status: 'abandoned',
      phases: [{ phase: 0, verdict: 'abandoned' }],
    })
  })
  test('lists show own ones newest first, operators the tenant’s, filtered and paged', async () => {
    const carl = world.as('trader:carl')
    const ids: string[] = []
    for (let i = 0; i < 3; i++) ids.push(await world.started('trader:carl'))
    const page = await carl.get('/api/assessments?limit=2')
    expect(page.body.items.map(({ id }: { id: string }) => id)).toEqual([ids[2], ids[1]])
    const rest = await carl.get(`/api/assessments?limit=2&cursor=${page.body.next}`)
    expect(rest.body).toMatchObject({ items: [{ id: ids[0] }], next: null })
    expect((await carl.get('/api/assessments?status=abandoned')).body.items).toEqual([])
    expect((await world.as('operator:olga').get('/api/assessments?limit=500')).body.items.length).toBeGreaterThan(3)
    expect((await carl.get('/api/assessments?limit=501')).status).toBe(422)
  })
})
