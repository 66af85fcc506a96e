import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { readArchive } from '@assay/core/domain/proof/read-archive'
import { verifyProof } from '@assay/core/domain/proof/verify'
import { openBlobFolder } from '@assay/core/ports/blobs/folder'
import { systemClock } from '@assay/core/ports/clock/system'
import { until } from '@assay/core/testing/until'
import pino from 'pino'
import { openWorld, type World } from '../testing/world.ts'
import { keepProofs } from './keep-proofs.ts'
import { openJournalKeys } from './keys.ts'
import { findProvable, makeProof } from './make-proof.ts'

let world: World
let id: string
const trader = 'trader:ann'
beforeAll(async () => {
  world = await openWorld()
  await world.tick('2024-03-01T08:59:00Z', { kind: 'symbol_state', symbol: 'BTC/USD', state: 'open' })
  await world.quote('2024-03-01T09:00:00Z', '60000', '60001')
  id = await world.started(trader)
}, 30_000)
afterAll(() => world.close())

const path = (what: string): string => `/api/assessments/${id}/${what}`
const buyTenth = { symbol: 'BTC/USD', side: 'buy', type: 'market', quantity: '0.1' }
const keysOf = async () => (await world.as('').get('/.well-known/assay-journal-keys.json')).body.keys

test('a running assessment has a proof up to the last sealed segment, another one with each segment', async () => {
  const placed = await world
    .as(trader)
    .post(path('orders'), { symbol: 'BTC/USD', side: 'buy', type: 'market', quantity: '0.1' })
  expect(placed.status).toBe(201)
  await world.quote('2024-03-01T09:00:30Z', '60010', '60011')
  await world.quote('2024-03-01T09:01:00Z', '60020', '60021')
  const first = await world.as(trader).get(path('proof'))
  expect([first.status, first.headers.get('content-type')]).toEqual([200, 'application/zip'])
  expect(await verifyProof(first.body, { keys: await keysOf() })).toMatchObject({
    exit: 0,
    summary: { verdict: 'open' },
  })
  const same = await world.as(trader).get(path('proof'), { 'if-none-match': first.headers.get('etag')! })
  expect(same.status).toBe(304)
  await world.quote('2024-03-01T09:02:00Z', '60030', '60031')
  const second = await world.as(trader).get(path('proof'), { 'if-none-match': first.headers.get('etag')! })
  expect(second.status).toBe(200)
})

test('after a verdict the answer is 202 with Retry-After until its segment is sealed, then the archive for good, under a name of ours (V5.4.1, V5.4.2)', async () => {
  await world.quote('2024-03-01T09:02:10Z', '30000', '30001')
  expect((await world.as(trader).get(`/api/assessments/${id}`)).body.status).toBe('failed')
  const early = await world.as(trader).get(path('proof'))
  expect([early.status, Number(early.headers.get('retry-after')) > 0]).toEqual([202, true])
  await world.quote('2024-03-01T09:03:00Z', '30000', '30001')
  const { status, body, headers } = await world.as(trader).get(path('proof'))
  expect(status).toBe(200)
  expect(headers.get('content-disposition')).toBe(`attachment; filename="${id}.proof"`)
  const verified = await verifyProof(body, { keys: await keysOf() })
  expect(verified).toMatchObject({ exit: 0, summary: { verdict: 'failed', assessment: id } })
  await world.quote('2024-03-01T09:04:00Z', '30000', '30001')
  const later = await world.as(trader).get(path('proof'))
  expect(later.headers.get('etag')).toBe(headers.get('etag'))
  expect(later.body).toEqual(body)
})

test('an assessment that is abandoned behind the end of a sealed log has its proof at once', async () => {
  const late = await world.started(trader)
  await world.as(trader).post(`/api/assessments/${late}/orders`, buyTenth)
  await world.engine.engine.seal()
  expect((await world.as(trader).post(`/api/assessments/${late}/abandon`, {})).status).toBe(200)
  const { status, body } = await world.as(trader).get(`/api/assessments/${late}/proof`)
  expect(status).toBe(200)
  const verified = await verifyProof(body, { keys: await keysOf() })
  expect(verified).toMatchObject({ exit: 0, summary: { verdict: 'abandoned', assessment: late } })
})

