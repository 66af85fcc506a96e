import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { enqueue } from '@assay/core/kernel/outbox'
import { startRelay } from '@assay/core/kernel/relay'
import { KafkaBus } from '@assay/core/ports/bus/kafka'
import type { Delivered } from '@assay/core/ports/bus/port'
import { systemClock } from '@assay/core/ports/clock/system'
import { KafkaConnection } from '@assay/core/ports/kafka/connection'
import { applyTopics, withDeadLetters } from '@assay/core/ports/kafka/topics'
import { openKafkaLog, sequencedTopic } from '@assay/core/ports/marketlog/kafka'
import { describeKafka } from '@assay/core/testing/kafka'
import { testPostgres } from '@assay/core/testing/postgres'
import { until } from '@assay/core/testing/until'
import { type FaultProxy, startFaultProxy } from '../../scripts/stack/fault-proxy.ts'
import { freePorts } from '../../scripts/stack/ports.ts'
import { type Kafka, startKafka } from '../../scripts/stack/servers/kafka.ts'
import { COUNTED } from './counted.ts'

const log = { error: () => {}, warn: () => {} }
const LONG = 180_000

describeKafka('a broker that fails', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-kafka-'))
  let kafka: Kafka
  let proxy: FaultProxy
  let names = 0
  const opened: KafkaBus[] = []

  beforeAll(async () => {
    const [port] = await freePorts(1)
    kafka = await startKafka({ folder, advertisedPort: port! })
    proxy = await startFaultProxy({ target: kafka.proxiedPort!, port: port! })
  }, LONG)
  afterAll(async () => {
    await Promise.all(opened.map((bus) => bus.close()))
    await proxy.close()
    await kafka.stop()
    rmSync(folder, { recursive: true, force: true })
  }, LONG)

  const world = async (brokers = kafka.address) => {
    const connection = new KafkaConnection({ brokers: [brokers], clientId: 'test', prefix: `t${++names}.` }, log)
    await applyTopics(connection, [
      ...withDeadLetters([COUNTED]).map((topic) => ({ ...topic, name: connection.named(topic.name) })),
      sequencedTopic(connection, ['main'], 1 << 30),
    ])
    const open = () => {
      const bus = new KafkaBus({ connection, clock: systemClock, log, topics: [COUNTED] })
      opened.push(bus)
      return bus
    }
    return { connection, open }
  }
  const inLog = async (connection: KafkaConnection): Promise<number> => {
    const admin = new KafkaConnection({ ...connection.settings, brokers: [kafka.address] }, log).kafka.admin()
    await admin.connect()
    const ends = await admin.fetchTopicOffsets(connection.named(COUNTED.name))
    await admin.disconnect()
    return ends.reduce((sum, { high }) => sum + Number(high), 0)
  }
  /** First deliveries of each key come in the order of their numbers. */
  const inOrder = (seen: readonly Delivered[]) => {
    const last = new Map<string, number>()
    const ids = new Set<string>()
    for (const { envelope } of seen) {
      if (ids.has(envelope.id)) continue
      ids.add(envelope.id)
      const { n } = envelope.data as { n: number }
      expect(n).toBe((last.get(envelope.key) ?? 0) + 1)
      last.set(envelope.key, n)
    }
    return ids.size
  }

  test(
    'killed and restarted while events are published and consumed: none is lost, the log holds none twice, keys keep their order',
    async () => {
      const { connection, open } = await world()
      const publisher = open()
      const seen: Delivered[] = []
      for (const bus of [open(), open()])
        await bus.subscribe({ group: 'g', topics: [COUNTED] }, async (message) => void seen.push(message))
      let acknowledged = 0
      let publishing = true
      const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
      const writers = keys.map(async (key) => {
        for (let n = 1; publishing; n++) {
          await publisher.publish(COUNTED, key, { n })
          acknowledged++
        }
      })
      for (let kill = 0; kill < 2; kill++) {
        const before = acknowledged
        await until('events flow', () => acknowledged > before + 500, 60_000)
        await kafka.signal('SIGKILL')
        await kafka.restart()
      }
      const before = acknowledged
      await until('events flow again', () => acknowledged > before + 500, 60_000)
      publishing = false
      await Promise.all(writers)
      await until(
        'all are delivered',
        () => new Set(seen.map(({ envelope }) => envelope.id)).size >= acknowledged,
        60_000,
      )
      expect(inOrder(seen)).toBe(acknowledged)
      expect(await inLog(connection)).toBe(acknowledged)
    },
    LONG,
  )

  test(
    'acknowledgements that are swallowed: each event is in the log once',
    async () => {
      const { connection, open } = await world(proxy.address)
      const bus = open()
      let sent = 0
      const publishing = Array.from({ length: 5 }, async (_, k) => {
        for (let n = 1; n <= 300; n++) {
          await bus.publish(COUNTED, `key-${k}`, { n })
          sent++
        }
      })
      for (let times = 0; times < 3; times++) {
        const before = sent
        await until('events flow', () => sent > before + 100, 30_000)
        proxy.swallow('down')
        const swallowed = proxy.swallowed
        await until('an acknowledgement was lost', () => proxy.swallowed > swallowed, 30_000)
        await proxy.heal()
      }
      await Promise.all(publishing)
      expect(proxy.swallowed).toBeGreaterThan(0)
      expect(await inLog(connection)).toBe(1500)
    },
    LONG,
  )

  test(
    'the market log waits for its broker, and its readers see every event once',
    async () => {
      const { connection } = await world()
      const { db, drop } = await testPostgres()
      const open = () => openKafkaLog({ connection, db, clock: systemClock, log, groups: ['main'] })
      const [writer, reader] = [open(), open()]
      const event = (mseq: number): MarketEvent => ({ kind: 'clock', ts: mseq, pos: 0, mseq, mts: mseq })
      const seen: number[] = []
      const stop = new AbortController()
      const reading = (async () => {
        for await (const batch of reader.read('main', 1, stop.signal)) seen.push(...batch.map(({ mseq }) => mseq))
      })()
      await writer.fence('main', 1)
      let last = 0
      let writing = true
      const appending = (async () => {
        while (writing) await writer.append('main', 1, [event(++last)])
      })()
      await until('events flow', () => seen.length > 100, 30_000)
      await kafka.signal('SIGKILL')
      await kafka.restart()
      const before = seen.length
      await until('events flow again', () => seen.length > before + 100, 60_000)
      writing = false
      await appending
      await until('the reader has all', () => seen.length >= last, 30_000)
      expect(seen).toEqual(Array.from({ length: last }, (_, i) => i + 1))
      stop.abort()
      await reading
      await writer.close()
      await reader.close()
      await drop()
    },
    LONG,
  )

  test(
    'the outbox waits for its broker with two relays on it: every event arrives, in the order of its aggregate',
    async () => {
      const { open } = await world()
      const database = await testPostgres()
      const seen: Delivered[] = []
      await open().subscribe({ group: 'g', topics: [COUNTED] }, async (message) => void seen.push(message))
      const relays = [open(), open()].map((bus) => startRelay({ db: database.db, bus, clock: systemClock, log }))
      const write = async (from: number, to: number) => {
        const writing = ['a', 'b', 'c', 'd'].map(async (aggregate) => {
          for (let seq = from; seq <= to; seq++)
            await database.db.tx((sql) => enqueue(sql, COUNTED, { aggregate, seq, key: aggregate, data: { n: seq } }))
        })
        await Promise.all(writing)
      }
      await write(1, 50)
      await kafka.signal('SIGKILL')
      await write(51, 100)
      await kafka.restart()
      await write(101, 120)
      await until('all arrive', () => new Set(seen.map(({ envelope }) => envelope.id)).size === 480, 120_000)
      expect(inOrder(seen)).toBe(480)
      await Promise.all(relays.map((relay) => relay.drained()))
      expect(await database.db.query('select from bus.outbox')).toHaveLength(0)
      await Promise.all(relays.map((relay) => relay.close()))
      await database.drop()
    },
    LONG,
  )

  test('a consumer killed in the middle of its work, again and again: each effect happens once', async () => {
    const { connection, open } = await world()
    const database = await testPostgres()
    await database.admin(
      'create table public.delivered (id uuid); create table public.counter (n int); insert into public.counter values (0); create table public.posting (id uuid, n int)',
    )
    const count = async (table: string) =>
      Number((await database.admin(`select count(*) as n from public.${table}`))[0].n)
    const bus = open()
    const EVENTS = 4_000
    const publishing = Promise.all(
      Array.from({ length: EVENTS }, (_, n) => bus.publish(COUNTED, `key-${n % 50}`, { n })),
    )
    const start = () =>
      Bun.spawn(
        [process.execPath, `${import.meta.dir}/consumer-process.ts`, kafka.address, connection.named(''), database.url],
        {
          stderr: 'inherit',
        },
      )
    let child = start()
    for (let kill = 0; kill < 6; kill++) {
      const before = await count('delivered')
      await until('it works', async () => (await count('delivered')) > before + 20 + Math.random() * 200, 60_000)
      child.kill('SIGKILL')
      await child.exited
      child = start()
    }
    await publishing
    await until('all effects', async () => (await count('posting')) >= EVENTS, 120_000)
    child.kill('SIGKILL')
    await child.exited
    expect(await count('posting')).toBe(EVENTS)
    expect((await database.admin('select n from public.counter'))[0].n).toBe(EVENTS)
    expect(await count('delivered')).toBeGreaterThan(EVENTS)
    await database.drop()
  }, 300_000)
})
