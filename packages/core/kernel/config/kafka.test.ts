import { expect, test } from 'bun:test'
import { ConfigError, readConfig } from '../config.ts'
import { kafkaSettings } from './kafka.ts'

const read = (env: Record<string, string>) => kafkaSettings(readConfig(env).platform)
function reasons(env: Record<string, string>): string[] {
  try {
    readConfig(env)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ variable, reason }) => `${variable} ${reason}`)
  }
}

test('without brokers bus and market log are the embedded ones', () => {
  expect(read({})).toBeNull()
})

test('brokers, TLS and a SCRAM user are taken from the configuration', () => {
  expect(
    read({
      KAFKA_BROKERS: 'a.internal:9094, b.internal:9094',
      KAFKA_TLS: 'true',
      KAFKA_TLS_CA_FILE: '/ca.pem',
      KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
      KAFKA_SASL_USERNAME: 'u',
      KAFKA_SASL_PASSWORD: 'p',
      KAFKA_TOPIC_PREFIX: 'staging.',
    }),
  ).toEqual({
    brokers: ['a.internal:9094', 'b.internal:9094'],
    clientId: 'assay',
    prefix: 'staging.',
    tls: { caFile: '/ca.pem', certFile: undefined, keyFile: undefined },
    sasl: { mechanism: 'scram-sha-512', username: 'u', password: 'p' },
  })
})

test.each([
  [{ KAFKA_BROKERS: 'kafka' }, 'KAFKA_BROKERS must be brokers like kafka-1.internal:9092'],
  [{ KAFKA_TLS: 'true' }, 'KAFKA_TLS belongs to KAFKA_BROKERS, which is not set'],
  [
    { KAFKA_BROKERS: 'k:1', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' },
    'KAFKA_SASL_MECHANISM the other parts of KAFKA_SASL_* are set',
  ],
  [{ KAFKA_BROKERS: 'k:1', KAFKA_TLS_CA_FILE: '/ca.pem' }, 'KAFKA_TLS_CA_FILE needs KAFKA_TLS=true'],
  [
    { KAFKA_BROKERS: 'k:1', KAFKA_SASL_MECHANISM: 'aws-msk-iam', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' },
    'KAFKA_SASL_MECHANISM aws-msk-iam is not brought: give the cluster a SCRAM user',
  ],
])('%p is refused by name', (env, reason) => {
  expect(reasons(env as Record<string, string>)).toContain(reason)
})

test('in production a password does not go to the brokers in the clear', () => {
  const sasl = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' }
  expect(reasons({ NODE_ENV: 'production', KAFKA_BROKERS: 'k:1', ...sasl })).toContain(
    'KAFKA_TLS must be true in production: the password would be sent in the clear',
  )
})