test('the receipt of an order is in the chain, one of another chain is not', async () => {
  const { body } = await world.as(trader).get(path('proof'))
  const { envelope } = await readArchive(body)
  const receipt = envelope.receipts.at(-1)!
  expect((await verifyProof(body, { keys: await keysOf(), receipt })).exit).toBe(0)
  expect((await verifyProof(body, { keys: await keysOf(), receipt: { ...receipt, hash: 'ab'.repeat(32) } })).exit).toBe(
    1,
  )
})

test('explain says the same as the archive: the recorded equity, line by line', async () => {
  const why = (await world.as(trader).get(path('explain'))).body
  expect(why.verdict.verdict).toBe('failed')
  expect(why.equity.total).toBe(why.violation.equity)
  expect(why.equity.lines[0].text).toContain('BTC/USD: 0.1 x 30000')
  expect(why.floors.length).toBeGreaterThan(0)
  const before = (await world.as(trader).get(`${path('explain')}?at=m3`)).body
  expect(before.violation).toBeNull()
  expect((await world.as(trader).get(`${path('explain')}?at=yesterday`)).status).toBe(422)
  expect((await world.as(trader).get(`${path('explain')}?at=999`)).status).toBe(422)
})

test('the proof of an ended assessment is kept without being asked for, and served when the log is gone', async () => {
  const blobs = openBlobFolder(join(world.database.home, 'kept'))
  const secrets = new Map<string, string>()
  const keys = await openJournalKeys({
    secrets: {
      getSecret: async (path, key) => secrets.get(path + key) ?? null,
      setSecret: async (path, key, value) => void secrets.set(path + key, value),
    },
    clock: systemClock,
    home: null,
  })
  const deps = { trading: world.deps, blobs, keys }
  await world.deps.db.query('delete from trading.proof where account = $1', [id])
  const stop = new AbortController()
  const keeping = keepProofs(deps, pino({ level: 'silent' }), stop.signal)
  await until(
    'the proof is kept',
    async () => (await world.deps.db.query('select from trading.proof where account = $1', [id])).length === 1,
  )
  stop.abort()
  await keeping
  const [name] = await blobs.list('proofs/')
  const provable = await findProvable(deps, id)
  if (!provable || provable === 'unsealed') throw new Error('it was provable before')
  const gone = {
    ...world.deps,
    marketlog: {
      ...world.deps.marketlog,
      segments: async () => (await world.deps.marketlog.segments('main', 1, 99)).slice(-1),
    },
  }
  const served = await makeProof({ ...deps, trading: gone }, { ...provable, name: 'longer-by-a-refusal' })
  expect(served).toEqual((await blobs.get(name!))!)
  expect((await verifyProof(served!, { keys: await keysOf() })).exit).toBe(0)
})

test('explain of what is kept says the same as it said live, and a place before the journal is refused', async () => {
  const live = (await world.as(trader).get(path('explain'))).body
  await world.deps.db.query('delete from trading.proof where account = $1', [id])
  expect((await world.as(trader).get(path('explain'))).body).toEqual(live)
  expect((await world.as(trader).get(`${path('explain')}?at=m0`)).status).toBe(422)
})

test("somebody else's proof and explanation are as absent as ones that do not exist", async () => {
  for (const what of ['proof', 'explain']) {
    expect((await world.as('trader:bob').get(path(what))).status).toBe(404)
    expect((await world.as('').get(path(what))).status).toBe(401)
    expect((await world.as(trader).get(`/api/assessments/none/${what}`)).status).toBe(404)
    expect((await world.as('operator:olga').get(path(what))).status).toBe(200)
  }
})
