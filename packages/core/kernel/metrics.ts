import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export interface RequestMetrics {
  started(): void
  /** `route` is the pattern, never the path: a label per id would grow without bound */
  finished(request: { method: string; route: string; status: number; seconds: number }): void
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

/** Rate, errors and duration per route. */
export function createRequestMetrics(registry: Registry): RequestMetrics {
  const labelNames = ['method', 'route', 'status'] as const
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests answered.',
    labelNames,
    registers: [registry],
  })
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the first byte in to the answer given.',
    labelNames: ['method', 'route'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  })
  const inFlight = new Gauge({
    name: 'http_requests_in_flight',
    help: 'Requests being answered.',
    registers: [registry],
  })
  return {
    started: () => inFlight.inc(),
    finished({ method, route, status, seconds }) {
      inFlight.dec()
      requests.inc({ method, route, status })
      durations.observe({ method, route }, seconds)
    },
  }
}
