/**
 * `pg.orders-port`: durable orders/s through the engine port on PostgreSQL with one connection, `pg.orders-port.two` with
 * two, 256 outstanding, beside pgbench's transactions/s on the same server, synchronous_commit on, neither with TLS.
 * Interleaved rounds, medians; rows are counted. `pg.orders-port.lag_p99`: how late timers of the main thread fire.
 */
import type { EngineStore } from '../services/trading/engine/store.ts'
import { type Figure, figureOf, median } from './figure.ts'
import { ordersRig } from './orders/engine-port.ts'
import { benchServer, pgbench } from './pg/server.ts'

export const summary = 'durable orders through the engine port on PostgreSQL beside pgbench on the same server'

export interface PortOptions {
  rounds?: number
  roundMs?: number
  outstanding?: number
}

export async function run({ rounds = 5, roundMs = 4_000, outstanding = 256 }: PortOptions = {}): Promise<Figure[]> {
  const bench = await benchServer()
  const rig = async (connections: number) => {
    const { db } = await bench.database(`orders_${connections}`)
    const wrap = (store: EngineStore): EngineStore => ({ ...store, connections })
    return ordersRig(`pg${connections}`, outstanding, wrap, { db, drop: async () => {} })
  }
  try {
    const [one, two] = [await rig(1), await rig(2)]
    const peer = await pgbench(bench)
    const rates: [number[], number[], number[]] = [[], [], []]
    const lags: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const [first, second] = [await one.run({ ms: roundMs }), await two.run({ ms: roundMs })]
      const its = await peer.tps(roundMs)
      // the first round warms all up
      if (round === 0) continue
      rates[0].push(first.ordersPerS)
      rates[1].push(second.ordersPerS)
      rates[2].push(its)
      lags.push(second.lag.at(0.99))
    }
    for (const each of [one, two]) {
      await each.audit()
      await each.close()
    }
    const figure = (name: string, values: number[]) =>
      figureOf({
        figure: name,
        unit: 'orders/s',
        better: 'higher',
        ours: median(values),
        samples: rounds,
        peer: { name: peer.name, value: median(rates[2]) },
      })
    return [
      figure('pg.orders-port', rates[0]),
      figure('pg.orders-port.two', rates[1]),
      figureOf({ figure: 'pg.orders-port.lag_p99', unit: 'ms', better: 'lower', ours: median(lags), samples: rounds }),
    ]
  } finally {
    await bench.close()
  }
}
