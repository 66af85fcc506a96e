import { AssayError } from '@assay/core/contracts/errors'
import { isHouse as isOfHouse, type Scope } from '@assay/core/contracts/scopes'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Actor, Ctx } from '@assay/core/kernel/context'
import type { Row, Sql } from '@assay/core/ports/db/port'
import type { CallerDeps, TradingDeps, Verb } from './deps.ts'

/** The tenant whose catalogue is shown to this caller. */
export const tenantOf = (ctx: Ctx): string => ctx.actor?.tenant ?? 'default'

/** An agent has been let do things with what is its user's own, whatever else the user may reach. */
const isAgent = (actor: Actor): boolean => actor.clientId !== undefined
const isHouse = (actor: Actor): boolean => isOfHouse(actor) && !isAgent(actor)

/** The caller's view of trading: row security hides other tenants' rows from its database, except from the house. */
export const depsFor = (own: TradingDeps, ctx: Ctx): CallerDeps => {
  const tenant = ctx.actor && isHouse(ctx.actor) ? null : tenantOf(ctx)
  return { ...own, rowsOf: tenant, db: tenant === null ? own.db : own.db.forTenant(tenant) }
}

/** Operators see all of their tenant; everybody else, a bot's key and an operator's agent included, the rows of one user. */
export const seesTenant = (actor: Actor): boolean =>
  (actor.role === 'operator' || actor.role === 'admin') && !isAgent(actor)
/** The user whose rows a list is narrowed to; null: the tenant's. */
export const ownerFilter = (actor: Actor): string | null => (seesTenant(actor) ? null : actor.userId)

/** The condition that keeps a list within the caller's tenant; `place` is the tenant's parameter. */
export const inTenant = (actor: Actor, column: string, place: string): string =>
  isHouse(actor) ? `${place}::text is not null` : `${column} = ${place}`

export interface Owned {
  tenant: string
  userId: string
}
export const maySee = (actor: Actor, row: Owned): boolean =>
  (row.tenant === actor.tenant || isHouse(actor)) && (seesTenant(actor) || row.userId === actor.userId)

const REMEMBERED = 100_000

/** Whose assessment it is: that never changes, so the order path asks the database once per assessment. */
export class Owners {
  private readonly known = new Map<string, Owned>()

  constructor(private readonly db: Sql) {}

  async of(assessment: string): Promise<Owned | null> {
    const known = this.known.get(assessment)
    if (known) return known
    const [row] = await this.db.query<Row & { tenant: string; user_id: string }>(
      'select tenant, user_id from trading.assessment where id = $1',
      [assessment],
    )
    if (!row) return null
    if (this.known.size >= REMEMBERED) this.known.delete(this.known.keys().next().value!)
    const owned = { tenant: row.tenant, userId: row.user_id }
    this.known.set(assessment, owned)
    return owned
  }
}

const WRITES: ReadonlySet<Scope> = new Set(['trading:write', 'orders:write'])

/** The caller and whose assessment it is, when both the scope and the row allow it; another's is as absent as one that does not exist. */
export async function openAssessment(
  { ctx, input, deps }: Verb<{ id: string }>,
  scope: Scope,
): Promise<{ actor: Actor; owned: Owned }> {
  const actor = requireScope(ctx, scope)
  const owned = await deps.owners.of(input.id)
  if (!owned || !maySee(actor, owned)) throw new AssayError('not_found', 'No such assessment.')
  if (owned.userId !== actor.userId && WRITES.has(scope)) {
    const detail = { assessment: input.id, owner: owned.userId, scope, request: ctx.requestId }
    await recordAudit(deps.db, { action: 'assessment.operated', actor: actor.userId, tenant: owned.tenant, detail })
  }
  return { actor, owned }
}
