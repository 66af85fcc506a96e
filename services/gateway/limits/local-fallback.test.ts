import { expect, test } from 'bun:test'
import { AssayError } from '@assay/core/contracts/errors'
import { createMemoryLimits } from '@assay/core/ports/limits/memory'
import type { Limits } from '@assay/core/ports/limits/port'
import { withLocalFallback } from './local-fallback.ts'

const minute = { name: 'default', points: 60, windowMs: 60_000 }
const still = { monotonic: () => 0 }

test('while the shared limits are away a replica of three grants a third, and the shared ones count again when they are back (V16.5.2)', async () => {
  const server = createMemoryLimits(still)
  const state = { away: false, failure: new AssayError('unavailable', 'away') as Error }
  const shared: Limits = {
    ...server,
    replicas: () => 3,
    take: async (client, limits) => {
      if (state.away) throw state.failure
      return server.take(client, limits)
    },
  }
  const limits = withLocalFallback(shared, createMemoryLimits(still))
  const allowedOf = async (times: number) => {
    const all = await Promise.all(Array.from({ length: times }, async () => limits.take('c', [minute])))
    return all.filter(([decision]) => decision!.allowed).length
  }
  expect(await allowedOf(50)).toBe(50)
  state.away = true
  expect(await allowedOf(100)).toBe(20)
  state.away = false
  expect(await allowedOf(100)).toBe(10)
  state.away = true
  state.failure = new Error('a mistake of ours')
  expect(await allowedOf(1).catch((error) => error.message)).toBe('a mistake of ours')
})
