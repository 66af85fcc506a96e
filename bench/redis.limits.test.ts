import { expect, test } from 'bun:test'
import { describeReal } from '@assay/core/testing/adapters'
import { testRedisUrl } from '@assay/core/testing/redis'
import { run } from './redis.limits.ts'

describeReal('bench redis.limits', () => {
  test('both limiters refuse what is past the limit, and the figures stand beside the peer', async () => {
    const figures = await run({ rounds: 1, roundMs: 150, inFlight: 16, clients: 50, url: testRedisUrl() })
    expect(figures.map(({ figure }) => figure)).toEqual(['redis.limits', 'redis.limits_loop_lag_p99'])
    for (const { peer_name } of figures) expect(peer_name).toContain('no TLS')
  })
})
