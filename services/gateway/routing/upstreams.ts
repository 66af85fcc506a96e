import { SERVICES } from '@assay/core/contracts/services'
import type { HealthReport, Readiness } from '@assay/core/kernel/health'
import type { Peers } from '@assay/core/kernel/peers'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Logger } from 'pino'
import { Gauge, type Registry } from 'prom-client'

export interface UpstreamsOptions {
  peers: Peers
  clock: Clock
  log: Pick<Logger, 'warn' | 'info'>
  metrics: Registry
}
/** One replica of a service as the gateway sees it. */
interface Upstream {
  service: string
  url: string
  /** unknown until it was asked: it may be tried */
  state: 'unknown' | 'ready' | 'not ready' | 'draining' | 'away'
  health?: HealthReport
  /** answers of a request said that it is away: not before this time again, monotonic */
  avoidUntil: number
}
export interface Upstreams {
  /** replicas to try, best first: ready ones in turn, then those that may have come back */
  order(service: string): readonly string[]
  /** a request found it away */
  failed(url: string): void
  /** /health of all: what is degraded where, and the stores of each service */
  report(): { degraded: string[]; stores: Record<string, unknown> }
  run(signal: AbortSignal): Promise<void>
}
const ASK_EVERY_MS = 500
/** Every so many rounds the whole report is asked for. */
const REPORT_EVERY = 4
const ASK_TIMEOUT_MS = 2_000
const AVOIDED_MS = 2_000

/** Asks every replica whether it is ready, twice a second; a draining one gets no new request. */
export function watchUpstreams({ peers, clock, log, metrics }: UpstreamsOptions): Upstreams {
  const all: Upstream[] = SERVICES.filter(({ name }) => name !== 'gateway').flatMap(({ name }) =>
    peers.replicas(name).map((url) => ({ service: name, url, state: 'unknown' as const, avoidUntil: 0 })),
  )
  const of = new Map<string, Upstream[]>()
  for (const upstream of all) of.set(upstream.service, [...(of.get(upstream.service) ?? []), upstream])
  const turns = new Map<string, number>()
  new Gauge({
    name: 'upstream_ready',
    help: '1: the replica is ready',
    labelNames: ['service', 'url'],
    registers: [metrics],
    collect() {
      for (const { service, url, state } of all) this.set({ service, url }, state === 'ready' ? 1 : 0)
    },
  })

  async function ask(upstream: Upstream, whole: boolean): Promise<void> {
    const before = upstream.state
    const get = (path: string) =>
      peers.fetch(upstream.service, upstream.url, path, { timeoutMs: ASK_TIMEOUT_MS }).then((answer) => answer.json())
    try {
      const { ready, draining } = (await get('/ready')) as Readiness
      upstream.state = draining ? 'draining' : ready ? 'ready' : 'not ready'
      if (whole || !upstream.health) upstream.health = (await get('/health')) as HealthReport
    } catch {
      upstream.state = 'away'
      upstream.health = undefined
    }
    if (before === upstream.state) return
    const said = { upstream: upstream.service, url: upstream.url, before }
    if (upstream.state === 'ready') log.info(said, 'upstream is ready')
    else log.warn(said, `upstream is ${upstream.state}`)
  }

  return {
    order(service) {
      const its = of.get(service) ?? []
      const turn = turns.get(service) ?? 0
      turns.set(service, turn + 1)
      const now = clock.monotonic()
      const rank = ({ state, avoidUntil }: Upstream) =>
        state === 'draining' || state === 'away' ? 2 : avoidUntil > now || state === 'not ready' ? 1 : 0
      return its
        .map((_, at) => its[(turn + at) % its.length]!)
        .sort((a, b) => rank(a) - rank(b))
        .map(({ url }) => url)
    },
    failed(url) {
      const upstream = all.find((one) => one.url === url)
      if (upstream) upstream.avoidUntil = clock.monotonic() + AVOIDED_MS
    },
    report() {
      const degraded: string[] = []
      const stores: Record<string, unknown> = {}
      for (const [service, its] of of) {
        const well = its.filter(({ state }) => state === 'ready')
        if (well.length === 0) degraded.push(`${service}: no replica is ready`)
        for (const [k, { state, health }] of its.entries()) {
          const name = its.length === 1 ? service : `${service}-${k}`
          if (state !== 'ready' && its.length > 1) degraded.push(`${name} is ${state}`)
          for (const reason of health?.degraded ?? []) degraded.push(`${name}: ${reason}`)
        }
        Object.assign(stores, (well.find(({ health }) => health) ?? its.find(({ health }) => health))?.health?.stores)
      }
      return { degraded, stores }
    },
    async run(signal) {
      for (let round = 0; !signal.aborted; round++) {
        await Promise.all(all.map((upstream) => ask(upstream, round % REPORT_EVERY === 0)))
        await clock.sleep(ASK_EVERY_MS, signal).catch(() => {})
      }
    },
  }
}
