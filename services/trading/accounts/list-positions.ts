import type { PositionList } from '@assay/core/contracts/wire/account'
import { abs, dec, div, mul, str } from '@assay/core/domain/money/dec'
import type { Row } from '@assay/core/ports/db/port'
import type { TradingDeps, Verb } from '../deps.ts'
import { iso } from '../time.ts'
import { accountSpec } from './account-spec.ts'
import { openPhase, type PhaseInput } from './live.ts'

/** Open positions, valued at the touch of `mseq`; of an ended phase what still waits for depth, without a value. */
export async function listPositions(verb: Verb<PhaseInput>): Promise<PositionList> {
  const { live, past } = await openPhase(verb)
  const items = past
    ? await leftPositions(verb.deps, live.account, past.phase)
    : live.positions.map((position) => ({ ...position, opened_at: iso(position.opened_at) }))
  return { items, phase: past?.phase ?? live.phase, mseq: live.mseq, at: iso(live.mts) }
}

interface PositionRow extends Row {
  position_id: string
  symbol: string
  quantity: string
  cost: string
  opened_mts: string
}
async function leftPositions(deps: TradingDeps, account: string, phase: number): Promise<PositionList['items']> {
  const rows = await deps.db.query<PositionRow>(
    `select position_id, symbol, quantity, cost, opened_mts from trading.positions
     where account = $1 and phase = $2 and quantity <> 0 order by symbol, opened_mts, position_id`,
    [account, phase],
  )
  if (rows.length === 0) return []
  const { instruments } = await accountSpec(deps, account)
  const contract = new Map(instruments.map((document) => [document.symbol, dec(document.contract_size)]))
  return rows.map((row) => ({
    id: row.position_id,
    symbol: row.symbol,
    quantity: str(dec(row.quantity)),
    cost: str(dec(row.cost)),
    average_price: str(abs(div(dec(row.cost), mul(dec(row.quantity), contract.get(row.symbol)!)))),
    mark: null,
    unrealised: null,
    opened_at: iso(row.opened_mts),
  }))
}
