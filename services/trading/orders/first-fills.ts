import type { OrderAnswer } from '@assay/core/contracts/wire/order'
import type { OrderView } from '@assay/core/domain/engine/types'
import { dec, str } from '@assay/core/domain/money/dec'
import type { Row } from '@assay/core/ports/db/port'
import type { TradingDeps } from '../deps.ts'
import type { Taken } from '../engine-reply.ts'

type Fills = OrderAnswer['fills']
interface FillRow extends Row {
  aseq: string
  order_id: string
  quantity: string
  price: string
  fee: { booked: string } | null
  liquidity: Fills[number]['liquidity']
  mseq: string
}

/** The fills that a first answer reports, of the order and its legs: from the commit's records, of a repeat from the rows at the same stamp. */
export async function fillsOf(
  deps: TradingDeps,
  account: string,
  orders: readonly OrderView[],
  reply: Taken,
): Promise<Fills> {
  const ids = orders.map(({ id }) => id)
  if (reply.records) {
    return reply.records.flatMap((record) =>
      record.kind === 'fill' && ids.includes(record.order)
        ? [
            {
              id: `t${record.aseq}`,
              order_id: record.order,
              quantity: record.quantity,
              price: record.price,
              fee: costOf(record.fee),
              liquidity: record.liquidity,
              mseq: record.mseq,
            },
          ]
        : [],
    )
  }
  const rows = await deps.db.query<FillRow>(
    `select f.aseq, f.order_id, f.quantity, f.price, f.fee, f.liquidity, f.mseq from trading.orders o
     join trading.fills f on f.account = o.account and f.aseq > o.aseq and f.order_id = o.order_id and f.mseq = o.mseq
     where o.account = $1 and o.order_id = any($2) order by f.aseq`,
    [account, ids],
  )
  return rows.map((row) => ({
    id: `t${row.aseq}`,
    order_id: row.order_id,
    quantity: str(dec(row.quantity)),
    price: str(dec(row.price)),
    fee: costOf(row.fee),
    liquidity: row.liquidity,
    mseq: Number(row.mseq),
  }))
}

/** A fee is booked as a negative amount; here it is what was paid. */
export const costOf = (fee: { booked: string } | null): string => fee?.booked.replace(/^-/, '') ?? '0'
