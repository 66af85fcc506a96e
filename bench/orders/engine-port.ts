import { systemClock } from '@assay/core/ports/clock/system'
import { type TestDatabase, testPglite } from '@assay/core/testing/database'
import { spec } from '@assay/core/testing/world'
import { dbLeases } from '../../services/trading/engine/leases.ts'
import { sqlStore } from '../../services/trading/engine/sql-store.ts'
import type { EngineStore } from '../../services/trading/engine/store.ts'
import { quoteAt, testEngine } from '../../services/trading/engine/testing.ts'
import { watchLag } from '../measure/lag.ts'
import { Latencies } from '../measure/latencies.ts'

export interface Load {
  ordersPerS: number
  orders: number
  latencies: Latencies
  /** longest time without an answer, ms */
  stallMs: number
  lag: Latencies
}
export interface OrdersRig {
  run(until: { ms?: number; orders?: number }): Promise<Load>
  /** rows that must be there for the orders answered so far, counted by SQL; throws when they are not */
  audit(): Promise<void>
  close(): Promise<void>
}
const SPEC = spec([
  {
    rule: 'max_loss',
    mode: 'static',
    limit: { pct: '6' },
    lock: null,
    metric: 'equity',
    compare: 'lt',
    effect: 'hard',
  },
])

/**
 * The engine in its thread, on a fresh PGlite unless a database is given: from `submit` to the durable answer, in a closed loop of `outstanding`
 * clients, each with an account of its own.
 */
export async function ordersRig(
  name: string,
  outstanding: number,
  wrap: (store: EngineStore) => EngineStore = (store) => store,
  given?: Pick<TestDatabase, 'db' | 'drop'>,
): Promise<OrdersRig> {
  const database = given ?? (await testPglite())
  const db = database.db.as('trading')
  const store = wrap(sqlStore(db))
  const t = await testEngine({ thread: 'worker', store, leases: dbLeases(db, systemClock, { id: name, url: null }) })
  await t.append(quoteAt(1, '100.00', '100.02'))
  const accounts = Array.from({ length: outstanding }, (_, i) => `${name}-${i}`)
  await Promise.all(
    accounts.map(async (account) => {
      await t.submit(account, { op: 'create' }, { spec: SPEC })
      await t.submit(account, { op: 'start' })
    }),
  )
  let answered = 0
  return {
    async run({ ms = Number.POSITIVE_INFINITY, orders = Number.POSITIVE_INFINITY }) {
      const latencies = new Latencies()
      const lag = watchLag()
      const start = performance.now()
      let [sent, last, stallMs] = [0, start, 0]
      await Promise.all(
        accounts.map(async (account) => {
          for (let k = 0; sent < orders && performance.now() - start < ms; k++) {
            sent++
            const from = performance.now()
            const side = k % 2 === 0 ? 'buy' : 'sell'
            const reply = await t.submit(account, {
              op: 'order',
              symbol: 'TST/USD',
              side,
              type: 'market',
              quantity: '1',
            })
            if (reply.kind !== 'answer' || !reply.answer.ok) throw new Error(JSON.stringify(reply))
            const now = performance.now()
            latencies.add(now - from)
            stallMs = Math.max(stallMs, now - last)
            last = now
          }
        }),
      )
      const tookMs = performance.now() - start
      answered += latencies.count
      return { ordersPerS: (latencies.count * 1000) / tookMs, orders: latencies.count, latencies, stallMs, lag: lag() }
    },
    async audit() {
      const [row] = await db.query<{ orders: string; fills: string; answers: string; off: string }>(
        `select (select count(*) from trading.orders) as orders, (select count(*) from trading.fills) as fills,
           (select count(*) from trading.journal where client_order_id is not null) as answers,
           (select coalesce(sum(amount), 0) from trading.ledger_entry) as off`,
      )
      const want = String(answered)
      if (row!.orders !== want || row!.fills !== want || row!.answers !== want || Number(row!.off) !== 0) {
        throw new Error(`the rows are not those of ${want} orders: ${JSON.stringify(row)}`)
      }
    },
    async close() {
      await t.close()
      await database.drop()
    },
  }
}
