import type { Clock } from '@assay/core/ports/clock/port'
import type { AuthDatabase } from '../auth/database.ts'

export interface KeyUse {
  /** called for every request with a key: cheap */
  used(keyId: string): void
  /** writes what was used since the last call */
  flush(): Promise<void>
}

/** When keys were last used, written once a minute instead of at every request. */
export function trackKeyUse({ database, clock }: { database: Pick<AuthDatabase, 'query'>; clock: Clock }): KeyUse {
  let ids = new Set<string>()
  return {
    used: (keyId) => void ids.add(keyId),
    async flush() {
      if (ids.size === 0) return
      const written = ids
      ids = new Set()
      await database.query('update api_keys set last_used_at = $2 where id = any($1::uuid[])', [
        [...written],
        new Date(clock.now()),
      ])
    },
  }
}
