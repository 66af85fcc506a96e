/**
 * `pg.ledger`: ledger transactions/s in batches of 256 over two connections, beside pgbench's transactions/s on the same
 * server, synchronous_commit on, neither with TLS. Interleaved rounds, medians; rows and their sum are counted.
 */
import { type Figure, figureOf, median } from './figure.ts'
import { ledgerLoad } from './pg/ledger.ts'
import { benchServer, pgbench } from './pg/server.ts'

export const summary = 'ledger batches on PostgreSQL beside pgbench on the same server'

export async function run({ rounds = 5, roundMs = 4_000 } = {}): Promise<Figure[]> {
  const bench = await benchServer()
  try {
    const { db } = await bench.database('ledger')
    const ours = ledgerLoad(db.as('trading'))
    const peer = await pgbench(bench)
    const rates: [number[], number[]] = [[], []]
    for (let round = 0; round <= rounds; round++) {
      const [mine, its] = [await ours.run(roundMs), await peer.tps(roundMs)]
      // the first round warms both up
      if (round === 0) continue
      rates[0].push(mine)
      rates[1].push(its)
    }
    await ours.audit()
    return [
      figureOf({
        figure: 'pg.ledger',
        unit: 'transactions/s',
        better: 'higher',
        ours: median(rates[0]),
        samples: rounds,
        peer: { name: peer.name, value: median(rates[1]) },
      }),
    ]
  } finally {
    await bench.close()
  }
}
