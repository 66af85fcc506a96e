import { type AnyElysia, Elysia } from 'elysia'
import { AssayError } from '../contracts/errors.ts'
import { audiencesOf, SERVICES, serviceEntry } from '../contracts/services.ts'
import { auditSecrets, type SecretsAudit } from './audited-secrets.ts'
import type { TokenVerifier } from './auth.ts'
import { countAsked } from './cached.ts'
import type { ChannelSource } from './channel.ts'
import type { Config } from './config.ts'
import { edge } from './edge.ts'
import type { Elsewhere } from './elsewhere.ts'
import { createHealth, type Health, type HealthSource } from './health.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { RequestGate } from './limit.ts'
import { createRequestMetrics } from './metrics.ts'
import type { Network } from './network.ts'
import { PeerError, type Peers } from './peers.ts'
import { platformRoutes } from './platform-routes.ts'
import { withoutPrefix } from './prefix.ts'
import { createPublicUrl } from './public-url.ts'
import { remoteChannels } from './remote-channels.ts'
import { createRemoteTokens } from './remote-tokens.ts'
import { isInternalPath, markInternal } from './request.ts'
import { createHearing, forgetRevoked } from './revocations.ts'
import { serveChannels } from './serve-channels.ts'
import type { Consumer, Deps, Running, Service, SocketOptions } from './service.ts'

/** Ports and what belongs to the process; compose adds what one service gives to the others. */
export type BaseDeps = Omit<Deps, 'config' | 'tokens' | 'call' | 'peers' | 'channels'> & {
  /** what stores on servers tell /health */
  stores?: readonly (() => HealthSource)[]
}

export interface ComposeOptions {
  services: readonly Service[]
  base: BaseDeps
  config: Config
  lifecycle: Lifecycle
  /** the other processes; absent: there are none */
  network?: Network
}
export interface Platform {
  app: AnyElysia
  health: Health
  websocket: SocketOptions | undefined
  notices(): string[]
  /** paths of each service's own routes, sorted; those for services only left out */
  routes(): Record<string, string[]>
  /** starts every service in the order of the list; its consumers join their groups meanwhile; /ready may pass from then on */
  start(): Promise<void>
  /** gives what this process owns to its replicas */
  handOver(): Promise<void>
}

/** One market group until a firm runs several. */
const GROUPS = ['main']

