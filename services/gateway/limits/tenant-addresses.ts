import { AssayError } from '@assay/core/contracts/errors'
import { createAddressCheck } from '@assay/core/kernel/address-lists'
import type { Ctx } from '@assay/core/kernel/context'
import type { Clock } from '@assay/core/ports/clock/port'
import type { AuthDatabase } from '../auth/database.ts'

export interface TenantAddresses {
  /** throws forbidden where the tenant's lists keep the address out; a promise where they are not at hand */
  check(tenant: string, from: Pick<Ctx, 'address'>): void | Promise<void>
}
/** A change is heeded after this time. */
const KEPT_MS = 15_000
const MOST_TENANTS = 10_000

/** Whether an address is kept out; null: nothing is listed. */
type IsDenied = ((address: string) => boolean) | null

/** The address lists of tenants, asked for now and then; without an answer nobody of the tenant is let in. */
export function createTenantAddresses({
  database,
  clock,
}: {
  database: Pick<AuthDatabase, 'query'>
  clock: Pick<Clock, 'monotonic'>
}): TenantAddresses {
  const known = new Map<string, { isDenied: IsDenied; until: number }>()
  const underWay = new Map<string, Promise<IsDenied>>()

  async function read(tenant: string): Promise<IsDenied> {
    const [row] = await database.query<{ allow_addresses: string[]; deny_addresses: string[] }>(
      'select allow_addresses, deny_addresses from tenants where id = $1',
      [tenant],
    )
    const lists = { allow: row?.allow_addresses ?? [], deny: row?.deny_addresses ?? [] }
    const isDenied = lists.allow.length + lists.deny.length > 0 ? createAddressCheck(lists) : null
    if (known.size >= MOST_TENANTS) known.delete(known.keys().next().value!)
    known.set(tenant, { isDenied, until: clock.monotonic() + KEPT_MS })
    return isDenied
  }
  function ask(tenant: string): Promise<IsDenied> {
    let asked = underWay.get(tenant)
    if (!asked) {
      asked = read(tenant).finally(() => underWay.delete(tenant))
      underWay.set(tenant, asked)
    }
    return asked
  }
  function refuse(isDenied: IsDenied, from: Pick<Ctx, 'address'>): void {
    if (isDenied?.(from.address)) throw new AssayError('forbidden', 'Your tenant does not let this address in.')
  }

  return {
    check(tenant, from) {
      const found = known.get(tenant)
      if (found && found.until > clock.monotonic()) return refuse(found.isDenied, from)
      return ask(tenant).then((isDenied) => refuse(isDenied, from))
    },
  }
}
