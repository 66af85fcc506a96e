import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AuditEntry } from '@assay/core/contracts/audit'
import { openWorld, type World } from '../testing/world.ts'
import { tellJournals } from './tell-journals.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
  await world.quote('2024-03-01T09:00:00Z', '60000', '60001')
})
afterAll(() => world.close())

const told = async (action: AuditEntry['action']) =>
  (
    await world.database.db.query<{ data: AuditEntry }>(
      `select data from bus.outbox where topic = 'audit.recorded' and data->>'action' = $1 order by position`,
      [action],
    )
  ).map(({ data }) => data)
const db = () => world.database.db.as('trading')
interface Told {
  account: string
  aseq: number
  hash: string
}
const journalsTold = async () =>
  (await told('journals.extended')).flatMap(({ detail }) => detail.journals as unknown as Told[])

test('orders are told by the hash of the record their journal reaches to, each step once, also by several at once', async () => {
  const id = await world.started('trader:ada')
  const order = { symbol: 'BTC/USD', side: 'buy', type: 'market', quantity: '0.1' }
  expect((await world.as('trader:ada').post(`/api/assessments/${id}/orders`, order)).status).toBe(201)
  await Promise.all([tellJournals(db()), tellJournals(db())])
  await tellJournals(db())
  const first = (await journalsTold()).filter(({ account }) => account === id)
  expect(first).toHaveLength(1)
  const head = async () =>
    (await db().query('select aseq, hash from trading.journal where account = $1 order by aseq desc limit 1', [id]))[0]!
  expect(first[0]).toEqual({ account: id, aseq: Number((await head()).aseq), hash: (await head()).hash as string })
  await world.as('trader:ada').post(`/api/assessments/${id}/orders`, order)
  await tellJournals(db())
  const both = (await journalsTold()).filter(({ account }) => account === id)
  expect(both).toHaveLength(2)
  expect(both[1]!.aseq).toBeGreaterThan(first[0]!.aseq)
})

test('a payment, and an operator who changes tiers, calendars or the assessment of somebody else, are told', async () => {
  const operator = world.as('operator:oscar')
  const ada = await world.started('trader:ada')
  expect((await told('payment.completed')).at(-1)).toMatchObject({ actor: 'ada', tenant: 'default' })

  const { document } = (await operator.get('/api/tiers/demo-usd')).body
  const tier = await operator.post('/api/tiers', { ...document, id: 'told', name: 'Told' })
  expect(tier.status).toBe(201)
  const changed = await operator.patch('/api/tiers/told', { name: 'Told again' }, { 'if-match': `"${tier.body.hash}"` })
  expect(changed.status).toBe(200)
  await operator.delete('/api/tiers/told')
  for (const action of ['tier.created', 'tier.changed', 'tier.retired'] as const)
    expect((await told(action)).at(-1)).toMatchObject({ actor: 'oscar', detail: { tier: 'told' } })

  expect((await operator.put('/api/calendars/told', { kind: 'news', events: [] })).status).toBeLessThan(300)
  expect((await told('calendar.changed')).at(-1)).toMatchObject({ actor: 'oscar', detail: { calendar: 'told' } })

  expect(await told('assessment.operated')).toEqual([])
  expect((await operator.post(`/api/assessments/${ada}/abandon`)).status).toBe(200)
  expect(await told('assessment.operated')).toMatchObject([
    { actor: 'oscar', detail: { assessment: ada, owner: 'ada', scope: 'trading:write' } },
  ])
})
