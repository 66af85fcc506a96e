/**
 * `pg.row-security`: what a caller's reads cost where row security stands behind the tenant predicate, beside the same
 * reads as the service itself, which sees all; and a write of the service's own with the policies beside one without.
 * Two tenants of 10,000 assessments each, one caller, interleaved rounds, medians.
 */
import type { Db, Statement } from '@assay/core/ports/db/port'
import { type Figure, figureOf, median } from './figure.ts'
import { benchServer } from './pg/server.ts'

export const summary = 'reads and writes with row security beside those without'

const ROUNDS = 9
const EACH = 300
const SEED = `
insert into trading.purchase (id, tenant, user_id, tier_id, tier_version, tier_hash, tier, amount, currency, status, provider)
  select 'p' || n, case n % 2 when 0 then 'acme' else 'beta' end, 'u' || n % 500, 't', 1, 'h', '{}', 1, 'USD', 'paid', 'test' from generate_series(1, 20000) n;
insert into trading.assessment (id, tenant, user_id, purchase_id)
  select 'a' || n, case n % 2 when 0 then 'acme' else 'beta' end, 'u' || n % 500, 'p' || n from generate_series(1, 20000) n;
insert into trading.fills (account, aseq, phase, order_id, symbol, side, quantity, price, liquidity, source, instrument, spread_cost, mseq, mts)
  select 'a' || n, k, 0, 'o' || k, 'S', 'buy', 1, 1, 'taker', '{}', 'h', 0, k, k from generate_series(1, 2000) n, generate_series(1, 100) k;
vacuum analyze;`

const READS: Readonly<Record<string, Statement>> = {
  'one purchase': {
    sql: 'select id, status from trading.purchase where id = $1 and tenant = $2',
    params: ['p2', 'acme'],
  },
  'a page of 100 fills': {
    sql: 'select aseq, symbol, quantity, price from trading.fills where account = $1 and phase = 0 order by aseq desc limit 100',
    params: ['a2'],
  },
  'a page of 100 assessments': {
    sql: `select a.id, p.status from trading.assessment a join trading.purchase p on p.id = a.purchase_id
          where a.tenant = $1 and ($2::text is null or a.user_id = $2) order by a.id desc limit 100`,
    params: ['acme', null],
  },
}
const COMMIT = `insert into trading.journal (account, aseq, kind, mseq, mts, cseq, record, hash, wall)
  select 'a2', $1::bigint + n, 'command', 1, 1, 1, '{}', 'h', now() from generate_series(1, 64) n`

export async function run(): Promise<Figure[]> {
  const bench = await benchServer({})
  try {
    const { db } = await bench.database('row_security')
    for (const statement of SEED.trim().split(';').filter(Boolean)) await db.query(statement)
    const service = db.as('trading')
    const caller = service.forTenant('acme')
    const figures: Figure[] = []
    const add = (name: string, unit: string, [ours, peer]: [number[], number[]], as: string) =>
      figures.push(
        figureOf({
          figure: `pg.row-security: ${name}`,
          unit,
          better: 'lower',
          ours: median(ours),
          samples: ours.length,
          peer: { name: `${as}, PostgreSQL ${bench.version}`, value: median(peer) },
        }),
      )
    for (const [name, read] of Object.entries(READS)) {
      const [own] = await service.batch([read])
      const [narrowed] = await caller.batch([read])
      if (JSON.stringify(own) !== JSON.stringify(narrowed) || own!.length === 0) throw new Error(`${name}: other rows`)
      add(name, 'us', await interleaved([() => ask(caller, read), () => ask(service, read)]), 'as the service itself')
    }
    let at = 0
    const commit = () => {
      at += 64
      return service.query(COMMIT, [at])
    }
    const policies = (word: 'enable' | 'disable') => db.script(`alter table trading.journal ${word} row level security`)
    const times: [number[], number[]] = [[], []]
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [which, word] of (['enable', 'disable'] as const).entries()) {
        await policies(word)
        await commit()
        const us = await timed(commit, 100)
        if (round > 0) times[which]!.push(us)
      }
    }
    add('64 records of the engine', 'us', times, 'the table without row security')
    return figures
  } finally {
    await bench.close()
  }
}

const ask = async (db: Db, { sql, params }: Statement): Promise<unknown> => db.query(sql, params)

async function timed(work: () => Promise<unknown>, times: number): Promise<number> {
  const start = performance.now()
  for (let n = 0; n < times; n++) await work()
  return ((performance.now() - start) / times) * 1000
}

async function interleaved(sides: [() => Promise<unknown>, () => Promise<unknown>]): Promise<[number[], number[]]> {
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [which, work] of sides.entries()) {
      const us = await timed(work, EACH)
      // the first round warms both up
      if (round > 0) times[which]!.push(us)
    }
  }
  return times
}
