import { binaryArray } from '@assay/core/ports/db/binary-array'
import type { Db } from '@assay/core/ports/db/port'

const BATCH = 256
const CONNECTIONS = 2
const LEDGERS = ['account:cash', 'house:trading'] as const

/**
 * Batches of ledger transactions as the engine books them, under the constraint that each balances: one statement, two
 * lines a transaction, each batch durable before its connection takes the next one.
 */
export function ledgerLoad(db: Db) {
  let batch = 0
  let booked = 0
  const book = async (): Promise<void> => {
    const aseq = ++batch
    const accounts = Array.from({ length: BATCH }, (_, i) => `ledger-${i}`)
    const amounts = accounts.map((_, i) => `${i + 1}.25`)
    await db.batch([
      {
        sql: `with input as materialized (select * from unnest($1::text[], $2::text[]) as r(account, amount)),
          booked as (insert into trading.ledger_transaction (account, aseq, kind, mseq, mts)
            select account, $3, 'trade', $3, $3 from input)
          insert into trading.ledger_entry (account, aseq, line, ledger, currency, amount)
            select account, $3, l.line, l.ledger, 'USD', l.sign * amount::numeric
            from input, (values (0, '${LEDGERS[0]}', 1), (1, '${LEDGERS[1]}', -1)) as l(line, ledger, sign)`,
        params: [binaryArray('text', accounts), binaryArray('text', amounts), aseq],
      },
    ])
    booked += BATCH
  }
  return {
    async run(ms: number): Promise<number> {
      const start = performance.now()
      const before = booked
      const connection = async () => {
        while (performance.now() - start < ms) await book()
      }
      await Promise.all(Array.from({ length: CONNECTIONS }, connection))
      return ((booked - before) * 1000) / (performance.now() - start)
    },
    /** counted by SQL; throws when it is not what was booked */
    async audit(): Promise<void> {
      const [row] = await db.query<{ transactions: number; entries: number; off: string }>(
        `select (select count(*)::int from trading.ledger_transaction) as transactions,
           (select count(*)::int from trading.ledger_entry) as entries,
           (select coalesce(sum(amount), 0) from trading.ledger_entry) as off`,
      )
      if (row!.transactions !== booked || row!.entries !== booked * 2 || Number(row!.off) !== 0)
        throw new Error(`${booked} were booked: ${JSON.stringify(row)}`)
    },
  }
}
