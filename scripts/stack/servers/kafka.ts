import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Certificate, makeCertificate } from '../certificate.ts'
import { step } from '../installed.ts'
import { launch } from '../launch.ts'
import { ask, freePorts, HOST } from '../ports.ts'
import type { Addresses, Progress, Server, StartOptions } from '../server.ts'
import { installKafka as install, type KafkaInstallation, makeArchive } from './kafka-install.ts'

export interface KafkaOptions extends StartOptions {
  /** a second listener that tells its clients to come back to this port: a proxy's in front of it */
  advertisedPort?: number
  /** a listener with TLS, with user and password on it when given (SASL PLAIN, SCRAM-SHA-512) */
  tls?: true | { username: string; password: string }
  /** of server.properties, over ours */
  settings?: Record<string, string>
  /** of the JVM, behind ours */
  jvm?: string[]
}
export interface Kafka extends Server {
  /** where a proxy in front of the second listener connects to */
  proxiedPort?: number
  /** host:port of the TLS listener */
  tlsAddress?: string
  caFile?: string
  /** java with the class path of the broker and its tools: a main class and arguments follow */
  java: string[]
}

export async function installKafka(progress: Progress): Promise<KafkaInstallation> {
  const installation = await install(progress)
  await makeArchive(installation, progress, async (folder, flags) => {
    const server = await run({ folder, jvm: flags }, { ...installation, archive: '' })
    await server.stop()
  })
  return installation
}

/** One node in KRaft mode: broker and controller in one process. */
export async function startKafka(options: KafkaOptions, progress: Progress = () => {}): Promise<Kafka> {
  return run(options, await installKafka(progress))
}

interface Ports {
  plain: number
  controller: number
  proxied: number
  tls: number
}

async function run(options: KafkaOptions, installation: KafkaInstallation): Promise<Kafka> {
  const folder = resolve(options.folder)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const ports = await portsOf(folder, options.port)
  const certificate = options.tls ? await makeCertificate(join(folder, 'tls')) : undefined
  const properties = join(folder, 'server.properties')
  writeFileSync(properties, write({ ...settingsOf({ folder, ports, options, certificate }), ...options.settings }), {
    mode: 0o600,
  })
  writeFileSync(join(folder, 'log4j2.properties'), LOGGING)
  const { java, archive, version } = installation
  if (!existsSync(join(folder, 'data', 'meta.properties'))) await format({ java, properties, options })
  const flags = [`-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`]
  if (archive && existsSync(archive)) flags.push(`-XX:SharedArchiveFile=${archive}`)
  const [program, ...rest] = java as [string, ...string[]]
  const address = `${HOST}:${ports.plain}`
  const server = await launch(
    {
      name: 'kafka',
      version,
      address,
      folder,
      ports: { plain: ports.plain, controller: ports.controller },
      env: { KAFKA_BROKERS: address },
      command: [program, ...flags, ...rest.slice(0, -2), ...(options.jvm ?? []), ...rest.slice(-2), MAIN, properties],
      isReady: () => answersKafka({ KAFKA_BROKERS: address }),
    },
    options,
  )
  return Object.assign(server, {
    java,
    ...(options.advertisedPort && { proxiedPort: ports.proxied }),
    ...(certificate && { tlsAddress: `${HOST}:${ports.tls}`, caFile: certificate.caFile }),
  })
}

const MAIN = 'kafka.Kafka'
/** ApiVersions, version 0, correlation 1, no client id: the one call every broker takes. */
const API_VERSIONS = Uint8Array.fromHex('0000000a0012000000000001ffff')

/** Takes a request: a frozen broker still accepts connections. */
export async function answersKafka({ KAFKA_BROKERS = '' }: Addresses): Promise<boolean> {
  const port = Number(KAFKA_BROKERS.split(',')[0]!.split(':').at(-1))
  return (await ask(port, API_VERSIONS, (bytes) => bytes.length >= 8)) !== undefined
}

