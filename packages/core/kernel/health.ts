import type { Clock } from '../ports/clock/port.ts'
import { within } from '../ports/clock/within.ts'
import { VERSION } from './version.ts'

export interface Probe {
  name: string
  timeoutMs: number
  /** resolves when well; rejects or returns a reason when not */
  check: () => Promise<string | undefined>
}
export interface HealthReport {
  status: 'ok' | 'degraded' | 'down'
  version: string
  runtime: string
  uptime_s: number
  stores: Record<string, unknown>
  breakers: Record<string, string>
  degraded: string[]
}
export interface Readiness {
  ready: boolean
  draining: boolean
  probes: Record<string, string>
}
export interface HealthSource {
  degraded?: string[]
  stores?: Record<string, unknown>
  /** circuits by the name of the replica: closed, open, half-open */
  breakers?: Record<string, string>
}
export interface Health {
  addProbe(probe: Probe): void
  addSource(source: () => HealthSource): void
  /** every service has started; before that /ready is 503 whatever the probes say */
  markStarted(): void
  markDraining(): void
  readiness(): Promise<Readiness>
  report(): Promise<HealthReport>
}

const OK = 'ok'
/** Results this old are asked for anew: asking for health must not load what it asks about. */
const FRESH_MS = 1_000
/** With a failure among them already so old: a start and a recovery show when they happen. */
const FAILED_FRESH_MS = 20
/** A report may rest on results this old while they are asked for anew: it is answered at once under load too. */
const STALE_MS = 5_000

/** Named probes with time-outs. A probe that hangs counts as failed and is not asked again until it has answered. */
export function createHealth(clock: Clock): Health {
  const probes: Probe[] = []
  const sources: (() => HealthSource)[] = []
  const began = clock.monotonic()
  const hanging = new Set<string>()
  let state: 'starting' | 'started' | 'draining' = 'starting'
  let last: { at: number; freshMs: number; results: Record<string, string> } | undefined
  let running: Promise<Record<string, string>> | undefined

  async function ask(probe: Probe): Promise<string> {
    if (hanging.has(probe.name)) return 'still no answer'
    hanging.add(probe.name)
    const answer = Promise.resolve()
      .then(probe.check)
      .finally(() => hanging.delete(probe.name))
    try {
      return (await within(probe.timeoutMs, answer)) ?? OK
    } catch (error) {
      return error instanceof Error ? error.message : 'failed'
    }
  }
  async function askAll(): Promise<Record<string, string>> {
    const results = Object.fromEntries(
      await Promise.all(probes.map(async (probe) => [probe.name, await ask(probe)] as const)),
    )
    const passed = Object.values(results).every((result) => result === OK)
    last = { at: clock.monotonic(), freshMs: passed ? FRESH_MS : FAILED_FRESH_MS, results }
    return results
  }
  /** Those of at most `mayBeOldMs`; unset: only fresh ones. */
  function results(mayBeOldMs?: number): Promise<Record<string, string>> | Record<string, string> {
    const age = last ? clock.monotonic() - last.at : Number.POSITIVE_INFINITY
    const freshMs = last?.freshMs ?? 0
    if (age >= freshMs) {
      running ??= askAll().finally(() => {
        running = undefined
      })
    }
    return last && age < (mayBeOldMs ?? freshMs) ? last.results : running!
  }

  return {
    addProbe: (probe) => void probes.push(probe),
    addSource: (source) => void sources.push(source),
    markStarted() {
      state = 'started'
    },
    markDraining() {
      state = 'draining'
    },
    async readiness() {
      const answers = await results()
      const passed = Object.values(answers).every((answer) => answer === OK)
      return { ready: state === 'started' && passed, draining: state === 'draining', probes: answers }
    },
    async report() {
      const answers = await results(STALE_MS)
      const failed = Object.entries(answers).filter(([, answer]) => answer !== OK)
      const told = sources.map((source) => source())
      const degraded = [
        ...failed.map(([name, answer]) => `${name}: ${answer}`),
        ...told.flatMap((one) => one.degraded ?? []),
      ]
      return {
        status: failed.length > 0 ? 'down' : degraded.length > 0 ? 'degraded' : 'ok',
        version: VERSION,
        runtime: `bun ${Bun.version}`,
        uptime_s: Math.floor((clock.monotonic() - began) / 1000),
        stores: Object.assign({}, ...told.map((one) => one.stores ?? {})),
        breakers: Object.assign({}, ...told.map((one) => one.breakers ?? {})),
        degraded,
      }
    },
  }
}
