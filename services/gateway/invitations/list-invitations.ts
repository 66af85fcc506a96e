import { isHouse } from '@assay/core/contracts/scopes'
import { type Page, toPage } from '@assay/core/contracts/wire/page'
import { requireScope } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'
import { INVITATIONS, type InvitationRow, toInvitation } from './rows.ts'
import type { Invitation, InvitationQuery } from './schemas.ts'

/** Into the operator's tenant, for the house into any, newest first; they are kept 90 days past their end. */
export async function listInvitations({ ctx, input, deps }: Verb<InvitationQuery>): Promise<Page<Invitation>> {
  const actor = requireScope(ctx, 'users:read')
  const now = deps.clock.now()
  const rows = await deps.database.shownTo(actor).query<InvitationRow>(
    `${INVITATIONS}
      where ($1::text is null or tenant = $1) and ($2::text is null or tenant = $2)
        and ($3::text is null or $3 = case when accepted_at is not null then 'accepted'
              when expires_at <= $4 then 'expired' else 'open' end)
        and ($5::text is null or id::text < $5)
      order by id desc limit $6`,
    [
      isHouse(actor) ? null : actor.tenant,
      input.tenant ?? null,
      input.status ?? null,
      new Date(now),
      input.cursor ?? null,
      input.limit + 1,
    ],
  )
  const page = toPage(
    rows,
    input.limit,
    (row) => row,
    ({ id }) => id,
  )
  return { items: await Promise.all(page.items.map((row) => toInvitation(deps, row, now))), next: page.next }
}
