import type { OrderAnswer } from '@assay/core/contracts/wire/order'
import type { OrderView } from '@assay/core/domain/engine/types'
import { dec, str } from '@assay/core/domain/money/dec'
import type { Row } from '@assay/core/ports/db/port'
import type { TradingDeps } from '../deps.ts'
import type { Taken } from '../engine-reply.ts'
import { aseqOf } from './order-row.ts'

type Fills = OrderAnswer['fills']
interface FillRow extends Row {
  aseq: string
  quantity: string
  price: string
  fee: { booked: string } | null
  liquidity: Fills[number]['liquidity']
  mseq: string
}

/** The fills that an order's first answer reports: from the commit's records, of a repeat from the rows at the same stamp. */
export async function fillsOf(deps: TradingDeps, account: string, order: OrderView, reply: Taken): Promise<Fills> {
  if (order.filled === '0') return []
  if (reply.records) {
    return reply.records.flatMap((record) =>
      record.kind === 'fill' && record.order === order.id
        ? [
            {
              id: `t${record.aseq}`,
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
    `select f.aseq, f.quantity, f.price, f.fee, f.liquidity, f.mseq from trading.orders o
     join trading.fills f on f.account = o.account and f.aseq > o.aseq and f.order_id = o.order_id and f.mseq = o.mseq
     where o.account = $1 and o.aseq = $2 order by f.aseq`,
    [account, aseqOf(order.id)],
  )
  return rows.map((row) => ({
    id: `t${row.aseq}`,
    quantity: str(dec(row.quantity)),
    price: str(dec(row.price)),
    fee: costOf(row.fee),
    liquidity: row.liquidity,
    mseq: Number(row.mseq),
  }))
}

/** A fee is booked as a negative amount; here it is what was paid. */
const costOf = (fee: { booked: string } | null): string => fee?.booked.replace(/^-/, '') ?? '0'
