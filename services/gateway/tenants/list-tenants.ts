import { isHouse } from '@assay/core/contracts/scopes'
import { type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import { requireScope } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'
import { TENANT_COLUMNS, type TenantRow, toTenant } from './rows.ts'
import type { Tenant } from './schemas.ts'

/** The operator's tenant, for the house all of them, by id. */
export async function listTenants({ ctx, input, deps }: Verb<PageQuery>): Promise<Page<Tenant>> {
  const actor = requireScope(ctx, 'users:read')
  const rows = await deps.database.shownTo(actor).query<TenantRow>(
    `select ${TENANT_COLUMNS} from tenants
      where ($1::text is null or id = $1) and ($2::text is null or id > $2) order by id limit $3`,
    [isHouse(actor) ? null : actor.tenant, input.cursor ?? null, input.limit + 1],
  )
  return toPage(rows, input.limit, toTenant, ({ id }) => id)
}
