import { AssayError } from '@assay/core/contracts/errors'
import { HOUSE_TENANT, isHouse } from '@assay/core/contracts/scopes'
import type { Sql } from '@assay/core/ports/db/port'
import type { Authority } from './authority.ts'

/**
 * Before one of those who run the platform loses that: the others are locked, so that no two who take each other's
 * place away both succeed. Throws conflict for the last one. Whoever acts must still be one of the house, or of the
 * user's tenant, when its turn comes.
 */
export async function requireHouseOperatorLeft(
  sql: Pick<Sql, 'query'>,
  { leaving, actor }: { leaving: string; actor?: Authority & { userId: string } },
): Promise<void> {
  const operators = await sql.query<{ id: string }>(
    `select id from users where tenant = $1 and role in ('operator', 'admin') and disabled_at is null
      order by id for update`,
    [HOUSE_TENANT],
  )
  if (actor && isHouse(actor) && !operators.some(({ id }) => id === actor.userId))
    throw new AssayError('forbidden', 'You are no operator any more.')
  if (!operators.some(({ id }) => id !== leaving))
    throw new AssayError('conflict', 'This is the last operator of the house: make another one first.')
}
