import { AssayError } from '@assay/core/contracts/errors'
import { isHouse } from '@assay/core/contracts/scopes'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Ctx } from '@assay/core/kernel/context'
import { createProxyList } from '@assay/core/kernel/proxies'
import type { Verb } from '../deps.ts'
import { requireFreshFactor } from '../second-factor/require-fresh-factor.ts'
import { governs } from '../users/authority.ts'
import { TENANT_COLUMNS, type TenantRow, toTenant } from './rows.ts'
import type { Tenant, TenantChange } from './schemas.ts'

/** What is said of the tenant replaces what it was; the plan is the house's to set. */
export async function changeTenant({ ctx, input, deps }: Verb<TenantChange & { id: string }>): Promise<Tenant> {
  const actor = requireScope(ctx, 'tenants:write')
  const { id, ...change } = input
  if (!governs(actor, id)) throw absent()
  if (change.plan !== undefined && !isHouse(actor))
    throw new AssayError('forbidden', 'The plan is set by the house.', { field: 'plan' })
  await requireFreshFactor(deps, actor)
  return deps.database.inTransaction(async (sql) => {
    const [before] = await sql.query<TenantRow>(`select ${TENANT_COLUMNS} from tenants where id = $1 for update`, [id])
    if (!before) throw absent()
    const after = { ...before, ...said(change) }
    if (actor.tenant === id) requireStillWelcome(ctx, after)
    await sql.query(
      `update tenants set name = $2, plan = $3, mfa_required = $4, allow_addresses = $5, deny_addresses = $6,
              updated_at = $7 where id = $1`,
      [
        id,
        after.name,
        after.plan,
        after.mfa_required,
        after.allow_addresses,
        after.deny_addresses,
        new Date(deps.clock.now()),
      ],
    )
    const detail = { fields: Object.keys(said(change)).sort().join(' '), plan: after.plan }
    await recordAudit(sql, { action: 'tenant.changed', actor: actor.userId, tenant: id, detail })
    return toTenant(after)
  })
}

const absent = () => new AssayError('not_found', 'There is no such tenant.')

const said = (change: TenantChange): Partial<TenantRow> =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))

/** Nobody locks himself out. */
function requireStillWelcome({ address }: Ctx, { allow_addresses: allowed, deny_addresses: denied }: TenantRow): void {
  const out = (field: string) =>
    new AssayError('validation_failed', `${field}: would lock you out, you come from ${address}`, { field })
  if (createProxyList(denied)(address)) throw out('deny_addresses')
  if (allowed.length > 0 && !createProxyList(allowed)(address)) throw out('allow_addresses')
}
