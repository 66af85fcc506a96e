import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs'
import Cluster from 'kafkajs/src/cluster/index.js'
import createSocketFactory from 'kafkajs/src/network/socketFactory.js'
import type { Logger } from 'pino'

export interface KafkaSettings {
  /** host:port of some brokers */
  brokers: readonly string[]
  clientId: string
  tls?: boolean | { caFile?: string; certFile?: string; keyFile?: string }
  sasl?: { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string }
  /** before every topic and group: several installations on one cluster */
  prefix?: string
}
type Log = Pick<Logger, 'warn'>

/** A broker that is away is waited out; what waits is ended by its owner's close. */
export const PATIENT = { retries: Number.MAX_SAFE_INTEGER, initialRetryTime: 50, maxRetryTime: 1_000 }
const REQUEST_MS = 10_000
const CONNECT_MS = 3_000
/** The client repeats itself while a broker is away. */
const SAME_LINE_MS = 10_000

/** One set of settings, and the clients made from it. */
export class KafkaConnection {
  readonly kafka: Kafka
  private readonly config: KafkaConfig

  constructor(
    readonly settings: KafkaSettings,
    log: Log,
  ) {
    this.config = {
      clientId: settings.clientId,
      brokers: [...settings.brokers],
      ...(settings.tls ? { ssl: tlsOf(settings.tls) } : {}),
      // the client keeps what it derives from them in the object
      ...(settings.sasl ? { sasl: { ...settings.sasl } as SASLOptions } : {}),
      connectionTimeout: CONNECT_MS,
      authenticationTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      enforceRequestTimeout: true,
      retry: PATIENT,
      logLevel: logLevel.WARN,
      logCreator: () => tell(log),
    }
    this.kafka = new Kafka(this.config)
  }

  /** The name on the cluster of a topic or group of ours. */
  named(name: string): string {
    return `${this.settings.prefix ?? ''}${name}`
  }

  /** A client below groups and producers, with connections of its own; it does not retry, its user does. */
  cluster(): Cluster {
    const { brokers, ssl, sasl, clientId, connectionTimeout, authenticationTimeout, requestTimeout } = this.config
    return new Cluster({
      logger: this.kafka.logger(),
      socketFactory: createSocketFactory(),
      brokers,
      ssl,
      sasl,
      clientId,
      connectionTimeout,
      authenticationTimeout,
      reauthenticationThreshold: 10_000,
      requestTimeout,
      enforceRequestTimeout: true,
      metadataMaxAge: 300_000,
      allowAutoTopicCreation: false,
      maxInFlightRequests: null,
      isolationLevel: 0,
      retry: { retries: 0, initialRetryTime: 50, maxRetryTime: 50 },
    })
  }
}

function tlsOf(tls: Exclude<KafkaSettings['tls'], undefined | false>): ConnectionOptions | true {
  if (tls === true) return true
  const read = (file: string | undefined) => (file ? readFileSync(file, 'utf8') : undefined)
  const parts = { ca: read(tls.caFile), cert: read(tls.certFile), key: read(tls.keyFile) }
  return Object.fromEntries(Object.entries(parts).filter(([, pem]) => pem !== undefined))
}

function tell(log: Log) {
  const said = new Map<string, number>()
  return ({ namespace, log: { message, ...fields } }: { namespace: string; log: { message: string } }) => {
    const line = `${namespace}: ${message}`
    const now = performance.now()
    if (now - (said.get(line) ?? Number.NEGATIVE_INFINITY) < SAME_LINE_MS) return
    if (said.size > 1_000) said.clear()
    said.set(line, now)
    const { broker, groupId, error } = fields as Record<string, unknown>
    log.warn({ broker, group: groupId, error }, `kafka: ${line}`)
  }
}
