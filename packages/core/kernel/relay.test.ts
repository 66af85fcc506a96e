import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { z } from 'zod'
import { defineTopic } from '../contracts/topics/topic.ts'
import { createEmbeddedBus, type EmbeddedBus } from '../ports/bus/embedded.ts'
import type { Envelope } from '../ports/bus/port.ts'
import { systemClock } from '../ports/clock/system.ts'
import { type TestDatabase, testDatabase } from '../testing/database.ts'
import { until } from '../testing/until.ts'
import { armFailpoint } from './failpoints.ts'
import { onceInSql } from './inbox.ts'
import { enqueue } from './outbox.ts'
import { type OutboxBus, type Relay, startRelay } from './relay.ts'

const log = { error: () => {}, warn: () => {} }
const schema = z.object({ n: z.int() })
const topics = ['test.first', 'test.second'].map((name) =>
  defineTopic({ name, summary: '', schema, key: 'aggregate', producer: 'test', retentionDays: 1 }),
)
let database: TestDatabase
let bus: EmbeddedBus
beforeAll(async () => {
  database = await testDatabase()
  bus = createEmbeddedBus({ db: database.db, clock: systemClock, log, topics })
})
afterAll(async () => {
  await bus.close()
  await database.drop()
})
const relays: Relay[] = []
const relay = (to: OutboxBus = bus) => {
  const started = startRelay({ db: database.db, bus: to, clock: systemClock, log })
  relays.push(started)
  return started
}
afterEach(async () => {
  for (const started of relays.splice(0)) await started.close()
  await database.db.script(
    `delete from bus.topic_event; delete from bus.outbox; update bus.lane set owner = null, expires_at = '-infinity'`,
  )
})
/** One transaction per event, over both topics in turn. */
const write = async (aggregate: string, from: number, to: number) => {
  for (let seq = from; seq <= to; seq++) {
    await database.db.tx((sql) => enqueue(sql, topics[seq % 2]!, { aggregate, seq, key: aggregate, data: { n: seq } }))
  }
}
const published = () =>
  database.db.query<{ key: string; seq: number; topic: string }>(
    'select key, seq::int, topic from bus.topic_event order by id',
  )
const left = async () => (await database.db.query('select from bus.outbox')).length
const through = { publishEnvelopes: (envelopes: readonly Envelope[]) => bus.publishEnvelopes(envelopes) }

describe.each([
  ['inside the database', () => bus as OutboxBus],
  ['through publishEnvelopes', () => through],
])('the relay, %s', (_, target) => {
  test('publishes everything once, with its number, and empties the outbox', async () => {
    await Promise.all(['a', 'b', 'c'].map((aggregate) => write(aggregate, 1, 20)))
    await relay(target()).drained()
    const rows = await published()
    expect(rows).toHaveLength(60)
    for (const key of ['a', 'b', 'c']) {
      expect(rows.filter((row) => row.key === key).map(({ seq }) => seq)).toEqual(
        Array.from({ length: 20 }, (__, i) => i + 1),
      )
    }
    expect(await left()).toBe(0)
  })

  test('after a failure between publishing and deleting, publishes again what is in its topic once', async () => {
    await write('crash', 1, 3)
    let failures = 1
    const disarm = armFailpoint('between-relay-and-mark', () => {
      if (failures-- > 0) throw new Error('killed here')
    })
    const first = relay(target())
    await first.drained()
    disarm()
    expect((await published()).map(({ seq }) => seq)).toEqual([1, 2, 3])
    expect(await left()).toBe(0)
  })
})

test('after a backlog the outbox gives its space back, and numbers on', async () => {
  await database.db.query(
    `insert into bus.outbox (aggregate, aggregate_seq, id, topic, key, producer, data)
     select 'many', n, gen_random_uuid(), 'test.first', 'many', 'test', '{"n":1}' from generate_series(1, 5100) n`,
  )
  await relay().drained()
  // PostgreSQL's autovacuum does that by itself
  const [{ bytes } = {}] = await database.db.query(`select pg_relation_size('bus.outbox')::int as bytes`)
  if (database.db.kind === 'pglite') expect(bytes).toBe(0)
  await write('many', 5101, 5101)
  await relays[0]!.drained()
  const [row] = await database.db.query('select count(*)::int as n, max(seq)::int as last from bus.topic_event')
  expect(row).toEqual({ n: 5101, last: 5101 })
})

