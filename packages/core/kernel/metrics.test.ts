import { expect, test } from 'bun:test'
import { Registry } from 'prom-client'
import { createRequestMetrics } from './metrics.ts'

test('requests are told by method, route and status, their times in cumulative buckets', async () => {
  const registry = new Registry()
  const metrics = createRequestMetrics(registry)
  for (const [method, status, seconds] of [
    ['GET', 200, 0.0005],
    ['GET', 200, 0.002],
    ['GET', 404, 99],
    ['POST', 201, 0.001],
  ] as const) {
    metrics.started()
    metrics.finished({ method, route: '/a/:id', status, seconds })
  }
  metrics.started()
  for (const _ of [1, 2]) {
    const lines = (await registry.metrics()).split('\n')
    expect(lines).toContain('http_requests_total{method="GET",route="/a/:id",status="200"} 2')
    expect(lines).toContain('http_requests_total{method="GET",route="/a/:id",status="404"} 1')
    expect(lines).toContain('http_requests_total{method="POST",route="/a/:id",status="201"} 1')
    expect(lines).toContain('http_requests_in_flight 1')
    const bucket = (le: string) => `http_request_duration_seconds_bucket{le="${le}",method="GET",route="/a/:id"}`
    expect(lines).toContain(`${bucket('0.001')} 1`)
    expect(lines).toContain(`${bucket('0.0025')} 2`)
    expect(lines).toContain(`${bucket('10')} 2`)
    expect(lines).toContain(`${bucket('+Inf')} 3`)
    expect(lines).toContain('http_request_duration_seconds_count{method="GET",route="/a/:id"} 3')
    expect(lines).toContain('http_request_duration_seconds_sum{method="GET",route="/a/:id"} 99.0025')
    expect(lines).toContain('# TYPE http_request_duration_seconds histogram')
  }
})
