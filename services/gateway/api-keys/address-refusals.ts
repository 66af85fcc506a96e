import { recordAudit } from '@assay/core/kernel/audit'
import type { Actor } from '@assay/core/kernel/context'
import type { Clock } from '@assay/core/ports/clock/port'
import type { AuthDatabase } from '../auth/database.ts'
import { networkOf } from '../limits/client.ts'

const HOUR_MS = 3_600_000
/** Pairs of key and network remembered; beyond them some may be told twice. */
const REMEMBERED = 10_000
const WAITING = 1_000

export interface AddressRefusals {
  /** a key was used from an address it is not bound to: cheap */
  saw(actor: Actor, address: string | undefined): void
  /** tells the audit log what it was not told yet */
  flush(): Promise<void>
}

/** Uses of keys from where they must not be used: told once an hour for each key and network, however often it is tried. */
export function trackAddressRefusals({
  database,
  clock,
}: {
  database: Pick<AuthDatabase, 'inTransaction'>
  clock: Pick<Clock, 'monotonic'>
}): AddressRefusals {
  const toldAt = new Map<string, number>()
  let waiting: { actor: Actor; network: string }[] = []
  return {
    saw(actor, address) {
      const network = address === undefined ? 'unknown' : networkOf(address)
      const pair = `${actor.keyId} ${network}`
      const now = clock.monotonic()
      if (now - (toldAt.get(pair) ?? Number.NEGATIVE_INFINITY) < HOUR_MS || waiting.length >= WAITING) return
      if (toldAt.size >= REMEMBERED) toldAt.clear()
      toldAt.set(pair, now)
      waiting.push({ actor, network })
    },
    async flush() {
      if (waiting.length === 0) return
      const told = waiting
      waiting = []
      try {
        await database.inTransaction(async (sql) => {
          for (const { actor, network } of told)
            await recordAudit(sql, {
              action: 'api_key.address_refused',
              actor: actor.userId,
              tenant: actor.tenant,
              detail: { key: actor.keyId!, network },
            })
        })
      } catch (error) {
        waiting = [...told, ...waiting].slice(0, WAITING)
        throw error
      }
    },
  }
}
