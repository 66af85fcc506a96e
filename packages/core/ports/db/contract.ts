import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { binaryArray } from './binary-array.ts'
import type { Db } from './port.ts'

/** What every database adapter guarantees. `open` gives a migrated database. */
export function dbContract(open: () => Promise<{ db: Db; drop: () => Promise<void> }>): void {
  let db: Db
  let drop: () => Promise<void>
  beforeAll(async () => {
    ;({ db, drop } = await open())
    await db.script(`create table trading.thing (id integer primary key, note text, check (id < 1000));
      create table trading.part (thing integer references trading.thing deferrable initially deferred)`)
  })
  afterAll(() => drop())
  const ids = async () =>
    (await db.query<{ id: number }>('select id from trading.thing order by id')).map(({ id }) => id)
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error) => error,
    )

  test('a connection keeps 200 statements prepared, those used last', async () => {
    const often = 'select 1 as often'
    for (let n = 0; n < 230; n++) {
      await db.query(`select ${n} as seldom`)
      await db.query(often)
    }
    const kept = (
      await db.query<{ statement: string }>('select statement from pg_prepared_statements order by prepare_time')
    ).map(({ statement }) => statement)
    expect(kept.length).toBeLessThanOrEqual(201)
    expect(kept).toContain('select 229 as seldom')
    expect(kept).not.toContain('select 5 as seldom')
    // never prepared anew
    expect(kept.indexOf(often)).toBeLessThan(kept.findIndex((statement) => statement.endsWith('as seldom')))
    expect(kept).toContain(often)
  })

  describe('values', () => {
    test('numeric and int8 come back as text, to the last digit', async () => {
      const [row] = await db.query(`select 9007199254740993::int8 as i, 0.1234567890123456789::numeric as n,
        array[1.10, null]::numeric[] as ns, array[9007199254740993]::int8[] as "is"`)
      expect(row).toEqual({
        i: '9007199254740993',
        n: '0.1234567890123456789',
        ns: ['1.10', null],
        is: ['9007199254740993'],
      })
    })
    test('jsonb comes back parsed, timestamptz as Date, bytes as bytes, null as null', async () => {
      const at = new Date('2026-03-29T01:30:00.123Z')
      const [row] = await db.query(
        'select $1::jsonb as j, $2::timestamptz as t, $3::bytea as b, $4::text as n, $5::boolean as f',
        ['{"a":[1,"x"]}', at, new Uint8Array([0, 255, 92]), null, false],
      )
      expect(row).toEqual({ j: { a: [1, 'x'] }, t: at, b: new Uint8Array([0, 255, 92]), n: null, f: false })
    })
    test('an array parameter keeps every text', async () => {
      const texts = [
        '',
        'plain',
        'NULL',
        'null',
        'a,b',
        '{x}',
        'q"q',
        'back\\slash',
        'two words',
        'line\nbreak',
        'é😀',
        null,
      ]
      const [row] = await db.query('select $1::text[] as texts', [texts])
      expect(row).toEqual({ texts })
      const [binary] = await db.query('select $1::text[] as texts', [binaryArray('text', texts)])
      expect(binary).toEqual({ texts })
    })
    test('an array parameter in binary form is the one in text', async () => {
      const id = '01890a5d-ac96-774b-bcce-b302099a8057'
      const [row] = await db.query(
        'select $1::bigint[] as big, $2::integer[] as small, $3::boolean[] as yes, $4::uuid[]::text[] as ids, $5::json[]::text[] as docs',
        [
          binaryArray('bigint', [-1, 2 ** 53 - 1, null]),
          binaryArray('integer', [-7, 7]),
          binaryArray('boolean', [true, false, null]),
          binaryArray('uuid', [id]),
          binaryArray('json', ['{"a": "é"}', null]),
        ],
      )
      expect(row).toEqual({
        big: ['-1', '9007199254740991', null],
        small: [-7, 7],
        yes: [true, false, null],
        ids: [id],
        docs: ['{"a": "é"}', null],
      })
    })
    test('a large array in binary form arrives whole', async () => {
      const texts = Array.from({ length: 3000 }, (_, i) => 'x€'.repeat(i % 100))
      const [row] = await db.query('select $1::text[] = $2::text[] as same', [texts, binaryArray('text', texts)])
      expect(row).toEqual({ same: true })
    })
    test('a megabyte goes in and out', async () => {
      const text = 'x'.repeat(3_000_000)
      expect(await db.query('select $1::text as text', [text])).toEqual([{ text }])
    })
  })

  describe('batch', () => {
    test('answers the rows of each statement', async () => {
      expect(
        await db.batch([
          { sql: 'select 1 as a' },
          { sql: 'select 2 as b where false' },
          { sql: 'select $1::int as c', params: [3] },
        ]),
      ).toEqual([[{ a: 1 }], [], [{ c: 3 }]])
    })
    test('is one transaction: what fails last undoes what was done first', async () => {
      const error = await failure(
        db.batch([
          { sql: 'insert into trading.thing values (900)' },
          { sql: 'insert into trading.thing values ($1)', params: [900] },
        ]),
      )
      expect([error.name, error.code, error.options.constraint]).toEqual(['DbError', '23505', 'thing_pkey'])
      expect(await ids()).not.toContain(900)
    })
    test('a constraint that is checked at the end fails the batch', async () => {
      expect((await failure(db.batch([{ sql: 'insert into trading.part values (999)' }]))).code).toBe('23503')
    })
    test('the same statement works again after it failed', async () => {
      const insert = (id: number) =>
        db.batch([{ sql: 'insert into trading.thing (id, note) values ($1, $2)', params: [id, 'again'] }])
      expect((await failure(insert(1000))).code).toBe('23514')
      await insert(901)
      expect((await failure(insert(901))).code).toBe('23505')
      await insert(902)
    })
  })

  describe('tx', () => {
    test('commits what it did', async () => {
      const n = await db.tx(async (sql) => {
        await sql.query('insert into trading.thing values (1)')
        return (await sql.query('select * from trading.thing where id = 1')).length
      })
      expect(n).toBe(1)
      expect(await ids()).toContain(1)
    })
    test('rolls back when the function throws', async () => {
      const error = await failure(
        db.tx(async (sql) => {
          await sql.query('insert into trading.thing values (2)')
          throw new Error('no')
        }),
      )
      expect(error.message).toBe('no')
      expect(await ids()).not.toContain(2)
    })
    test('a failure that the function swallows is thrown at the end: nothing is half done', async () => {
      const error = await failure(
        db.tx(async (sql) => {
          await sql.query('insert into trading.thing values (3)')
          await sql.query('insert into trading.thing values (3)').catch(() => {})
        }),
      )
      expect(error.code).toBe('23505')
      expect(await ids()).not.toContain(3)
    })
    test('a deferred constraint fails the commit', async () => {
      const error = await failure(db.tx((sql) => sql.query('insert into trading.part values (998)')))
      expect(error.code).toBe('23503')
    })
    test('sees nothing of, and is not seen by, statements that run beside it', async () => {
      const seen: number[] = []
      let beside: Promise<unknown> = Promise.resolve()
      await db.tx(async (sql) => {
        await sql.query('insert into trading.thing values (4)')
        beside = db
          .as('trading')
          .query('select count(*)::int as n from trading.thing where id = 4')
          .then(([row]) => seen.push(row!.n as number))
        await sql.query('delete from trading.thing where id = 4')
      })
      await beside
      expect(seen).toEqual([0])
    })
    test('its handle is refused when it has ended', async () => {
      let kept: { query(sql: string): Promise<unknown> } | undefined
      await db.tx(async (sql) => {
        kept = sql
      })
      expect((await failure(kept!.query('select 1'))).code).toBe('25P01')
    })
  })

  describe('watch', () => {
    test("tells of this process's commits that name the table, under any role, and of nothing that was rolled back", async () => {
      let heard = 0
      const stop = db.watch('trading.thing', () => heard++)
      await db.query('insert into trading.thing values (20)')
      await db.as('trading').tx((sql) => sql.query('insert into trading.thing values (21)'))
      expect(heard).toBe(2)
      await failure(db.query('insert into trading.thing values (20)'))
      await failure(
        db.tx(async (sql) => {
          await sql.query('insert into trading.thing values (22)')
          throw new Error('no')
        }),
      )
      await db.query('select 1')
      stop()
      await db.query('delete from trading.thing where id = 21')
      expect(heard).toBe(2)
    })
  })

  describe('roles', () => {
    test("a service reads and writes its own schema, found without the schema's name", async () => {
      await db.as('trading').query('insert into thing values (10)')
      expect(await db.as('trading').query('select current_user::text as me, id from thing where id = 10')).toEqual([
        { me: 'trading', id: 10 },
      ])
    })
    test("the server refuses another service's schema, in a query, a transaction, a batch and through Prisma", async () => {
      const gateway = db.as('gateway')
      const theft = 'select * from trading.thing'
      expect((await failure(gateway.query(theft))).code).toBe('42501')
      expect((await failure(gateway.tx((sql) => sql.query(theft)))).code).toBe('42501')
      expect((await failure(gateway.batch([{ sql: theft }]))).code).toBe('42501')
      expect((await failure(gateway.prisma.$queryRawUnsafe(theft))).message).toContain('42501')
    })
    test('every service may add to the outbox and nobody but the bus reads it', async () => {
      const add = `insert into bus.outbox (aggregate, aggregate_seq, id, topic, key, producer, data) values ($1, 1, $2, 't', 'k', 'test', '{}')`
      for (const role of ['gateway', 'market_data', 'trading']) {
        await db.as(role).query(add, [role, crypto.randomUUID()])
        expect((await failure(db.as(role).query('select * from bus.outbox'))).code).toBe('42501')
      }
      expect(await db.as('bus').query('delete from bus.outbox returning aggregate')).toHaveLength(3)
    })
    describe('a service that acts for a tenant', () => {
      const acts = "select current_user::text as me, current_setting('assay.tenant', true) as tenant"
      const acme = { me: 'trading_tenant', tenant: 'acme' }
      beforeAll(() =>
        db.script(
          'grant select, insert on trading.thing to trading_tenant; grant select on bus.inbox to trading_tenant',
        ),
      )
      test('is that in a query, every statement of a batch, a transaction, its scripts and Prisma', async () => {
        const narrowed = db.as('trading').forTenant('acme')
        expect(await narrowed.query(acts)).toEqual([acme])
        expect(await narrowed.batch([{ sql: acts }, { sql: acts }])).toEqual([[acme], [acme]])
        await narrowed.script("insert into trading.thing select 60 where current_user = 'trading_tenant'")
        const inside = await narrowed.tx(async (sql) => {
          await sql.script("insert into trading.thing select 61 where current_user = 'trading_tenant'")
          return sql.query(acts)
        })
        expect(inside).toEqual([acme])
        expect(await ids()).toEqual(expect.arrayContaining([60, 61]))
        expect(await narrowed.prisma.$queryRawUnsafe(acts)).toEqual([acme])
      })
      test('is the service again afterwards, also after an error', async () => {
        const service = db.as('trading')
        const narrowed = service.forTenant('acme')
        expect((await failure(narrowed.query('select 1 / 0'))).code).toBe('22012')
        await failure(narrowed.tx((sql) => sql.query('select 1 / 0')))
        for (let n = 0; n < 8; n++) {
          await narrowed.query('select 1')
          const [row] = await service.query<{ me: string; tenant: string | null }>(acts)
          expect([row!.me, row!.tenant || null]).toEqual(['trading', null])
        }
      })
      test('a tenant is its name and never SQL; the owner of everything acts for none', async () => {
        const name = `x', true); reset role; --`
        expect(await db.as('trading').forTenant(name).query(acts)).toEqual([{ me: 'trading_tenant', tenant: name }])
        expect(() => db.forTenant('acme')).toThrow('Only a service')
      })
    })
    test('an unknown role is an error, and the next caller is not disturbed', async () => {
      expect((await failure(db.as('nobody').query('select 1'))).code).toMatch(/^(22023|28000)$/)
      expect(await db.query('select 1 as one')).toEqual([{ one: 1 }])
    })
    test('Prisma does its CRUD and transactions as the role', async () => {
      const { prisma } = db.as('bus')
      const id = crypto.randomUUID()
      await prisma.$transaction(async (tx) => {
        await tx.inbox.create({ data: { group: 'contract', id } })
      })
      await failure(
        prisma.$transaction(async (tx) => {
          await tx.inbox.create({ data: { group: 'contract', id: crypto.randomUUID() } })
          throw new Error('undo')
        }),
      )
      expect((await prisma.inbox.findMany({ where: { group: 'contract' } })).map((row) => row.id)).toEqual([id])
      expect((await failure(prisma.inbox.create({ data: { group: 'contract', id } }))).code).toBe('P2002')
    })
  })
}
