import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KafkaBus } from '@assay/core/ports/bus/kafka'
import { systemClock } from '@assay/core/ports/clock/system'
import { KafkaConnection, type KafkaSettings } from '@assay/core/ports/kafka/connection'
import { KafkaUnreachableError, reach, whileReachable } from '@assay/core/ports/kafka/reach'
import { applyTopics, withDeadLetters } from '@assay/core/ports/kafka/topics'
import { openKafkaLog, sequencedTopic } from '@assay/core/ports/marketlog/kafka'
import { testDatabase } from '@assay/core/testing/database'
import { describeKafka } from '@assay/core/testing/kafka'
import { until } from '@assay/core/testing/until'
import { makeCertificate } from '../../scripts/stack/certificate.ts'
import { type Kafka, startKafka } from '../../scripts/stack/servers/kafka.ts'
import { COUNTED } from './counted.ts'

const log = { error: () => {}, warn: () => {} }
const LONG = 180_000
const USER = { username: 'assay', password: 'a long enough secret' }
const LIMIT_MS = 4_000

describeKafka('a broker with TLS and a login', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-kafka-'))
  let kafka: Kafka
  let strangersCa: string
  beforeAll(async () => {
    kafka = await startKafka({ folder: join(folder, 'kafka'), tls: USER })
    strangersCa = (await makeCertificate(join(folder, 'stranger'))).caFile
  }, LONG)
  afterAll(async () => {
    await kafka.stop()
    rmSync(folder, { recursive: true, force: true })
  }, LONG)

  const connect = (mechanism: 'plain' | 'scram-sha-512', changed: Partial<KafkaSettings> = {}) =>
    new KafkaConnection(
      {
        brokers: [kafka.tlsAddress!],
        clientId: 'test',
        prefix: `${mechanism}.`,
        tls: { caFile: kafka.caFile! },
        sasl: { mechanism, ...USER },
        ...changed,
      },
      log,
    )

  for (const mechanism of ['scram-sha-512', 'plain'] as const) {
    test(
      `bus and market log work over TLS with ${mechanism}`,
      async () => {
        const connection = connect(mechanism)
        await reach(connection, systemClock)
        await applyTopics(connection, [
          ...withDeadLetters([COUNTED]).map((topic) => ({ ...topic, name: connection.named(topic.name) })),
          sequencedTopic(connection, ['main'], 1 << 30),
        ])
        const bus = new KafkaBus({ connection, clock: systemClock, log, topics: [COUNTED] })
        const seen: unknown[] = []
        await bus.subscribe({ group: 'g', topics: [COUNTED] }, async ({ envelope }) => void seen.push(envelope.data))
        for (let n = 1; n <= 3; n++) await bus.publish(COUNTED, 'k', { n })
        await until('all arrive', () => seen.length === 3, 60_000)
        expect(seen).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])

        const { db, drop } = await testDatabase()
        const marketlog = openKafkaLog({ connection, db, clock: systemClock, log, groups: ['main'] })
        await marketlog.fence('main', 1)
        await marketlog.append('main', 1, [{ kind: 'clock', ts: 1, pos: 0, mseq: 1, mts: 1 }])
        expect(await marketlog.end('main')).toEqual({ mseq: 1, mts: 1, epoch: 1 })
        await marketlog.close()
        await bus.close()
        await drop()
      },
      LONG,
    )
  }

  const refusals: [name: string, connection: () => KafkaConnection, words: RegExp][] = [
    [
      'a wrong password',
      () => connect('scram-sha-512', { sasl: { mechanism: 'scram-sha-512', ...USER, password: 'wrong' } }),
      /refuses the user assay by scram-sha-512: see KAFKA_SASL_MECHANISM/,
    ],
    [
      'a mechanism that the broker does not have',
      () => connect('plain', { sasl: { mechanism: 'scram-sha-256', ...USER } }),
      /refuses the user assay by scram-sha-256/,
    ],
    [
      'a certificate of another CA',
      () => connect('plain', { tls: { caFile: strangersCa } }),
      /is not trusted \(.+\): see KAFKA_TLS_CA_FILE/,
    ],
    ['no TLS where the broker wants it', () => connect('plain', { tls: false }), /does not answer \(asked without TLS/],
    [
      'a port where nobody listens',
      () => connect('plain', { brokers: ['127.0.0.1:1'] }),
      /Kafka at 127.0.0.1:1 does not answer .* ECONNREFUSED/,
    ],
  ]
  for (const [name, connection, words] of refusals) {
    test(
      `${name} ends a start within its bound, in words that name the setting`,
      async () => {
        const started = performance.now()
        const begun: string[] = []
        const refused = await whileReachable(connection(), systemClock, async () => begun.push('act'), LIMIT_MS).catch(
          (error) => error,
        )
        expect(refused).toBeInstanceOf(KafkaUnreachableError)
        expect(refused.message).toMatch(words)
        expect(refused.message).not.toContain(USER.password)
        expect(begun).toEqual([])
        expect(performance.now() - started).toBeLessThan(2 * LIMIT_MS)
      },
      LONG,
    )
  }

  test(
    'a broker that freezes while something is under way ends it within a bound',
    async () => {
      const freeze = async () => {
        await kafka.signal('SIGSTOP')
        return new Promise<never>(() => {})
      }
      const refused = await whileReachable(connect('plain'), systemClock, freeze).catch((error) => error)
      await kafka.signal('SIGCONT')
      expect(refused).toBeInstanceOf(KafkaUnreachableError)
      expect(refused.message).toMatch(/does not answer .*: no answer/)
    },
    LONG,
  )
})
