import { isHouse } from '@assay/core/contracts/scopes'
import { type Page, toPage } from '@assay/core/contracts/wire/page'
import { requireScope } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'
import { USERS, type UserRow } from './rows.ts'
import type { UserAccount, UserQuery } from './schemas.ts'
import { toUserAccount } from './views.ts'

/** The users of the operator's tenant, for the house those of all, newest first. */
export async function listUsers({ ctx, input, deps }: Verb<UserQuery>): Promise<Page<UserAccount>> {
  const actor = requireScope(ctx, 'users:read')
  const { database } = deps
  const rows = await database.shownTo(actor).query<UserRow>(
    `${USERS}
      where ($1::text is null or u.tenant = $1) and ($2::text is null or u.tenant = $2)
        and ($3::text is null or u.email_index = $3) and ($4::text is null or u.role = $4)
        and ($5::text is null or (u.disabled_at is not null) = ($5 = 'disabled'))
        and ($6::text is null or u.id::text < $6)
      order by u.id desc limit $7`,
    [
      isHouse(actor) ? null : actor.tenant,
      input.tenant ?? null,
      input.email === undefined ? null : database.emailIndex(input.email),
      input.role ?? null,
      input.status ?? null,
      input.cursor ?? null,
      input.limit + 1,
    ],
  )
  return toPage(rows, input.limit, toUserAccount, ({ id }) => id)
}
