import { HOUSE_TENANT } from '@assay/core/contracts/scopes'
import { recordAudit } from '@assay/core/kernel/audit'
import type { Ctx } from '@assay/core/kernel/context'
import type { RouteClass } from '@assay/core/kernel/limit'
import type { AuthDatabase } from '../auth/database.ts'
import { networkOf } from '../limits/client.ts'

export interface Refusals {
  /** called for every request, when it has its answer: cheap */
  saw(ctx: Pick<Ctx, 'actor' | 'denied' | 'address'>, status: number, routeClass?: RouteClass): void
  /** tells the audit log what was refused since the last call */
  flush(): Promise<void>
}
interface Refused {
  actor: string
  tenant: string
  network: string
  status: number
  count: number
}
/** Clients told apart between two flushes; whoever comes later is counted together. */
const CLIENTS = 100
const OTHERS = 'others'

/**
 * Failed authorisations: a credential that is not accepted (401), or may not do what was asked (403), and logins that wait
 * because of those before them (429). Each client is one
 * row a flush with how often it was, so that a flood of them does not become one of the audit log.
 */
export function countRefusals({
  database,
  onRefused,
}: {
  database: Pick<AuthDatabase, 'inTransaction'>
  onRefused: (status: number) => void
}): Refusals {
  let refused = new Map<string, Refused>()

  function add(client: Omit<Refused, 'count'>, count: number): void {
    const others = { actor: 'anonymous', tenant: HOUSE_TENANT, network: OTHERS, status: client.status }
    const its = refused.has(nameOf(client)) || refused.size < CLIENTS ? client : others
    refused.set(nameOf(its), { ...its, count: (refused.get(nameOf(its))?.count ?? 0) + count })
  }
  return {
    saw(ctx, status, routeClass) {
      const waits = status === 429 && routeClass === 'auth'
      if (!(waits || status === 403 || (status === 401 && ctx.denied))) return
      const { actor, address } = ctx
      onRefused(status)
      const client = {
        actor: actor?.userId ?? 'anonymous',
        tenant: actor?.tenant ?? HOUSE_TENANT,
        network: networkOf(address),
        status,
      }
      add(client, 1)
    },
    async flush() {
      if (refused.size === 0) return
      const told = refused
      refused = new Map()
      try {
        await database.inTransaction(async (sql) => {
          for (const { actor, tenant, ...detail } of told.values())
            await recordAudit(sql, { action: 'authorization.refused', actor, tenant, detail })
        })
      } catch (error) {
        for (const { count, ...client } of told.values()) add(client, count)
        throw error
      }
    },
  }
}
const nameOf = ({ actor, network, status }: Omit<Refused, 'count'>): string => `${status} ${actor} ${network}`
