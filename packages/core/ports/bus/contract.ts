import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { z } from 'zod'
import { AssayError } from '../../contracts/errors.ts'
import { deadLetterOf } from '../../contracts/topics/catalog.ts'
import { defineTopic } from '../../contracts/topics/topic.ts'
import { until } from '../../testing/until.ts'
import { DbError } from '../db/port.ts'
import { type Bus, type Delivered, PoisonError, type Topic } from './port.ts'

const schema = z.object({ n: z.int(), note: z.string().optional() })
type Data = z.infer<typeof schema>
const contractTopic = (name: string, options: Partial<Topic<Data>> = {}): Topic<Data> => ({
  ...defineTopic({
    name,
    summary: 'Contract suite.',
    schema,
    key: 'key',
    producer: 'test',
    partitions: 4,
    retentionDays: 1,
  }),
  ...options,
})
const durable = contractTopic('contract.durable')
const other = contractTopic('contract.other')
const market = contractTopic('contract.market', { durable: false })
export const CONTRACT_TOPICS: readonly Topic[] = [durable, other, market]

/** What a handler meets while a server is away, or lets nobody in. */
const AWAY = [
  new AssayError('unavailable', 'Not now.'),
  new DbError('connection reset', '08006', { retryable: true, outcomeUnknown: true }),
  new DbError('connection refused', '08006', { retryable: true }),
  new DbError('password authentication failed', '28P01'),
]

export interface BusUnderTest {
  bus: Bus
  /** ends this client of the bus as it is and gives a new one on the same topics */
  restart(): Promise<Bus>
  drop(): Promise<void>
}

