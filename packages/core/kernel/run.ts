import { BASE_PORT, serviceEntry } from '../contracts/services.ts'
import type { Clock } from '../ports/clock/port.ts'
import { systemClock } from '../ports/clock/system.ts'
import { readCertificate } from './certificate.ts'
import { compose, type Platform } from './compose.ts'
import { type Config, type Environment, environment, readConfig } from './config.ts'
import { createDeps } from './deps.ts'
import { createLifecycle, type Lifecycle } from './lifecycle.ts'
import { drain, giveNotice, listen, listenForPeers, listenForRedirects, openPort, type Port } from './listen.ts'
import { openLog } from './log.ts'
import { createMetrics } from './metrics.ts'
import { type Network, openNetwork } from './network.ts'
import { openApiDocument } from './openapi.ts'
import { certificatesOf } from './own-certificates.ts'
import { renewCertificates } from './renewal.ts'
import type { Service } from './service.ts'

export interface StartOptions {
  services: readonly Service[]
  env: Environment
  /** absent: from the configuration; 0: any free port */
  port?: number
  /** absent: standard output */
  out?: { write(line: string): void }
  /** absent: the system's */
  clock?: Clock
  onFatal?: (error: unknown) => void
}
export interface Started {
  url: string
  port: number
  home: string
  platform: Platform
  /** notices of configuration and of the services, once */
  notices: readonly string[]
  close(): Promise<void>
}

/** Opens the data folder, composes the services, listens, starts. What was opened is closed again when a step fails. */
export async function startPlatform({
  services,
  env,
  port,
  out,
  clock = systemClock,
  onFatal,
}: StartOptions): Promise<Started> {
  const config = readConfig(
    env,
    services.map((service) => service.config),
  )
  const { platform: settings } = config
  const names = services.map(({ name }) => name)
  const log = openLog({
    level: settings.LOG_LEVEL,
    format: settings.LOG_FORMAT,
    home: settings.ASSAY_HOME,
    // several processes share the folder
    name: settings.ASSAY_PEERS && (settings.ASSAY_INSTANCE ?? names[0]),
    out,
  })
  const lifecycle = createLifecycle({ log: log.logger, onFatal })
  lifecycle.defer('log', () => log.close())
  try {
    for (const notice of config.notices) log.logger.warn({}, notice)
    const base = await createDeps({ config, log: log.logger, metrics: createMetrics(), clock, lifecycle })
    // registered below the services: they close before the last sockets are cut
    const ports: Port[] = []
    lifecycle.defer('http sockets', async () => void (await Promise.all(ports.map((one) => one.stop(true)))))
    const network = openNetwork(names, settings, clock)
    if (network) lifecycle.defer('connections to peers', () => network.close())
    const platform = await compose({ services, base, config, lifecycle, network })
    const at = { hostname: settings.ASSAY_HOST, port: port ?? portOf(services, settings, network) }
    const shown = { certificate: readCertificate(settings) }
    const main = openPort((number = at.port) => listen(platform, { ...at, port: number, ...shown }, network))
    ports.push(main)
    const listening = main.server
    if (settings.HTTPS_REDIRECT_PORT !== undefined) {
      const redirects = { hostname: settings.ASSAY_HOST, port: settings.HTTPS_REDIRECT_PORT }
      const plain = listenForRedirects(redirects, Number(listening.port))
      lifecycle.defer('http redirects', () => plain.stop(true))
    }
    let forPeers = main
    if (network?.self === 'gateway') {
      forPeers = openPort(() => listenForPeers(platform.app, network, settings.ASSAY_HOST))
      lifecycle.defer('peer sockets', () => forPeers.stop(true))
    }
    const renewables = certificatesOf({ settings, network, shown, main, forPeers, clock })
    renewCertificates(renewables, { clock, log: log.logger, metrics: base.metrics, health: platform.health, lifecycle })
    await platform.start()
    lifecycle.defer('http', () => drain(platform, main))
    const { hostname, port: bound } = listening
    log.logger.info({ port: bound, home: settings.ASSAY_HOME, services: names }, 'started')
    return {
      url: `${listening.protocol}://${hostname === '0.0.0.0' ? '127.0.0.1' : hostname}:${bound}`,
      port: Number(bound),
      home: settings.ASSAY_HOME,
      platform,
      notices: [...config.notices, ...httpsNotice(config), ...platform.notices()],
      close: () => giveNotice(platform, network).then(() => lifecycle.close()),
    }
  } catch (error) {
    await lifecycle.close()
    throw error
  }
}

/** The OpenAPI document and the paths of these services, composed on the environment's data folder and never started. */
export async function composeForDocument(
  services: readonly Service[],
  env: Environment,
): Promise<{ document: object; routes: Record<string, string[]> }> {
  const config = readConfig(
    env,
    services.map((service) => service.config),
  )
  const log = openLog({ level: config.platform.LOG_LEVEL }).logger
  const lifecycle = createLifecycle({ log })
  try {
    const base = await createDeps({ config, log, metrics: createMetrics(), clock: systemClock, lifecycle })
    const { app, routes } = await compose({ services, base, config, lifecycle })
    return { document: openApiDocument(app), routes: routes() }
  } finally {
    await lifecycle.close()
  }
}

/** Alone in a process: `services/<name>/main.ts`. */
export async function run(service: Service): Promise<void> {
  // whoever started it is gone
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  const started = await startPlatform({ services: [service], env: environment(), onFatal: () => process.exit(1) })
  closeOnSignals(started.close)
  await readiness(started.platform)
  if (process.send) process.send({ ready: started.url, notices: started.notices })
  else for (const notice of started.notices) process.stderr.write(`${notice}\n`)
}

async function readiness({ health }: Platform): Promise<void> {
  while (!(await health.readiness()).ready) await Bun.sleep(20)
}

/** Ctrl-C or SIGTERM closes and exits 0; a second one does not wait. */
export function closeOnSignals(close: Lifecycle['close']): void {
  let asked = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(130)
      asked = true
      close().then(
        () => process.exit(0),
        () => process.exit(1),
      )
    })
  }
}

/** Nobody gets past the redirect unless something ends TLS. */
function httpsNotice({ platform, production }: Config): string[] {
  if (!(platform.FORCE_HTTPS ?? production) || platform.TRUSTED_PROXIES.length > 0 || platform.HTTPS_CERT_FILE)
    return []
  return [
    'FORCE_HTTPS is on: name the proxy that ends TLS in TRUSTED_PROXIES, give HTTPS_CERT_FILE and HTTPS_KEY_FILE, or set FORCE_HTTPS=false.',
  ]
}

type Settings = ReturnType<typeof readConfig>['platform']

/** The whole platform is the gateway's port; a service alone has its own. */
function portOf(services: readonly Service[], settings: Settings, network: Network | undefined): number {
  if (settings.PORT) return settings.PORT
  if (network && network.self !== 'gateway') return network.port
  const alone = services.length === 1 ? serviceEntry(services[0]!.name) : undefined
  const own = alone?.name === 'market-data' ? settings.DATA_BRIDGE_PORT : settings.API_GATEWAY_PORT
  const inTable = settings.ASSAY_BASE_PORT + (alone?.port ?? BASE_PORT) - BASE_PORT
  return (alone && alone.portVariable === 'PORT' ? undefined : own) ?? inTable
}
