import { expect, test } from 'bun:test'
import { Latencies } from './measure/latencies.ts'
import { run } from './push.ts'

test('the bench delivers every message on both sides and gives its figures beside the peer', async () => {
  const figures = await run({
    clients: 5,
    stalled: 0,
    ticksPerS: 500,
    seconds: 0.4,
    warmTicks: 100,
    rounds: 1,
    roundMs: 50,
  })
  expect(figures.map(({ figure }) => figure)).toEqual([
    'push.delay_p50',
    'push.delay_p99',
    'push.delay_p999',
    'push.loop_lag_p99',
    'push.messages',
  ])
  for (const { ours, peer, ratio } of figures)
    for (const value of [ours, peer, ratio]) expect(value).toBeGreaterThanOrEqual(0)
}, 20_000)

test('percentiles are those of the sorted values, to 0.05 ms', () => {
  const latencies = new Latencies()
  const values = Array.from({ length: 1000 }, (_, at) => ((at * 7919) % 1000) / 10)
  for (const value of values) latencies.add(value)
  values.sort((a, b) => a - b)
  for (const share of [0.5, 0.99, 0.999])
    expect(latencies.at(share)).toBeCloseTo(values[Math.ceil(share * 1000) - 1]!, 1)
})
