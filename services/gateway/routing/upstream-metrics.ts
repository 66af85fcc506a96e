import { Counter, Gauge, type Registry } from 'prom-client'
import type { Failure, Replica } from './replica.ts'

const BREAKER = { closed: 0, 'half-open': 1, open: 2 } as const
const FAILURES: readonly Failure[] = ['refused', 'lost', 'bad_gateway']

export type CountRetry = (service: string, result: 'made' | 'refused') => void

/** What /metrics says of every replica; read when somebody asks. */
export function registerUpstreamMetrics(
  registers: Registry[],
  replicas: () => readonly Replica[],
  now: () => number,
): CountRetry {
  const labelNames = ['service', 'url']
  const gauge = (name: string, help: string, value: (replica: Replica) => number) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset()
        for (const replica of replicas()) this.set({ service: replica.service, url: replica.url }, value(replica))
      },
    })
  gauge('upstream_ready', '1: the replica is ready', ({ state }) => (state === 'ready' ? 1 : 0))
  gauge(
    'upstream_breaker',
    '0: the circuit is closed, 1: half-open, 2: open',
    ({ breaker }) => BREAKER[breaker.state(now())],
  )
  gauge('upstream_calls', 'Requests under way at the replica.', ({ calls }) => calls)
  gauge('upstream_held', 'WebSockets and streams that pass through.', ({ held }) => held)
  new Counter({
    name: 'upstream_failures_total',
    help: 'Calls without an answer of the service: refused, lost on the way, bad_gateway (of something between).',
    labelNames: [...labelNames, 'why'],
    registers,
    collect() {
      this.reset()
      for (const { service, url, failures } of replicas()) {
        for (const why of FAILURES) this.inc({ service, url, why }, failures[why])
      }
    },
  })
  const retries = new Counter({
    name: 'upstream_retries_total',
    help: 'Requests asked again at another replica; refused: their budget was used up.',
    labelNames: ['service', 'result'],
    registers,
  })
  return (service, result) => retries.inc({ service, result })
}
