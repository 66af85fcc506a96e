import type { AccountSpec } from '@assay/core/domain/engine/types'
import type { Row } from '@assay/core/ports/db/port'
import type { TradingDeps } from '../deps.ts'

/** What decides an account that exists. */
export async function accountSpec(deps: TradingDeps, account: string): Promise<AccountSpec> {
  const [row] = await deps.db.query<Row & { doc: AccountSpec }>(
    'select s.doc from trading.account c join trading.spec s on s.hash = c.spec where c.account = $1',
    [account],
  )
  return row!.doc
}
