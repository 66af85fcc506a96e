import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'

export interface RequestMetrics {
  started(): void
  /** `route` is the pattern, never the path: a label per id would grow without bound */
  finished(request: { method: string; route: string; status: number; seconds: number }): void
  compressed(encoding: string): void
}

export function createMetrics(): Registry {
  const registry = new Registry()
  registerProcessMetrics(registry)
  return registry
}

/** Bun lacks some of the hooks that prom-client's defaults want; a gauge less must not stop the start. */
function registerProcessMetrics(registry: Registry): void {
  try {
    collectDefaultMetrics({ register: registry })
  } catch {
    registry.clear()
    new Gauge({
      name: 'process_resident_memory_bytes',
      help: 'Resident memory size in bytes.',
      registers: [registry],
      collect() {
        this.set(process.memoryUsage.rss())
      },
    })
  }
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Of one method and route. */
interface Cell {
  method: string
  route: string
  byStatus: Map<number, number>
  /** requests that took at most SECONDS[i] and more than the one before; the last: longer than all */
  buckets: number[]
  sum: number
  count: number
}

/** Rate, errors and duration per route: counted in plain numbers, since every request pays for it, and told when asked. */
export function createRequestMetrics(registry: Registry): RequestMetrics {
  const cells = new Map<string, Map<string, Cell>>()
  const all = () => [...cells.values()].flatMap((byMethod) => [...byMethod.values()])
  let inFlight = 0
  new Counter({
    name: 'http_requests_total',
    help: 'Requests answered.',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { method, route, byStatus } of all()) {
        for (const [status, count] of byStatus) this.inc({ method, route, status }, count)
      }
    },
  })
  new Gauge({
    name: 'http_requests_in_flight',
    help: 'Requests being answered.',
    registers: [registry],
    collect() {
      this.set(inFlight)
    },
  })
  const packed = new Counter({
    name: 'http_responses_compressed_total',
    help: 'Answers sent in an encoding that the caller asked for.',
    labelNames: ['encoding'],
    registers: [registry],
  })
  // prom-client's histogram has no way in for what was counted elsewhere; a registry asks a metric for `name` and `get` only
  const durations = {
    name: 'http_request_duration_seconds',
    help: 'Time from the first byte in to the answer given.',
    type: 'histogram',
    aggregator: 'sum',
    get: async () => ({ ...durations, values: all().flatMap((cell) => valuesOf(durations.name, cell)) }),
    reset: () => cells.clear(),
  }
  registry.registerMetric(durations as unknown as Parameters<Registry['registerMetric']>[0])

  function cellOf(method: string, route: string): Cell {
    let byMethod = cells.get(route)
    if (!byMethod) {
      byMethod = new Map()
      cells.set(route, byMethod)
    }
    let cell = byMethod.get(method)
    if (!cell) {
      cell = { method, route, byStatus: new Map(), buckets: Array(SECONDS.length + 1).fill(0), sum: 0, count: 0 }
      byMethod.set(method, cell)
    }
    return cell
  }

  return {
    started: () => void inFlight++,
    compressed: (encoding) => packed.inc({ encoding }),
    finished({ method, route, status, seconds }) {
      inFlight--
      const cell = cellOf(method, route)
      cell.byStatus.set(status, (cell.byStatus.get(status) ?? 0) + 1)
      let at = 0
      while (at < SECONDS.length && seconds > SECONDS[at]!) at++
      cell.buckets[at]!++
      cell.sum += seconds
      cell.count++
    },
  }
}

function valuesOf(name: string, { method, route, buckets, sum, count }: Cell) {
  const labels = { method, route }
  let below = 0
  const steps = buckets.map((inBucket, at) => {
    below += inBucket
    return { metricName: `${name}_bucket`, labels: { le: SECONDS[at] ?? '+Inf', ...labels }, value: below }
  })
  return [
    ...steps,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
