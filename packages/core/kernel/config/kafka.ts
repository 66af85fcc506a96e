import { z } from 'zod'
import type { KafkaSettings } from '../../ports/kafka/connection.ts'
import type { ConfigProblem } from './problem.ts'
import { flag, list } from './values.ts'

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

/** The variables of bus and market log on Kafka. */
export const kafkaVariables = {
  KAFKA_BROKERS: list(z.string().regex(/^[\w.-]+:\d{1,5}$/, 'must be brokers like kafka-1.internal:9092')),
  KAFKA_CLIENT_ID: z.string().default('assay'),
  KAFKA_TOPIC_PREFIX: z
    .string()
    .regex(/^[a-z0-9-]{1,40}\.$/, 'must be lower-case letters, digits and dashes with a dot behind, such as staging.')
    .optional(),
  KAFKA_TLS: flag().optional(),
  KAFKA_TLS_CA_FILE: z.string().optional(),
  KAFKA_TLS_CERT_FILE: z.string().optional(),
  KAFKA_TLS_KEY_FILE: z.string().optional(),
  KAFKA_SASL_MECHANISM: z
    .string()
    .toLowerCase()
    .refine((text) => text !== 'aws-msk-iam', 'aws-msk-iam is not brought: give the cluster a SCRAM user')
    .pipe(z.enum(MECHANISMS, { error: `must be one of ${MECHANISMS.join(', ')}` }))
    .optional(),
  KAFKA_SASL_USERNAME: z.string().optional(),
  KAFKA_SASL_PASSWORD: z.string().optional(),
}
const slice = z.object(kafkaVariables)
export type KafkaConfig = z.infer<typeof slice>

const SASL = ['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD']
const TLS_FILES = ['KAFKA_TLS_CA_FILE', 'KAFKA_TLS_CERT_FILE', 'KAFKA_TLS_KEY_FILE']

/** Which variables contradict each other or lack their other half. */
export function kafkaProblems(values: Readonly<Record<string, string>>): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const refuse = (variable: string, reason: string) => problems.push({ variable, reason })
  const isSet = (name: string) => values[name] !== undefined
  for (const name of ['KAFKA_TOPIC_PREFIX', 'KAFKA_TLS', ...TLS_FILES, ...SASL])
    if (isSet(name) && !isSet('KAFKA_BROKERS')) refuse(name, 'belongs to KAFKA_BROKERS, which is not set')
  for (const name of SASL) if (SASL.some(isSet) && !isSet(name)) refuse(name, 'the other parts of KAFKA_SASL_* are set')
  const tls = /^(true|1|yes|on)$/i.test(values.KAFKA_TLS ?? '')
  for (const name of TLS_FILES) if (isSet(name) && !tls) refuse(name, 'needs KAFKA_TLS=true')
  if (isSet('KAFKA_TLS_CERT_FILE') !== isSet('KAFKA_TLS_KEY_FILE'))
    refuse(isSet('KAFKA_TLS_CERT_FILE') ? 'KAFKA_TLS_KEY_FILE' : 'KAFKA_TLS_CERT_FILE', 'the other half is set')
  if (values.NODE_ENV === 'production' && SASL.some(isSet) && !tls)
    refuse('KAFKA_TLS', 'must be true in production: the password would be sent in the clear')
  return problems
}

/** Null: the embedded bus and market log. */
export function kafkaSettings(config: KafkaConfig): KafkaSettings | null {
  if (config.KAFKA_BROKERS.length === 0) return null
  const files = {
    caFile: config.KAFKA_TLS_CA_FILE,
    certFile: config.KAFKA_TLS_CERT_FILE,
    keyFile: config.KAFKA_TLS_KEY_FILE,
  }
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config
  return {
    brokers: config.KAFKA_BROKERS,
    clientId: config.KAFKA_CLIENT_ID,
    prefix: config.KAFKA_TOPIC_PREFIX ?? '',
    ...(config.KAFKA_TLS ? { tls: Object.values(files).some(Boolean) ? files : true } : {}),
    ...(mechanism && username && password ? { sasl: { mechanism, username, password } } : {}),
  }
}
