import { describe } from 'bun:test'
import { environment } from '../kernel/config.ts'
import { KafkaConnection } from '../ports/kafka/connection.ts'

const quiet = { warn: () => {} }

/** The broker that `./assay test` started, with names of this suite's own on it. */
export function testKafka(suite: string, brokers = environment().ASSAY_TEST_KAFKA_BROKERS): KafkaConnection {
  if (!brokers) throw new Error('ASSAY_TEST_KAFKA_BROKERS is not set: ./assay test starts a broker and sets it.')
  const prefix = `test-${process.pid}-${Date.now().toString(36)}-${suite}.`
  return new KafkaConnection({ brokers: brokers.split(','), clientId: 'assay-test', prefix }, quiet)
}

/** Removes what a suite made. */
export async function dropTopics(connection: KafkaConnection): Promise<void> {
  const admin = connection.kafka.admin()
  await admin.connect()
  const names = (await admin.listTopics()).filter((name) => name.startsWith(connection.named('')))
  if (names.length > 0) await admin.deleteTopics({ topics: names })
  await admin.disconnect()
}

/** A suite about Kafka itself. Runs where real servers are asked for. */
export function describeKafka(name: string, suite: () => void): void {
  if ((environment().ASSAY_TEST_ADAPTERS ?? 'embedded') !== 'embedded') describe(`${name} (real)`, suite)
}
