/**
 * `pg.pool`: queries/s by so many callers at once, through the port's pool beside a connection for each query, both over
 * TLS with the certificate verified and SCRAM. Interleaved rounds, medians. Every answer is checked.
 */
import type { Row } from '@assay/core/ports/db/port'
import pg from 'pg'
import { type Figure, figureOf, median } from './figure.ts'
import { benchServer } from './pg/server.ts'

export const summary = 'pooled queries beside a connection for each, TLS on both sides'

export interface PoolOptions {
  rounds?: number
  roundMs?: number
  callers?: number
}

export async function run({ rounds = 5, roundMs = 2_000, callers = 32 }: PoolOptions = {}): Promise<Figure[]> {
  const bench = await benchServer({ tls: true })
  try {
    const ca = bench.server.caFile!
    const { url, db } = await bench.database('pool', {
      query: `sslmode=verify-full&sslrootcert=${encodeURIComponent(ca)}`,
      migrated: false,
    })
    const [row] = await db.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
    if (row!.ssl !== true) throw new Error('the pool is not on TLS')
    const text = 'select $1::int + 1 as next'
    const pooled = async (n: number) => (await db.query<Next>(text, [n]))[0]!
    const alone = async (n: number) => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      const { rows } = await client.query<Next>(text, [n])
      await client.end()
      return rows[0]!
    }
    const rates: [number[], number[]] = [[], []]
    for (let round = 0; round <= rounds; round++) {
      for (const [at, ask] of [pooled, alone].entries()) {
        const { count, seconds } = await inLoop(ask, callers, roundMs)
        // the first round warms both up
        if (round > 0) rates[at]!.push(count / seconds)
      }
    }
    return [
      figureOf({
        figure: 'pg.pool',
        unit: 'queries/s',
        better: 'higher',
        ours: median(rates[0]),
        samples: rounds,
        peer: { name: `pg 8.23.1, a connection for each, TLS, PostgreSQL ${bench.version}`, value: median(rates[1]) },
      }),
    ]
  } finally {
    await bench.close()
  }
}

interface Next extends Row {
  next: number
}
async function inLoop(ask: (n: number) => Promise<Next>, callers: number, ms: number) {
  const start = performance.now()
  let count = 0
  const caller = async () => {
    while (performance.now() - start < ms) {
      const n = count++
      if ((await ask(n)).next !== n + 1) throw new Error(`not the answer to ${n}`)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return { count, seconds: (performance.now() - start) / 1000 }
}
