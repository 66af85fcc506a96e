import { recordAudit } from '@assay/core/kernel/audit'
import type { Actor } from '@assay/core/kernel/context'
import type { Clock } from '@assay/core/ports/clock/port'
import type { AuthDatabase } from '../auth/database.ts'
import { networkOf } from '../limits/client.ts'

export interface KeyUse {
  /** called for every request with a key: cheap */
  used(actor: Actor, address: string | undefined): void
  /** writes what was used since the last call */
  flush(): Promise<void>
}
interface Sighting {
  keyId: string
  userId: string
  tenant: string
  network: string
}
/** Networks remembered of one key on a day; further ones are not told. */
const NETWORKS = 50
/** Keys remembered of a day; beyond them some may be told twice. */
const KEYS = 50_000
const DAY_MS = 86_400_000
/** Entries of one transaction. */
const AT_ONCE = 200

/**
 * When keys were last used, written once a minute instead of at every request; and from where they were used first on
 * a day, told to the audit log. Another process, or a restart, may tell the same again.
 */
export function trackKeyUse({
  database,
  clock,
}: {
  database: Pick<AuthDatabase, 'query' | 'inTransaction'>
  clock: Clock
}): KeyUse {
  let ids = new Set<string>()
  const sightings: Sighting[] = []
  let day = 0
  const seen = new Map<string, Set<string>>()

  function sight({ keyId, userId, tenant }: Actor, address: string): void {
    const today = Math.floor(clock.now() / DAY_MS)
    if (today !== day || seen.size >= KEYS) seen.clear()
    day = today
    const networks = seen.get(keyId!) ?? new Set()
    seen.set(keyId!, networks)
    const network = networkOf(address)
    if (networks.has(network) || networks.size >= NETWORKS) return
    networks.add(network)
    sightings.push({ keyId: keyId!, userId, tenant, network })
  }

  return {
    used(actor, address) {
      ids.add(actor.keyId!)
      if (address !== undefined) sight(actor, address)
    },
    async flush() {
      if (ids.size === 0) return
      const written = ids
      ids = new Set()
      await database.query('update api_keys set last_used_at = $2 where id = any($1::uuid[])', [
        [...written],
        new Date(clock.now()),
      ])
      while (sightings.length > 0) {
        const told = sightings.slice(0, AT_ONCE)
        await database.inTransaction(async (sql) => {
          for (const { keyId, userId, tenant, network } of told)
            await recordAudit(sql, { action: 'api_key.used', actor: userId, tenant, detail: { key: keyId, network } })
        })
        sightings.splice(0, told.length)
      }
    },
  }
}