/** What every bus guarantees. */
export function busContract(open: (topics: readonly Topic[]) => Promise<BusUnderTest>): void {
  let world: BusUnderTest
  let bus: Bus
  beforeAll(async () => {
    world = await open(CONTRACT_TOPICS)
    bus = world.bus
  })
  afterAll(() => world.drop())

  let names = 0
  const fresh = (what: string) => `${what}-${++names}`
  /** A group that notes what it gets under keys that begin with `prefix`. */
  const listen = async (
    topic: Topic,
    prefix: string,
    options: { group?: string; from?: 'latest'; maxAttempts?: number } = {},
    act?: (message: Delivered) => void | Promise<void>,
  ) => {
    const seen: Delivered[] = []
    const group = options.group ?? fresh('group')
    const subscription = await bus.subscribe({ ...options, group, topics: [topic] }, async (message) => {
      if (!message.envelope.key.startsWith(prefix)) return
      seen.push(message)
      await act?.(message)
    })
    return { seen, group, close: () => subscription.close() }
  }
  const numbers = (seen: Delivered[], key?: string) =>
    seen
      .filter(({ envelope }) => key === undefined || envelope.key === key)
      .map(({ envelope }) => (envelope.data as Data).n)
  const publishAll = async (topic: Topic<Data>, key: string, count: number) => {
    for (let n = 1; n <= count; n++) await bus.publish(topic, key, { n })
  }
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

  for (const topic of [durable, market]) {
    describe(topic.durable ? 'durable topics' : 'market topics', () => {
      test('deliver the envelope with everything in it', async () => {
        const key = fresh('whole')
        const id = Bun.randomUUIDv7()
        const heard = await listen(topic, key)
        await bus.publish(topic, key, { n: 1 }, { id, seq: 7, trace: 'trace-1' })
        await until('delivered', () => heard.seen.length === 1)
        const { envelope, attempt } = heard.seen[0]!
        expect(envelope).toEqual({
          id,
          topic: topic.name,
          key,
          ts: envelope.ts,
          producer: 'test',
          version: 1,
          trace: 'trace-1',
          seq: 7,
          data: { n: 1 },
        })
        expect(new Date(envelope.ts).toISOString()).toBe(envelope.ts)
        expect(attempt).toBe(1)
        await heard.close()
      })

      test('refuse data that does not fit the schema, and deliver none of it', async () => {
        const key = fresh('misfit')
        const heard = await listen(topic, key)
        const refused = await bus.publish(topic, key, { n: 'one' } as never).then(
          () => null,
          (error) => error,
        )
        expect(refused).toBeInstanceOf(Error)
        await bus.publish(topic, key, { n: 2 })
        await until('the good one', () => heard.seen.length > 0)
        expect(numbers(heard.seen)).toEqual([2])
        await heard.close()
      })

      test('give a consumer its own copy, as JSON makes it, after publish returned', async () => {
        const key = fresh('copy')
        const heard = await listen(topic, key)
        const data: Data = { n: 1, note: undefined }
        const publishing = bus.publish(topic, key, data)
        expect(heard.seen).toHaveLength(0)
        await publishing
        data.n = 2
        await until('delivered', () => heard.seen.length === 1)
        expect(Object.keys(heard.seen[0]!.envelope.data as Data)).toEqual(['n'])
        expect(numbers(heard.seen)).toEqual([1])
        await heard.close()
      })

      test('keep the order of a key, one event at a time', async () => {
        const prefix = fresh('order')
        const keys = ['a', 'b', 'c', 'd', 'e'].map((key) => `${prefix}-${key}`)
        const inHand = new Map<string, number>()
        let overlaps = 0
        const heard = await listen(topic, prefix, {}, async ({ envelope: { key } }) => {
          inHand.set(key, (inHand.get(key) ?? 0) + 1)
          if (inHand.get(key)! > 1) overlaps++
          await Promise.resolve()
          inHand.set(key, inHand.get(key)! - 1)
        })
        await Promise.all(keys.map((key) => publishAll(topic, key, 30)))
        await until('all delivered', () => heard.seen.length >= 150)
        for (const key of keys) expect(numbers(heard.seen, key)).toEqual(upTo(30))
        expect(overlaps).toBe(0)
        await heard.close()
      })

      test('deliver to each group, and once within a group', async () => {
        const prefix = fresh('groups')
        const group = fresh('shared')
        const whole = await listen(topic, prefix)
        const members = [await listen(topic, prefix, { group }), await listen(topic, prefix, { group })]
        for (const n of upTo(40)) await bus.publish(topic, `${prefix}-${n}`, { n })
        const shared = () => members.flatMap(({ seen }) => numbers(seen)).sort((a, b) => a - b)
        await until('both groups have all', () => whole.seen.length >= 40 && shared().length >= 40)
        expect(shared()).toEqual(upTo(40))
        for (const { seen } of members) expect(seen.length).toBeGreaterThan(0)
        await Promise.all([whole, ...members].map(({ close }) => close()))
      })

      test("a member that leaves hands its partitions to the others, nothing is lost and a key's order holds", async () => {
        const prefix = fresh('leave')
        const group = fresh('shared')
        const [first, second] = [await listen(topic, prefix, { group }), await listen(topic, prefix, { group })]
        await Promise.all(upTo(8).map((i) => publishAll(topic, `${prefix}-${i}`, 5)))
        await first!.close()
        await Promise.all(upTo(8).map((i) => bus.publish(topic, `${prefix}-${i}`, { n: 6 })))
        const all = () => [...first!.seen, ...second!.seen]
        await until('all delivered', () => all().length >= 48)
        for (const i of upTo(8)) expect([...new Set(numbers(all(), `${prefix}-${i}`))]).toEqual(upTo(6))
        await second!.close()
      })

      test('deliver again what a handler rejected, before what follows it', async () => {
        const key = fresh('again')
        const heard = await listen(topic, key, {}, ({ attempt, envelope }) => {
          if ((envelope.data as Data).n === 1 && attempt < 3) throw new Error('not yet')
        })
        await publishAll(topic, key, 2)
        await until('the second one', () => numbers(heard.seen).includes(2))
        expect(heard.seen.map(({ attempt, envelope }) => [(envelope.data as Data).n, attempt])).toEqual([
          [1, 1],
          [1, 2],
          [1, 3],
          [2, 1],
        ])
        await heard.close()
      })

      test('put aside what fails every time, with the error, and go on', async () => {
        const key = fresh('dead')
        const letters = await listen(deadLetterOf(topic) as Topic, key)
        const heard = await listen(topic, key, { maxAttempts: 3 }, ({ envelope }) => {
          if ((envelope.data as Data).n === 1) throw new Error('broken for good')
        })
        await publishAll(topic, key, 2)
        await until('the letter and the next event', () => letters.seen.length === 1 && numbers(heard.seen).includes(2))
        const letter = letters.seen[0]!.envelope
        expect(letter.data).toMatchObject({
          group: heard.group,
          attempts: 3,
          error: 'Error: broken for good',
          envelope: { key, data: { n: 1 } },
        })
        await Promise.all([letters.close(), heard.close()])
      })

      test('wait with an event for a store that is away, however often that fails', async () => {
        const key = fresh('away')
        const letters = await listen(deadLetterOf(topic) as Topic, key)
        const heard = await listen(topic, key, { maxAttempts: 2 }, ({ attempt, envelope }) => {
          if ((envelope.data as Data).n === 1 && attempt <= AWAY.length) throw AWAY[attempt - 1]
        })
        await publishAll(topic, key, 2)
        await until('the second one', () => numbers(heard.seen).includes(2))
        expect(numbers(heard.seen)).toEqual([...AWAY.map(() => 1), 1, 2])
        expect(letters.seen).toHaveLength(0)
        await Promise.all([letters.close(), heard.close()])
      })

      test('put poison aside at once: what the handler calls poison, and what does not fit the schema of the consumer', async () => {
        const key = fresh('poison')
        const letters = await listen(deadLetterOf(topic) as Topic, key)
        const heard = await listen(topic, key, {}, () => {
          throw new PoisonError('never')
        })
        const strict = { ...topic, schema: z.object({ n: z.int().min(100) }) } as Topic
        const picky = await listen(strict, key)
        await bus.publish(topic, key, { n: 1 })
        await until('both letters', () => letters.seen.length === 2)
        expect(letters.seen.map(({ envelope }) => envelope.data)).toEqual(
          expect.arrayContaining([
            expect.objectContaining({ group: heard.group, attempts: 1 }),
            expect.objectContaining({
              group: picky.group,
              attempts: 1,
              error: expect.stringContaining('does not fit the schema'),
            }),
          ]),
        )
        expect(picky.seen).toHaveLength(0)
        await Promise.all([letters.close(), heard.close(), picky.close()])
      })

      test('a new group starts at the beginning, or at the end where it says so', async () => {
        const key = fresh('start')
        await bus.publish(topic, key, { n: 1 })
        const all = await listen(topic, key)
        const late = await listen(topic, key, { from: 'latest' })
        await bus.publish(topic, key, { n: 2 })
        await until('the second at both', () => [all, late].every(({ seen }) => numbers(seen).includes(2)))
        expect([numbers(all.seen), numbers(late.seen)]).toEqual([[1, 2], [2]])
        await Promise.all([all.close(), late.close()])
      })

      test('a group goes on where it was when it comes back', async () => {
        const key = fresh('resume')
        const group = fresh('group')
        const before = await listen(topic, key, { group })
        await publishAll(topic, key, 3)
        await until('three', () => before.seen.length === 3)
        await before.close()
        await bus.publish(topic, key, { n: 4 })
        const after = await listen(topic, key, { group })
        await until('the fourth', () => after.seen.length > 0)
        expect(numbers(after.seen)).toEqual([4])
        await after.close()
      })

      test('seek delivers again from an offset, and lag tells how far a group is', async () => {
        const key = fresh('seek')
        const heard = await listen(topic, key)
        await publishAll(topic, key, 5)
        await until('five', () => heard.seen.length === 5)
        const { partition, offset } = heard.seen[2]!
        const behind = async () => (await bus.lag(heard.group, topic)).map(({ committed, end }) => end - committed)
        await until('nothing is left', async () => (await behind()).every((events) => events === 0))
        expect(await behind()).toHaveLength(topic.partitions)
        await bus.seek(heard.group, topic, partition, offset)
        await until('three more', () => heard.seen.length === 8)
        expect(numbers(heard.seen)).toEqual([1, 2, 3, 4, 5, 3, 4, 5])
        await heard.close()
        await publishAll(topic, key, 2)
        expect((await behind()).reduce((sum, events) => sum + events)).toBe(2)
      })
    })
  }

  test('formed envelopes are published in their order, over several topics', async () => {
    const key = fresh('formed')
    const heard = [await listen(durable, key), await listen(other, key), await listen(market, key)]
    const envelope = (topic: Topic, n: number) => ({
      id: Bun.randomUUIDv7(),
      topic: topic.name,
      key,
      ts: new Date().toISOString(),
      producer: 'test',
      version: 1,
      trace: null,
      seq: n,
      data: { n },
    })
    await bus.publishEnvelopes([envelope(durable, 1), envelope(other, 2), envelope(market, 3), envelope(durable, 4)])
    await until('all', () => heard.flatMap(({ seen }) => seen).length === 4)
    expect(heard.map(({ seen }) => numbers(seen))).toEqual([[1, 4], [2], [3]])
    await Promise.all(heard.map(({ close }) => close()))
  })

  test('durable topics and offsets survive a restart: what was not handled is delivered, what was is not', async () => {
    const key = fresh('restart')
    const group = fresh('group')
    const before = await listen(durable, key, { group })
    await publishAll(durable, key, 3)
    await until('three', () => before.seen.length === 3)
    await before.close()
    await publishAll(durable, `${key}-more`, 2)
    bus = await world.restart()
    const after = await listen(durable, key, { group })
    await until('the rest', () => after.seen.length === 2)
    expect(numbers(after.seen, `${key}-more`)).toEqual([1, 2])
    await bus.publish(durable, key, { n: 4 })
    await until('the next', () => numbers(after.seen).includes(4))
    await after.close()
  })
}