/** Services in one Elysia app behind one edge. Nothing listens and nothing runs until `start`. */
export async function compose({ services, base, config, lifecycle, network }: ComposeOptions): Promise<Platform> {
  const { platform } = config
  const health = createHealth(base.clock)
  health.addProbe({
    name: 'db',
    timeoutMs: 2_000,
    check: async () => {
      await base.db.query('select 1')
      return undefined
    },
  })
  health.addSource(() => ({ stores: { db: { kind: base.db.kind } } }))
  for (const source of base.stores ?? []) health.addSource(source)
  const running: { service: Service; part: Running }[] = []
  const parts = () => running.map(({ part }) => part)
  const app: AnyElysia = new Elysia({ name: 'assay' })
  const publicUrl = createPublicUrl(platform.PUBLIC_URL, config.production)
  const isWhole = network || SERVICES.every(({ name }) => services.some((one) => one.name === name))
  const isHere = (service: string) => !network || services.some(({ name }) => name === service)
  const call: Deps['call'] = async (service, request, options) => {
    if (!isHere(service)) return network!.call(service, request, options)
    markInternal(request, options?.act)
    return app.handle(request)
  }
  const hearing = createHearing(base.clock)
  const remote = isHere('gateway')
    ? undefined
    : createRemoteTokens({
        call,
        clock: base.clock,
        issuer: publicUrl.isOurs,
        isCurrent: hearing.isCurrent,
        audiences: audiencesOf(network!.self),
        asked: countAsked(base.metrics),
      })
  let far: ChannelSource[] | undefined
  const elsewhere = () =>
    (far ??= network
      ? remoteChannels(isHere, { peers: network.peers, clock: base.clock, log: base.log, lifecycle })
      : [])
  const shared = {
    ...base,
    tokens: lateTokens(() => parts().find((part) => part.tokens)?.tokens ?? remote),
    call,
    peers: network?.peers ?? alone(platform.ASSAY_INSTANCE),
    channels: () => [...parts().flatMap((part) => part.channels ?? []), ...elsewhere()],
  }
  let gate: RequestGate | undefined
  let proxy: Elsewhere | undefined
  app.use(
    edge({
      log: base.log,
      clock: base.clock,
      metrics: createRequestMetrics(base.metrics),
      tokens: shared.tokens,
      gate: () => (gate ??= parts().find((part) => part.gate)?.gate),
      corsOrigins: platform.CORS_ORIGINS,
      trustedProxies: platform.TRUSTED_PROXIES,
      addresses: { allow: platform.ADDRESS_ALLOW, deny: platform.ADDRESS_DENY },
      forceHttps: platform.FORCE_HTTPS ?? config.production,
      publicUrl,
      callerOf: network && !isHere('gateway') ? network.callerOf : undefined,
      routes: () => app.routes,
      server: () => app.server,
      elsewhere: () => (proxy ??= network && parts().find((part) => part.elsewhere)?.elsewhere),
    }),
  )
  // on its own port a service's routes have two names; on the public one, and where all share a port, only one;
  // the edge, which is inside of this, sees the whole one
  if (network && network.self !== 'gateway') {
    const named = withoutPrefix(() => app.routes)
    app.wrap((next) => named(next as unknown as Parameters<typeof named>[0]))
  }
  app.use(
    platformRoutes({
      health,
      metrics: base.metrics,
      clock: base.clock,
      marketlog: base.marketlog,
      groups: GROUPS,
      app: () => app,
      // all services are one document, here or elsewhere; some of them in one process are their own
      document: () => (isWhole ? parts().find((part) => part.document) : undefined)?.document?.(),
    }),
  )
  const secretsAudit = auditSecrets({ db: base.db.as('bus'), clock: base.clock })
  lifecycle.defer('secrets audit', secretsAudit.flush)
  for (const service of services) {
    const secrets = secretsAudit.of(service.name, base.secrets)
    const log = base.log.child({ service: service.name })
    const part = await service.create({ ...shared, secrets, log, config: config.slice(service.config) }, lifecycle)
    running.push({ service, part })
    checkChannels(service.name, part)
    app.use(part.app)
    for (const probe of part.probes ?? []) health.addProbe(probe)
    if (part.health) health.addSource(part.health)
  }

  if (network && parts().some((part) => part.channels)) {
    app.use(serveChannels(() => parts().flatMap((part) => part.channels ?? []), base.log))
  }

  const join = async ({ name }: Service, { group, topics, handle }: Consumer) => {
    const subscription = await base.bus.subscribe({ group, topics }, handle)
    lifecycle.defer(`${name} consumer ${group}`, () => subscription.close())
  }

  return {
    app,
    health,
    websocket: parts().find((part) => part.websocket)?.websocket,
    routes: () => Object.fromEntries(running.map(({ service, part }) => [service.name, publicPaths(part)])),
    notices: () => parts().flatMap((part) => part.notices?.() ?? []),
    async handOver() {
      await Promise.all(parts().map((part) => part.handOver?.()))
    },
    async start() {
      lifecycle.background('secrets audit', (signal) => flushOften(secretsAudit, base, signal))
      if (remote) await forgetRevoked(remote, hearing, { bus: base.bus, peers: shared.peers, lifecycle })
      const joining: Promise<void>[] = []
      try {
        for (const { service, part } of running) {
          await part.start?.()
          for (const consumer of part.consumers ?? []) {
            const joined = join(service, consumer)
            joined.catch(() => {})
            joining.push(joined)
          }
        }
      } finally {
        // who joins while something else fails is closed with the rest
        await Promise.allSettled(joining)
      }
      await Promise.all(joining)
      health.markStarted()
    },
  }
}

const SECRETS_TOLD_EVERY_MS = 10_000

async function flushOften({ flush }: SecretsAudit, { clock, log }: BaseDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await flush().catch((err) => log.error({ err }, 'use of secrets could not be told to the audit log'))
    await clock.sleep(SECRETS_TOLD_EVERY_MS, signal).catch(() => {})
  }
}

/** A channel that the table does not name would be missing where services are apart. */
function checkChannels(service: string, { channels = [] }: Running): void {
  const known = serviceEntry(service)?.channels
  const unknown = known && channels.find(({ name, peersOnly }) => !peersOnly && !known.includes(name))
  if (unknown) throw new Error(`contracts/services.ts does not name the channel ${unknown.name} of ${service}`)
}

const publicPaths = ({ app }: Running): string[] =>
  [...new Set(app.routes.map(({ path }) => path))].filter((path) => !isInternalPath(path)).sort()

/** One process: nobody is elsewhere. */
function alone(instance = 'embedded'): Peers {
  const refuse = async (service: string, url: string): Promise<never> => {
    throw new PeerError(`${service} at ${url}: this process has no peers (ASSAY_PEERS)`, false)
  }
  return { instance, url: null, replicas: () => [], fetch: refuse, ask: refuse, connect: refuse }
}

/** Services are created before the one that verifies is known; without it nobody is let in. */
function lateTokens(find: () => TokenVerifier | undefined): TokenVerifier {
  let tokens: TokenVerifier | undefined
  return {
    verify(credential, address) {
      tokens ??= find()
      if (!tokens) throw new AssayError('unauthorized', 'Nothing in this process verifies credentials.')
      return tokens.verify(credential, address)
    },
    known(token) {
      tokens ??= find()
      return tokens?.known?.(token)
    },
    isCurrent() {
      tokens ??= find()
      return tokens?.isCurrent?.() ?? true
    },
  }
}
