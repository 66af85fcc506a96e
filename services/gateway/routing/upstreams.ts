import { SERVICES } from '@assay/core/contracts/services'
import type { HealthReport, HealthSource, Readiness } from '@assay/core/kernel/health'
import type { Peers } from '@assay/core/kernel/peers'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Replica } from './replica.ts'
import { RetryBudget } from './retry-budget.ts'
import { type CountRetry, registerUpstreamMetrics } from './upstream-metrics.ts'

export interface UpstreamsOptions {
  peers: Peers
  clock: Clock
  log: Pick<Logger, 'warn' | 'info'>
  metrics: Registry
}
export interface Upstreams {
  /** the replica to ask now, ready ones in turn, then those that may have come back; undefined: none of the others may be asked */
  pick(service: string, tried: readonly Replica[]): Replica | undefined
  /** s until one of them may be asked again */
  retryAfterS(service: string): number
  budget(service: string): RetryBudget
  countRetry: CountRetry
  /** of /health: what is degraded where, every circuit, the stores of each service */
  report(): Required<HealthSource>
  run(signal: AbortSignal): Promise<void>
  /** ends what is passed through: this process closes */
  forsake(): void
}
const ASK_EVERY_MS = 500
/** Every so many rounds the whole report is asked for. */
const REPORT_EVERY = 4
const ASK_TIMEOUT_MS = 2_000

/** The replicas of every service in the registry. Asks each twice a second whether it is ready; a draining one gets no new request. */
export function watchUpstreams({ peers, clock, log, metrics }: UpstreamsOptions): Upstreams {
  const services = SERVICES.map(({ name }) => name).filter((name) => name !== 'gateway')
  const of = new Map<string, readonly Replica[]>()
  const budgets = new Map(services.map((name) => [name, new RetryBudget()]))
  const turns = new Map<string, number>()
  const all = () => [...of.values()].flat()
  const now = () => clock.monotonic()
  register()

  /** As the registry has them now; one that stays keeps what is known of it. */
  function register(): void {
    for (const service of services) {
      const before = of.get(service) ?? []
      const urls = peers.replicas(service)
      const replicas = urls.map((url) => before.find((one) => one.url === url) ?? new Replica(service, url))
      for (const gone of before.filter((one) => !replicas.includes(one))) gone.forsake()
      of.set(service, replicas)
    }
  }

  async function ask(replica: Replica, whole: boolean): Promise<void> {
    const before = replica.state
    const get = (path: string) =>
      peers.fetch(replica.service, replica.url, path, { timeoutMs: ASK_TIMEOUT_MS }).then((answer) => answer.json())
    try {
      const { ready, draining } = (await get('/ready')) as Readiness
      const health = whole || !replica.health ? ((await get('/health')) as HealthReport) : replica.health
      replica.seen(draining ? 'draining' : ready ? 'ready' : 'not ready', health, now())
    } catch {
      replica.seen('away', undefined, now())
    }
    if (before === replica.state) return
    const said = { upstream: replica.service, url: replica.url, before }
    if (replica.state === 'ready') log.info(said, 'upstream is ready')
    else log.warn(said, `upstream is ${replica.state}`)
  }

  return {
    countRetry: registerUpstreamMetrics([metrics], all, now),
    pick(service, tried) {
      const its = of.get(service) ?? []
      const turn = turns.get(service) ?? 0
      turns.set(service, (turn + 1) % (its.length || 1))
      const at = now()
      let best: Replica | undefined
      let bestRank = Number.POSITIVE_INFINITY
      for (let n = 0; n < its.length; n++) {
        const replica = its[(turn + n) % its.length]!
        const rank = replica.rank(at)
        if (rank === null || rank >= bestRank || tried.includes(replica)) continue
        best = replica
        bestRank = rank
        if (rank === 0) break
      }
      return best
    },
    retryAfterS(service) {
      const waits = (of.get(service) ?? []).map(({ breaker }) => breaker.waitMs(now()))
      return Math.max(1, Math.ceil(Math.min(...waits, 5_000) / 1_000))
    },
    budget: (service) => budgets.get(service)!,
    report: () => reportOf(of, now()),
    async run(signal) {
      for (let round = 0; !signal.aborted; round++) {
        register()
        await Promise.all(all().map((replica) => ask(replica, round % REPORT_EVERY === 0)))
        await clock.sleep(ASK_EVERY_MS, signal).catch(() => {})
      }
    },
    forsake() {
      for (const replica of all()) replica.forsake()
    },
  }
}

function reportOf(of: ReadonlyMap<string, readonly Replica[]>, now: number): Required<HealthSource> {
  const degraded: string[] = []
  const stores: Record<string, unknown> = {}
  const breakers: Record<string, string> = {}
  for (const [service, its] of of) {
    const well = its.filter(({ state }) => state === 'ready')
    if (well.length === 0) degraded.push(`${service}: no replica is ready`)
    for (const [k, { state, health, breaker }] of its.entries()) {
      const name = its.length === 1 ? service : `${service}-${k}`
      breakers[name] = breaker.state(now)
      if (state !== 'ready' && its.length > 1) degraded.push(`${name} is ${state}`)
      if (breakers[name] !== 'closed') degraded.push(`${name}: its circuit is ${breakers[name]}`)
      for (const reason of health?.degraded ?? []) degraded.push(`${name}: ${reason}`)
    }
    Object.assign(stores, (well.find(({ health }) => health) ?? its.find(({ health }) => health))?.health?.stores)
  }
  return { degraded, stores, breakers }
}