/** The quorum is remembered by address: ports stay with the data. */
async function portsOf(folder: string, asked: number | undefined): Promise<Ports> {
  const file = join(folder, 'ports.json')
  if (!existsSync(file)) {
    const [plain, controller, proxied, tls] = await freePorts(4)
    writeFileSync(file, JSON.stringify({ plain, controller, proxied, tls }))
  }
  const ports = JSON.parse(readFileSync(file, 'utf8')) as Ports
  return asked ? { ...ports, plain: asked } : ports
}

interface Asked {
  folder: string
  ports: Ports
  options: KafkaOptions
  certificate?: Certificate
}
function settingsOf({ folder, ports, options, certificate }: Asked): Record<string, string> {
  const { advertisedPort, tls } = options
  const listeners = [
    { name: 'PLAIN', port: ports.plain, advertised: ports.plain, protocol: 'PLAINTEXT' },
    ...(advertisedPort
      ? [{ name: 'PROXIED', port: ports.proxied, advertised: advertisedPort, protocol: 'PLAINTEXT' }]
      : []),
    ...(tls
      ? [{ name: 'TLS', port: ports.tls, advertised: ports.tls, protocol: tls === true ? 'SSL' : 'SASL_SSL' }]
      : []),
  ]
  const controller = `CONTROLLER://${HOST}:${ports.controller}`
  return {
    ...FIXED,
    'controller.quorum.bootstrap.servers': `${HOST}:${ports.controller}`,
    listeners: [...listeners.map(({ name, port }) => `${name}://${HOST}:${port}`), controller].join(),
    'advertised.listeners': listeners.map(({ name, advertised }) => `${name}://${HOST}:${advertised}`).join(),
    'listener.security.protocol.map': [
      ...listeners.map(({ name, protocol }) => `${name}:${protocol}`),
      'CONTROLLER:PLAINTEXT',
    ].join(),
    'log.dirs': join(folder, 'data'),
    ...(certificate ? tlsSettings(certificate) : {}),
    ...(tls && tls !== true ? saslSettings(tls) : {}),
  }
}

const FIXED = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'PLAIN',
  'num.partitions': '1',
  'auto.create.topics.enable': 'false',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '4',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'share.coordinator.state.topic.num.partitions': '1',
  'group.initial.rebalance.delay.ms': '0',
  // a killed one is waited for this long before it may come back: 9 s by default
  'broker.session.timeout.ms': '4000',
  'broker.heartbeat.interval.ms': '1000',
  'num.network.threads': '2',
  'num.io.threads': '2',
  'num.recovery.threads.per.data.dir': '1',
  'background.threads': '2',
}

function tlsSettings({ certFile, keyFile, caFile }: Certificate): Record<string, string> {
  const pem = (file: string) => readFileSync(file, 'utf8').trim().replaceAll('\n', ' \\\n')
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.certificate.chain': pem(certFile),
    'ssl.keystore.key': pem(keyFile),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.certificates': pem(caFile),
  }
}

function saslSettings({ username, password }: { username: string; password: string }): Record<string, string> {
  const jaas = (module: string, users: string) => `org.apache.kafka.common.security.${module} required ${users};`
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512',
    'listener.name.tls.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512',
    'listener.name.tls.plain.sasl.jaas.config': jaas('plain.PlainLoginModule', `user_${username}="${password}"`),
    'listener.name.tls.scram-sha-512.sasl.jaas.config': jaas('scram.ScramLoginModule', ''),
  }
}

const write = (settings: Record<string, string>): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

/** Makes the data folder; SCRAM users are part of the first metadata. */
async function format({ java, properties, options }: { java: string[]; properties: string; options: KafkaOptions }) {
  const { tls } = options
  const user =
    tls && tls !== true ? ['--add-scram', `SCRAM-SHA-512=[name=${tls.username},password=${tls.password}]`] : []
  const id = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')
  // an id must not begin with a dash: it would be read as a flag
  const cluster = ['-t', id.replace(/^-/, 'A'), '-c', properties]
  await step([...java, 'kafka.tools.StorageTool', 'format', '--standalone', ...cluster, ...user])
}

const LOGGING = `status=error
appender.c.type=Console
appender.c.name=c
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=%d %p %m (%c)%n
rootLogger.level=warn
rootLogger.appenderRef.c.ref=c
logger.k.name=kafka.server.KafkaRaftServer
logger.k.level=info
`
