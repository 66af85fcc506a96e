import type { TradeResource } from '@assay/core/contracts/wire/account'
import { numberCursor, type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import { dec, str } from '@assay/core/domain/money/dec'
import type { Row } from '@assay/core/ports/db/port'
import { openAssessment } from '../access.ts'
import type { Verb } from '../deps.ts'
import { iso } from '../time.ts'
import { CURRENT_PHASE, type PhaseInput } from './live.ts'

interface FillRow extends Row {
  aseq: string
  phase: number
  order_id: string
  symbol: string
  side: TradeResource['side']
  quantity: string
  price: string
  liquidity: TradeResource['liquidity']
  source: TradeResource['source']
  instrument: string
  result: TradeResource['result']
  fee: TradeResource['fee']
  spread_cost: string
  position_id: string
  mseq: string
  mts: string
}

/** Fills, newest first, each with what made it and what it cost. */
export async function listTrades(
  verb: Verb<PageQuery & PhaseInput & { symbol?: string | undefined; order?: string | undefined }>,
): Promise<Page<TradeResource>> {
  await openAssessment(verb, 'trading:read')
  const { input, deps } = verb
  const rows = await deps.db.query<FillRow>(
    `select aseq, phase, order_id, symbol, side, quantity, price, liquidity, source, instrument, result, fee, spread_cost, position_id, mseq, mts
     from trading.fills where account = $1 and phase = ${CURRENT_PHASE} and ($3::bigint is null or aseq < $3)
       and ($4::text is null or symbol = $4) and ($5::text is null or order_id = $5)
     order by aseq desc limit $6`,
    [
      input.id,
      input.phase ?? null,
      numberCursor(input.cursor),
      input.symbol ?? null,
      input.order ?? null,
      input.limit + 1,
    ],
  )
  return toPage(rows, input.limit, tradeOf, (row) => row.aseq)
}

const tradeOf = (row: FillRow): TradeResource => ({
  id: `t${row.aseq}`,
  order_id: row.order_id,
  phase: row.phase,
  symbol: row.symbol,
  side: row.side,
  quantity: str(dec(row.quantity)),
  price: str(dec(row.price)),
  liquidity: row.liquidity,
  source: row.source,
  instrument: row.instrument,
  result: row.result,
  fee: row.fee,
  spread_cost: str(dec(row.spread_cost)),
  position_id: row.position_id,
  aseq: Number(row.aseq),
  mseq: Number(row.mseq),
  at: iso(row.mts),
})
