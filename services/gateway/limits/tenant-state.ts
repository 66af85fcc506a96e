import { createAddressCheck } from '@assay/core/kernel/address-lists'
import type { Clock } from '@assay/core/ports/clock/port'
import type { AuthDatabase } from '../auth/database.ts'

/** What every request of a tenant's people is judged by, beside what their credential says. */
export interface TenantState {
  /** null: there is no such tenant any more */
  plan: string | null
  /** whether its lists keep an address out; null: nothing is listed */
  isDenied: ((address: string) => boolean) | null
}
export interface TenantStates {
  /** of at most 2 s ago; a promise where that is not at hand */
  of(tenant: string): TenantState | Promise<TenantState>
}
/** Older than this it is asked for beside the request, */
const FRESH_MS = 1_000
/** and from then on before it: a change is heeded after this time. */
const KEPT_MS = 2_000
/** While the database does not answer, what it said last counts for so long; it is asked again after each FRESH_MS. */
const KEPT_AWAY_MS = 15_000
const MOST_TENANTS = 10_000

interface Known {
  state: TenantState
  readAt: number
  /** of the last try, which may have failed */
  triedAt: number
}

/** Plan and address lists of tenants, asked for now and then; without an answer nobody of the tenant is let in. */
export function createTenantStates({
  database,
  clock,
}: {
  database: Pick<AuthDatabase, 'query'>
  clock: Pick<Clock, 'monotonic'>
}): TenantStates {
  const known = new Map<string, Known>()
  const underWay = new Map<string, Promise<TenantState>>()

  async function read(tenant: string): Promise<TenantState> {
    // the answer is of no later moment than this
    const readAt = clock.monotonic()
    const [row] = await database.query<{ plan: string; allow_addresses: string[]; deny_addresses: string[] }>(
      'select plan, allow_addresses, deny_addresses from tenants where id = $1',
      [tenant],
    )
    const lists = { allow: row?.allow_addresses ?? [], deny: row?.deny_addresses ?? [] }
    const isDenied = lists.allow.length + lists.deny.length > 0 ? createAddressCheck(lists) : null
    const state = { plan: row?.plan ?? null, isDenied }
    if (known.size >= MOST_TENANTS && !known.has(tenant)) known.delete(known.keys().next().value!)
    known.set(tenant, { state, readAt, triedAt: readAt })
    return state
  }
  function ask(tenant: string): Promise<TenantState> {
    let asked = underWay.get(tenant)
    if (!asked) {
      asked = read(tenant)
        .catch((error: unknown) => {
          const last = known.get(tenant)
          if (!last || clock.monotonic() - last.readAt > KEPT_AWAY_MS) throw error
          last.triedAt = clock.monotonic()
          return last.state
        })
        .finally(() => underWay.delete(tenant))
      underWay.set(tenant, asked)
    }
    return asked
  }

  return {
    of(tenant) {
      const found = known.get(tenant)
      if (!found) return ask(tenant)
      const now = clock.monotonic()
      const failed = found.triedAt > found.readAt && now - found.readAt <= KEPT_AWAY_MS
      const age = now - (failed ? found.triedAt : found.readAt)
      if (age <= FRESH_MS) return found.state
      const asking = ask(tenant)
      if (age > KEPT_MS) return asking
      asking.catch(() => {})
      return found.state
    },
  }
}
