import { accountMarked } from '@assay/core/contracts/topics/trading'
import type { LiveView } from '@assay/core/domain/engine/live'
import type { Bus } from '@assay/core/ports/bus/port'

/** Publishes marks straight: of each account one at a time and then its newest, so that a slow bus conflates. */
export function publishMarks(bus: Bus, failed: (err: unknown) => void): (view: LiveView) => void {
  /** accounts with one under way, and what came meanwhile */
  const newest = new Map<string, LiveView | null>()
  async function publish(account: string, first: LiveView): Promise<void> {
    for (let view: LiveView | null | undefined = first; view; view = newest.get(account)) {
      newest.set(account, null)
      const { aseq, mseq, mts, balance, equity } = view
      await bus.publish(accountMarked, account, { assessment_id: account, aseq, mseq, mts, balance, equity })
    }
  }
  return (view) => {
    const { account } = view
    if (newest.has(account)) newest.set(account, view)
    else
      publish(account, view)
        .catch(failed)
        .finally(() => newest.delete(account))
  }
}
