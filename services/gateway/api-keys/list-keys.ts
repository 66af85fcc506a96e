import { type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import { requireScope } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'
import { API_KEY_COLUMNS, type ApiKeyRow, toApiKey } from './rows.ts'
import type { ApiKey } from './schemas.ts'

/** The actor's keys that are not revoked, newest first. */
export async function listKeys({ ctx, input, deps }: Verb<PageQuery>): Promise<Page<ApiKey>> {
  const actor = requireScope(ctx, 'keys:write')
  const rows = await deps.database.shownTo(actor).query<ApiKeyRow>(
    `select ${API_KEY_COLUMNS} from api_keys
      where user_id = $1 and revoked_at is null and ($2::text is null or id::text < $2)
      order by id desc limit $3`,
    [actor.userId, input.cursor ?? null, input.limit + 1],
  )
  return toPage(rows, input.limit, toApiKey, (row) => row.id)
}