test("an aggregate's next event is published only after the one before was acknowledged, also in another topic", async () => {
  await write('slow', 1, 6)
  const acknowledged: number[] = []
  let inFlight = 0
  await relay({
    async publishEnvelopes(envelopes) {
      expect(envelopes.map(({ key }) => key)).toEqual(['slow'])
      expect(inFlight++).toBe(0)
      await Bun.sleep(1)
      acknowledged.push(...envelopes.map(({ seq }) => seq))
      inFlight--
    },
  }).drained()
  expect(acknowledged).toEqual([1, 2, 3, 4, 5, 6])
})

const leaseUntil = (when: string) => database.db.query(`update bus.lane set owner = 'another', expires_at = ${when}`)

test('lanes that another process holds are left alone until its lease is over', async () => {
  await leaseUntil(`now() + interval '1 hour'`)
  await write('lease', 1, 1)
  const waiting = relay()
  await waiting.drained()
  expect(await left()).toBe(1)
  await leaseUntil('now()')
  await until('published', async () => (await left()) === 0)
})

const lanesOf = async () =>
  (
    await database.db.query<{ n: number }>(
      `select count(*)::int as n from bus.lane where expires_at > now() group by owner`,
    )
  )
    .map(({ n }) => n)
    .sort((a, b) => a - b)

test('relays that live share the lanes evenly, and those of one that is gone go to the others', async () => {
  const three = [relay(), relay(), relay()]
  await until('even shares', async () => (await lanesOf()).join() === '5,5,6')
  await three[0]!.close()
  await until('the rest', async () => (await lanesOf()).join() === '8,8')
})

test('several relays publish each event once and in its order, also while some of them come and go', async () => {
  const all = ['p', 'q', 'r', 's', 't', 'u'].map((name) => `${name}-aggregate`)
  const writing = Promise.all(all.map((aggregate) => write(aggregate, 1, 40)))
  const first = relay()
  relay()
  await first.drained()
  relay()
  await writing
  await first.close()
  await until('all published', async () => (await left()) === 0, 10_000)
  const rows = await published()
  expect(rows).toHaveLength(240)
  for (const key of all)
    expect(rows.filter((row) => row.key === key).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 40 }, (_, i) => i + 1),
    )
})

test('a relay that closes gives its lanes back', async () => {
  await write('lease', 1, 1)
  const first = relay()
  await first.drained()
  await first.close()
  await write('lease', 2, 2)
  await relay().drained()
  expect(await left()).toBe(0)
})

test('what a killed process held is published at once where nobody else can be', async () => {
  await leaseUntil(`now() + interval '1 hour'`)
  await write('left', 1, 1)
  const sole = startRelay({ db: database.db, bus, clock: systemClock, log, sole: true })
  relays.push(sole)
  await sole.drained()
  expect(await left()).toBe(0)
})

test('a committed event is published without waiting for the next poll', async () => {
  const running = relay()
  await running.drained()
  const started = performance.now()
  await write('prompt', 1, 1)
  await until('published', async () => (await left()) === 0)
  expect(performance.now() - started).toBeLessThan(500)
})

test('an event that does not fit its topic is refused in the transaction that writes it', async () => {
  const refused = await database.db
    .tx((sql) => enqueue(sql, topics[0]!, { aggregate: 'x', seq: 1, key: 'x', data: { n: 'one' } as never }))
    .then(
      () => null,
      (error) => error,
    )
  expect(refused).toBeInstanceOf(z.ZodError)
  expect(await left()).toBe(0)
})

test('an effect in SQL happens once, however often its event is delivered, and again when it failed (V2.3.3)', async () => {
  await database.db.script('create table trading.effect (n integer)')
  const db = database.db.as('trading')
  const event = { group: 'g', id: Bun.randomUUIDv7() }
  const act = (n: number, fail = false) =>
    onceInSql(db, event, async (sql) => {
      await sql.query('insert into effect values ($1)', [n])
      if (fail) throw new Error('half way')
    }).catch((error) => error.message)
  expect(await act(1, true)).toBe('half way')
  expect(await Promise.all([act(2), act(3), act(4)])).toEqual([true, false, false])
  expect(await onceInSql(db, { ...event, group: 'other' }, async () => {})).toBe(true)
  expect(await db.query('select n from effect')).toEqual([{ n: 2 }])
})
