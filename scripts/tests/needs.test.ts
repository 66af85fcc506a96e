import { expect, test } from 'bun:test'
import { needsOf } from './needs.ts'

test.each([
  [
    'a contract suite needs the shared servers',
    'packages/core/ports/cache/cache.test.ts',
    { servers: true, onlyReal: false },
  ],
  [
    'a suite that starts servers of its own runs only with real ones',
    'scripts/stack/servers/servers.slow.test.ts',
    { servers: true, onlyReal: true },
  ],
  [
    'a suite that is about a real server alone has nothing to say without one',
    'packages/core/ports/marketlog/kafka.test.ts',
    { servers: true, onlyReal: true },
  ],
  [
    'a suite on the embedded database needs none',
    'services/trading/tiers/operators.test.ts',
    { servers: false, onlyReal: false },
  ],
])('%s', (_, suite, needs) => {
  expect(needsOf(suite)).toEqual(needs)
})
