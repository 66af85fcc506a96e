import { AssayError } from '@assay/core/contracts/errors'
import type { Clock } from '@assay/core/ports/clock/port'
import { createMemoryLimits } from '@assay/core/ports/limits/memory'
import type { Decision, Limit } from '@assay/core/ports/limits/port'
import { networkOf } from './client.ts'

/** Of one address; a key that is good takes nothing. Of each process: a look-up costs where it is made. */
const UNKNOWN: Limit = { name: 'unknown-keys', points: 300, windowMs: 60_000 }

/**
 * Asked before an API key is looked up: whose request it is, and so which limit counts it, is known only afterwards.
 * Throws rate_limited where an address has tried too many that nobody knows; gives what takes the count back.
 */
export function limitUnknownKeys(clock: Pick<Clock, 'monotonic'>, onHit: (name: string) => void) {
  const limits = createMemoryLimits(clock)
  return (address: string | undefined): (() => void) => {
    const network = networkOf(address ?? 'unknown')
    const [decision] = limits.take(network, [UNKNOWN]) as Decision[]
    if (decision!.allowed) return () => void limits.refund(network, UNKNOWN)
    onHit(UNKNOWN.name)
    const retryAfterS = Math.ceil(decision!.retryAfterMs / 1_000)
    throw new AssayError('rate_limited', 'Too many API keys that nobody knows, from this address.', { retryAfterS })
  }
}
