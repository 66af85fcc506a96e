import { AssayError } from '@assay/core/contracts/errors'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireHouse } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'
import { requireFreshFactor } from '../second-factor/require-fresh-factor.ts'
import { TENANT_COLUMNS, type TenantRow, toTenant } from './rows.ts'
import type { Tenant, TenantBody } from './schemas.ts'

/** A new tenant, made by the house; its first operator is invited. */
export async function createTenant({ ctx, input, deps }: Verb<TenantBody>): Promise<Tenant> {
  const actor = requireHouse(ctx, 'tenants:write')
  await requireFreshFactor(deps, actor)
  return deps.database.inTransaction(async (sql) => {
    const [row] = await sql.query<TenantRow>(
      `insert into tenants (id, name, plan, mfa_required, allow_addresses, deny_addresses, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict (id) do nothing returning ${TENANT_COLUMNS}`,
      [
        input.id,
        input.name,
        input.plan,
        input.mfa_required ?? false,
        input.allow_addresses ?? [],
        input.deny_addresses ?? [],
        new Date(deps.clock.now()),
      ],
    )
    if (!row) throw new AssayError('conflict', 'There is a tenant of this id.', { field: 'id' })
    await recordAudit(sql, {
      action: 'tenant.created',
      actor: actor.userId,
      tenant: row.id,
      detail: { plan: row.plan },
    })
    return toTenant(row)
  })
}
