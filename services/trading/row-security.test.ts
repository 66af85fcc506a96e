import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Db } from '@assay/core/ports/db/port'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases, type TestDatabase } from '@assay/core/testing/database'

/** Every tenant's: what is sold to all and what no tenant has. */
const EVERYBODYS = ['document', 'instrument', 'spec']
/** The service's alone. */
const SERVICES_OWN = ['audited', 'ledger_unbalanced', 'owner', 'slot']

/** A purchase, its assessment and a row in every table of the account. */
const PURCHASED = (tenant: string) => `
  insert into trading.purchase (id, tenant, user_id, tier_id, tier_version, tier_hash, tier, amount, currency, status, provider)
    values ('p-${tenant}', '${tenant}', 'u-${tenant}', 't', 1, 'h', '{}', 1, 'USD', 'paid', 'test');
  insert into trading.assessment (id, tenant, user_id, purchase_id) values ('a-${tenant}', '${tenant}', 'u-${tenant}', 'p-${tenant}');
  insert into trading.tier (tenant, id, version, hash, document) values ('${tenant}', 't', 1, 'h', '{}');
  insert into trading.tier_version (tenant, id, version, hash, document, made_by) values ('${tenant}', 't', 1, 'h', '{}', 'u');
  insert into trading.calendar (tenant, name, version, kind, hash, document, made_by) values ('${tenant}', 'c', 1, 'k', 'h', '{}', 'u');
  insert into trading.idempotency (tenant, user_id, route, key, body_hash, subject) values ('${tenant}', 'u', 'r', 'k', 'h', 's');
  insert into trading.account (account, tenant, slot, spec, status, exposed, state, mseq, mts, cseq, aseq, events, hash, state_hash)
    values ('a-${tenant}', '${tenant}', 0, 's', 'started', false, '{}', 1, 1, 1, 1, 1, 'h', 'h');
  insert into trading.journal (account, aseq, kind, mseq, mts, cseq, record, hash, wall) values ('a-${tenant}', 1, 'header', 1, 1, 1, '{}', 'h', now());
  insert into trading.orders (account, order_id, phase, symbol, side, type, time_in_force, quantity, filled, status, aseq, mseq, mts, updated_mts)
    values ('a-${tenant}', 'o1', 0, 'S', 'buy', 'market', 'ioc', 1, 1, 'filled', 1, 1, 1, 1);
  insert into trading.fills (account, aseq, phase, order_id, symbol, side, quantity, price, liquidity, source, instrument, spread_cost, mseq, mts)
    values ('a-${tenant}', 1, 0, 'o1', 'S', 'buy', 1, 1, 'taker', '{}', 'h', 0, 1, 1);
  insert into trading.positions (account, phase, symbol, quantity, cost, opened_mts, updated_mts, aseq) values ('a-${tenant}', 0, 'S', 1, 1, 1, 1, 1);
  insert into trading.violations (account, aseq, phase, rule, idx, effect, value, limit_value, balance, equity, crossed, marks, provisional, mseq, mts)
    values ('a-${tenant}', 1, 0, 'r', 0, 'warning', 1, 1, 1, 1, '{}', '{}', false, 1, 1);
  insert into trading.phases (account, phase, status) values ('a-${tenant}', 0, 'open');
  insert into trading.ledger_transaction (account, aseq, kind, mseq, mts) values ('a-${tenant}', 1, 'fill', 1, 1);
  insert into trading.ledger_entry (account, aseq, line, ledger, currency, amount) values ('a-${tenant}', 1, 0, 'l', 'USD', 0);
  insert into trading.proof (account, hash, bytes) values ('a-${tenant}', 'h', 1);`

const failure = (work: Promise<unknown>): Promise<string> => work.then(() => 'nothing', String)

describeAdapters('row security of trading', databases, (open) => {
  let database: TestDatabase
  let service: Db
  let acme: Db
  beforeAll(async () => {
    database = await open()
    service = database.db.as('trading')
    acme = service.forTenant('acme')
    await service.script(PURCHASED('acme') + PURCHASED('beta'))
  }, 60_000)
  afterAll(() => database.drop())
  const tables = async () =>
    (
      await database.db.query<{ name: string }>(
        `select tablename::text as name from pg_tables where schemaname = 'trading' order by 1`,
      )
    ).map(({ name }) => name)

  test('a query that forgets its predicate gets no other tenant’s rows, of whichever table', async () => {
    for (const table of await tables()) {
      if (EVERYBODYS.includes(table)) continue
      const rows = acme.query(`select row_to_json(t)::text as row from trading.${table} t`)
      if (SERVICES_OWN.includes(table)) expect(await failure(rows)).toContain('permission denied')
      else expect([table, (await rows).map(({ row }) => /beta/.test(String(row)))]).toEqual([table, [false]])
    }
  })
  test('a change or deletion that forgets its predicate leaves other tenants’ rows as they are', async () => {
    const before = await service.query('select * from trading.purchase order by id')
    await acme.query(`update trading.tier set active = false`)
    await acme.query(`delete from trading.idempotency`)
    await acme.query(`update trading.purchase set reason = 'mine now' where id = 'p-beta'`)
    expect(await service.query('select * from trading.purchase order by id')).toEqual(before)
    expect(await service.query('select tenant, active from trading.tier order by 1')).toEqual([
      { tenant: 'acme', active: false },
      { tenant: 'beta', active: true },
    ])
    expect(await service.query('select tenant from trading.idempotency')).toEqual([{ tenant: 'beta' }])
  })
  test('nothing is written in another tenant’s name, nor to its assessment', async () => {
    const theirs = `insert into trading.calendar (tenant, name, version, kind, hash, document, made_by) values ('beta', 'd', 1, 'k', 'h', '{}', 'u')`
    expect(await failure(acme.query(theirs))).toContain('row-level security')
    expect(await failure(acme.query(`update trading.purchase set tenant = 'beta'`))).toContain('row-level security')
    const proof = `insert into trading.proof (account, hash, bytes) values ('a-beta', 'x', 1) on conflict (account) do update set hash = 'x'`
    expect(await failure(acme.query(proof))).toContain('row-level security')
    expect(await failure(acme.query(`update trading.journal set hash = 'x'`))).toContain('permission denied')
  })
  test('without a tenant there are no rows at all', async () => {
    const nobody = await service.tx(async (sql) => {
      await sql.query(`select set_config('role', 'trading_tenant', true)`)
      return sql.query('select from trading.purchase union all select from trading.journal')
    })
    expect(nobody).toEqual([])
  })
  test('the service itself sees all by a policy: it is no superuser, owns no table and bypasses nothing', async () => {
    expect(await service.query('select tenant from trading.assessment order by 1')).toHaveLength(2)
    const [role] = await database.db.query(
      `select rolsuper, rolbypassrls, exists (select from pg_tables where tableowner = 'trading') as owns from pg_roles where rolname = 'trading'`,
    )
    expect(role).toEqual({ rolsuper: false, rolbypassrls: false, owns: false })
    await database.db.script('drop policy service on trading.assessment')
    expect(await service.query('select tenant from trading.assessment')).toEqual([])
    await database.db.script('create policy service on trading.assessment to trading using (true) with check (true)')
  })
  test('every table that names a tenant or an account has it, or is not for requests at all', async () => {
    const open = await database.db.query<{ name: string }>(
      `select c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'trading' and c.relkind = 'r' and not c.relrowsecurity
         and has_table_privilege('trading_tenant', c.oid, 'select')
         and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname in ('tenant', 'account', 'user_id')) order by 1`,
    )
    expect(open).toEqual([])
  })
})
