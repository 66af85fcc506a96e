/**
 * `pg.orders-http`: durable orders/s of 64 keep-alive HTTP clients with an API key against a whole platform whose
 * database is PostgreSQL, orders that fill and that rest, beside pgbench's transactions/s on the same server,
 * synchronous_commit on, neither with TLS. Interleaved rounds, medians. `pg.orders-http.p99`: of an order, ms.
 */
import { type Figure, figureOf, median } from './figure.ts'
import { httpRig } from './orders/http-port.ts'
import { benchServer, pgbench } from './pg/server.ts'

export const summary = 'durable orders over HTTP on PostgreSQL beside pgbench on the same server'

export async function run({ rounds = 5, roundMs = 4_000, clients = 64 } = {}): Promise<Figure[]> {
  const bench = await benchServer()
  try {
    const { url, db } = await bench.database('http')
    const ours = await httpRig('together', clients, { DATABASE_URL: url })
    const peer = await pgbench(bench)
    const rates: [number[], number[]] = [[], []]
    const tails: [number[], number[]] = [[], []]
    let orders = 0
    for (let round = 0; round <= rounds; round++) {
      const [mine, its] = [await ours.run({ ms: roundMs }), await peer.tps(roundMs)]
      orders += mine.orders
      // the first round warms both up
      if (round === 0) continue
      rates[0].push(mine.ordersPerS)
      rates[1].push(its)
      tails[0].push(mine.p99)
      tails[1].push(mine.lag.p99)
    }
    const [there] = await db.query<{ n: number }>('select count(*)::int as n from trading.orders')
    if (there!.n < orders) throw new Error(`${orders} orders were answered, ${there!.n} are there`)
    await ours.close()
    const inMs = (name: string, values: number[]) =>
      figureOf({ figure: `pg.orders-http.${name}`, unit: 'ms', better: 'lower', ours: median(values), samples: rounds })
    return [
      figureOf({
        figure: 'pg.orders-http',
        unit: 'orders/s',
        better: 'higher',
        ours: median(rates[0]),
        samples: rounds,
        peer: { name: peer.name, value: median(rates[1]) },
      }),
      inMs('p99', tails[0]),
      inMs('lag_p99', tails[1]),
    ]
  } finally {
    await bench.close()
  }
}
