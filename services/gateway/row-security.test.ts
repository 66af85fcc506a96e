import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Db } from '@assay/core/ports/db/port'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases, type TestDatabase } from '@assay/core/testing/database'

const SHOWN = ['api_keys', 'audit', 'devices', 'invitations', 'oauth_grants', 'sessions', 'tenants', 'usage', 'users']
const OF_USER = '(select tenant from users u where u.id = t.user_id)'
const WHOSE: Readonly<Record<string, string>> = {
  tenants: 't.id',
  devices: OF_USER,
  sessions: OF_USER,
  api_keys: OF_USER,
  oauth_grants: '(select tenant from users u join sessions s on s.user_id = u.id where s.id = t.session_id)',
}
/** What the rows say is not asked here. */
const WITHOUT_CHECKS = `do $$ declare c record; begin
  for c in select conrelid::regclass as of, conname from pg_constraint where contype = 'c' and connamespace = 'gateway'::regnamespace loop
    execute format('alter table %s drop constraint %I', c.of, c.conname);
  end loop;
end $$`
const failure = (work: Promise<unknown>): Promise<string> => work.then(() => 'nothing', String)

describeAdapters('row security of the gateway', databases, (open) => {
  let database: TestDatabase
  let service: Db
  let acme: Db
  beforeAll(async () => {
    database = await open()
    service = database.db.as('gateway')
    acme = service.forTenant('acme')
    await database.db.script(WITHOUT_CHECKS)
    for (const tenant of ['acme', 'beta']) {
      await service.query('insert into tenants (id, name) values ($1, $1)', [tenant])
      const id = crypto.randomUUID()
      await fill(database.db, 'users', { id, tenant, name: '', email: '' })
      for (const table of SHOWN.filter((name) => !['users', 'tenants', 'oauth_grants'].includes(name)))
        await fill(database.db, table, { tenant, user_id: id, name: tenant, ...(table === 'sessions' && { id }) })
      await fill(database.db, 'oauth_grants', { session_id: id })
    }
  }, 60_000)
  afterAll(() => database.drop())

  test('a query that forgets its predicate gets no other tenant’s rows', async () => {
    for (const table of SHOWN) {
      const whose = WHOSE[table] ?? 't.tenant'
      const rows = await acme.query<{ own: boolean }>(`select ${whose} = 'acme' as own from ${table} t`)
      expect([table, rows.map(({ own }) => own)]).toEqual([table, [true]])
      const [all] = await service.query<{ n: number }>(`select count(*)::int as n from ${table} t`)
      expect(all!.n).toBeGreaterThanOrEqual(2)
    }
  })
  test('it reads these tables and writes none; secrets of others are not among them', async () => {
    const granted = await database.db.query<{ table: string; rights: string }>(
      `select table_name::text as table, string_agg(privilege_type, ',' order by privilege_type) as rights
       from information_schema.role_table_grants where grantee = 'gateway_tenant' and table_schema = 'gateway' group by 1 order by 1`,
    )
    expect(granted).toEqual(SHOWN.map((table) => ({ table, rights: 'SELECT' })))
    expect(await failure(acme.query('select * from accounts'))).toContain('permission denied')
    expect(await failure(acme.query(`update users set role = 'admin'`))).toContain('permission denied')
  })
})

/** A row with something in every column that wants it. */
async function fill(db: Db, table: string, known: Record<string, string>): Promise<void> {
  const columns = await db.query<{ name: string; type: string; wanted: boolean }>(
    `select a.attname::text as name, format_type(a.atttypid, null) as type, a.attnotnull and not a.atthasdef and a.attidentity = '' as wanted
     from pg_attribute a where a.attrelid = ('gateway.' || $1)::regclass and a.attnum > 0 and not a.attisdropped`,
    [table],
  )
  const given = columns.filter(({ name, wanted }) => wanted || name in known)
  const values = given.map(({ name, type }) => known[name] ?? VALUES[type] ?? crypto.randomUUID())
  const places = given.map(({ type }, n) => `$${n + 1}::text::${type}`)
  await db.query(
    `insert into gateway.${table} (${given.map(({ name }) => `"${name}"`).join(', ')}) values (${places.join(', ')})`,
    values,
  )
}
const VALUES: Readonly<Record<string, string>> = {
  'timestamp with time zone': '2026-01-01T00:00:00Z',
  date: '2026-01-01',
  integer: '1',
  bigint: '1',
  boolean: 'false',
  'text[]': '{}',
  jsonb: '{}',
  json: '{}',
  'double precision': '1',
  'double precision[]': '{1}',
  'bigint[]': '{1}',
  'integer[]': '{1}',
  numeric: '1',
}
