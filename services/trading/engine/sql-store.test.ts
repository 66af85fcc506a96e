import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { topicNamed } from '@assay/core/contracts/topics/catalog'
import type { AccountSpec } from '@assay/core/domain/engine/types'
import { systemClock } from '@assay/core/ports/clock/system'
import type { Db } from '@assay/core/ports/db/port'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases, type TestDatabase } from '@assay/core/testing/database'
import { maxDailyLoss } from '@assay/core/testing/rules'
import { spec } from '@assay/core/testing/world'
import { dbLeases, type Leases, soleLeases } from './leases.ts'
import { memoryStore } from './memory-store.ts'
import { writeState } from './seal.ts'
import { slotOf } from './slots.ts'
import { sqlStore } from './sql-store.ts'
import { quoteAt, type TestEngine, testEngine } from './testing.ts'
import type { Reply } from './types.ts'

const SPEC: AccountSpec = spec([maxDailyLoss({ pct: '3', of: 'initial' })])
const order = (side: 'buy' | 'sell', quantity: string, more: Record<string, string> = {}) =>
  ({ op: 'order', symbol: 'TST/USD', side, type: 'market', quantity, ...more }) as const

describeAdapters('the SQL store', databases, (openDatabase) => {
  let database: TestDatabase
  let db: Db
  const open: TestEngine[] = []
  beforeAll(async () => {
    database = await openDatabase()
    db = database.db.as('trading')
  })
  afterAll(() => database.drop())
  afterEach(async () => {
    for (const t of open.splice(0)) await t.close()
    // the next test has a log of its own: no account of this one may stand in it, or above it
    await db.query(`update trading.account set mseq = 0, status = 'abandoned', exposed = false`)
  })

  let names = 0
  const fresh = (): string => `acc-${++names}`
  async function started(
    owner = 'test',
    more: Parameters<typeof testEngine>[0] = {},
  ): Promise<TestEngine & { leases: Leases }> {
    const leases = dbLeases(db, systemClock, { id: owner, url: null })
    const t = await testEngine({ store: sqlStore(db), leases, ...more })
    open.push(t)
    return { ...t, leases }
  }
  async function opened(t: TestEngine, account: string): Promise<void> {
    for (const [op, meta] of [
      ['create', { spec: SPEC }],
      ['start', {}],
    ] as const) {
      const reply = await t.submit(account, { op }, meta)
      if (reply.kind !== 'answer' || !reply.answer.ok) throw new Error(JSON.stringify(reply))
    }
  }
  const answered = (reply: Reply) => {
    if (reply.kind !== 'answer') throw new Error(`refused: ${reply.code}`)
    return reply
  }
  const one = async (sql: string, ...params: (string | number)[]) => (await db.query(sql, params))[0]!

  describe('a commit', () => {
    test('writes every projection of its records, balanced, with answer, receipt and outbox', async () => {
      const t = await started()
      const account = fresh()
      await t.append(quoteAt(1, '100.00', '100.02'))
      await opened(t, account)
      const reply = answered(await t.submit(account, order('buy', '10', { client_order_id: 'x' })))
      await t.submit(account, order('sell', '4'))
      await t.submit(account, {
        op: 'order',
        symbol: 'TST/USD',
        side: 'buy',
        type: 'limit',
        quantity: '5',
        price: '99.00',
        time_in_force: 'gtc',
      })
      await t.append(quoteAt(2, '98.90', '98.92'))
      await t.append(quoteAt(3, '50.00', '50.02'), quoteAt(4, '10.00', '10.02'))

      const row = await one('select * from trading.account where account = $1', account)
      const journal = await db.query<{ aseq: string; kind: string; record: string; hash: string }>(
        'select aseq, kind, record, hash from trading.journal where account = $1 order by aseq',
        [account],
      )
      expect(journal.map((j) => Number(j.aseq))).toEqual(journal.map((_, i) => i))
      expect(row).toMatchObject({ aseq: String(journal.length), hash: journal.at(-1)!.hash })
      expect(await one('select quantity, cost from trading.positions where account = $1', account)).toMatchObject({
        quantity: '11',
      })
      const orders = await db.query(
        'select order_id, status, filled from trading.orders where account = $1 order by aseq',
        [account],
      )
      expect(orders.map((o) => [o.status, o.filled])).toEqual([
        ['filled', '10'],
        ['filled', '4'],
        ['filled', '5'],
      ])
      const stored = await one(
        `select c.record::json -> 'answer' as answer, s.receipt from trading.journal c
       join trading.journal s on s.account = c.account and s.aseq = c.sealed_aseq where c.account = $1 and c.client_order_id = $2`,
        account,
        'x',
      )
      expect(stored).toEqual({ answer: reply.answer, receipt: reply.receipt } as never)
      const cash = await one(
        `select sum(amount) as cash from trading.ledger_entry where account = $1 and ledger = 'account:cash'`,
        account,
      )
      expect((row.state as { book: { balance: string } }).book.balance).toBe(String(Number(cash.cash)))
      const outbox = await database.db.query<{ aggregate_seq: string; topic: string; data: unknown }>(
        'select aggregate_seq, topic, data from bus.outbox where aggregate = $1 order by aggregate_seq',
        [account],
      )
      expect(outbox.map((o) => Number(o.aggregate_seq))).toEqual(outbox.map((_, i) => i + 1))
      for (const { topic, data } of outbox) topicNamed(topic).schema.parse(data)
      expect(outbox.map((o) => o.topic)).toContain('trading.position-changed')
    })
  })

  describe('the ledger', () => {
    const insert = (account: string, lines: [number, string, string][]) =>
      db.query(
        `insert into trading.ledger_entry (account, aseq, line, ledger, currency, amount)
       select $1, 1, l, 'account:cash', c, a from unnest($2::integer[], $3::text[], $4::numeric[]) as r(l, c, a)`,
        [account, lines.map((l) => l[0]), lines.map((l) => l[1]), lines.map((l) => l[2])],
      )
    const refusal = (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => 'taken',
        (error) => error.options.constraint,
      )

    test('refuses a transaction that is off by one cent, or balances only across currencies', async () => {
      expect(
        await refusal(
          insert(fresh(), [
            [0, 'USD', '10.00'],
            [1, 'USD', '-9.99'],
          ]),
        ),
      ).toBe('ledger_balanced')
      expect(
        await refusal(
          insert(fresh(), [
            [0, 'USD', '10.00'],
            [1, 'EUR', '-10.00'],
          ]),
        ),
      ).toBe('ledger_balanced')
      expect(
        await refusal(
          insert(fresh(), [
            [0, 'USD', '10.00'],
            [1, 'USD', '-10.00'],
            [2, 'EUR', '1'],
            [3, 'EUR', '-1'],
          ]),
        ),
      ).toBe('taken')
    })
    test('refuses a line added to a transaction that balanced', async () => {
      const account = fresh()
      await insert(account, [
        [0, 'USD', '10.00'],
        [1, 'USD', '-10.00'],
      ])
      expect(await refusal(insert(account, [[2, 'USD', '0.01']]))).toBe('ledger_balanced')
    })
    test('takes a transaction whose lines come one by one and balance when it commits', async () => {
      const account = fresh()
      await database.db.as('trading').tx(async (sql) => {
        for (const [line, amount] of [
          [0, '5'],
          [1, '-2'],
          [2, '-3'],
        ] as const) {
          await sql.query(
            `insert into trading.ledger_entry (account, aseq, line, ledger, currency, amount) values ($1, 1, $2, 'account:cash', 'USD', $3)`,
            [account, line, amount],
          )
        }
      })
      expect((await one('select sum(amount) as s from trading.ledger_entry where account = $1', account)).s).toBe('0')
    })
    test('what was booked, and the journal, cannot be changed or removed', async () => {
      const account = fresh()
      await insert(account, [
        [0, 'USD', '10.00'],
        [1, 'USD', '-10.00'],
      ])
      expect(
        await refusal(db.query('update trading.ledger_entry set amount = amount where account = $1', [account])),
      ).toBe('ledger_entry_append_only')
      expect(await refusal(db.query('delete from trading.ledger_entry where account = $1', [account]))).toBe(
        'ledger_entry_append_only',
      )
      expect(await refusal(db.query('delete from trading.journal'))).toBe('journal_append_only')
    })
  })

  describe('ownership', () => {
    test('a commit that starts where its account does not stand any more is left out', async () => {
      const inner = sqlStore(db)
      const seen: Parameters<typeof inner.commit>[] = []
      const t = await started('test', {
        store: {
          ...inner,
          commit(...batch) {
            seen.push(batch)
            return inner.commit(...batch)
          },
        },
      })
      const account = fresh()
      await t.append(quoteAt(1, '100.00', '100.02'))
      await opened(t, account)
      await t.submit(account, order('buy', '1'))
      const before = await one('select aseq, hash, state_hash from trading.account where account = $1', account)
      for (const batch of seen) {
        const late = await inner.commit(...batch)
        expect([...late.committed]).toEqual([])
        expect([...late.held]).toEqual([slotOf(account)])
      }
      expect(await one('select aseq, hash, state_hash from trading.account where account = $1', account)).toEqual(
        before,
      )
    })

    test.each(['sql', 'memory'] as const)(
      'a save that comes late changes nothing: after a newer one, after a record, under an old epoch (%s)',
      async (kind) => {
        const store = kind === 'sql' ? sqlStore(db) : memoryStore()
        const t = await started('test', { store, ...(kind === 'memory' ? { leases: soleLeases() } : {}) })
        const account = fresh()
        await t.append(quoteAt(1, '100.00', '100.02'))
        await opened(t, account)
        await t.submit(account, order('buy', '1'))
        await t.append(quoteAt(2, '100.50', '100.52'))
        const slot = slotOf(account)
        const epoch = kind === 'sql' ? t.leases.epochOf(slot)! : 1
        const read = async () => (await store.load([account])).accounts[0]!
        const { state, end, deadline } = await read()
        /** what an engine has that stood at `mseq` and thinks that 7 commands were taken */
        const save = async (mseq: number, { aseq = end.aseq, cseq = 7, under = [{ slot, epoch }] } = {}) => {
          const moved = { ...state, mseq, cseq }
          await store.save([{ account, slot, aseq, deadline, state: moved, text: writeState(moved) }], under)
          const now = await read()
          return [now.state.mseq, now.state.cseq]
        }
        expect(await save(2)).toEqual([2, 7])
        expect(await save(1, { cseq: 8 })).toEqual([2, 7])
        expect(await save(3, { cseq: 8, aseq: end.aseq - 1 })).toEqual([2, 7])
        expect(await save(3, { cseq: 8, under: kind === 'sql' ? [{ slot, epoch: epoch - 1 }] : [] })).toEqual([2, 7])
        expect(await save(3, { cseq: 8 })).toEqual([3, 8])
      },
    )

    test('a slot whose epoch rose drops out of the commit; accounts of other slots go on', async () => {
      const t = await started()
      await t.append(quoteAt(1, '100.00', '100.02'))
      const [stays, moves] = [fresh(), fresh()]
      expect(slotOf(stays)).not.toBe(slotOf(moves))
      await opened(t, stays)
      await opened(t, moves)
      await db.query(
        `update trading.slot set epoch = epoch + 1, owner = 'other', expires_at = now() + interval '1 hour' where slot = $1`,
        [slotOf(moves)],
      )
      const [a, b] = await Promise.all([t.submit(stays, order('buy', '10')), t.submit(moves, order('buy', '10'))])
      expect(answered(a!).answer.ok).toBe(true)
      expect(b).toMatchObject({ kind: 'refused', code: 'unavailable' })
      expect(await one('select count(*)::int as n from trading.fills where account = $1', moves)).toEqual({ n: 0 })
      await db.query(`update trading.slot set owner = null, expires_at = '-infinity'`)
    })
    test('a lease that ran out is taken over under a higher epoch, one that stands is not', async () => {
      const first = dbLeases(db, systemClock, { id: 'first', url: null })
      const second = dbLeases(db, systemClock, { id: 'second', url: null })
      expect((await first.acquire()).length).toBe(64)
      const epoch = first.epochOf(0)!
      expect(await second.acquire()).toEqual([])
      await db.query(`update trading.slot set expires_at = now() - interval '1 second' where slot < 3`)
      await second.look()
      expect((await second.acquire()).sort()).toEqual([0, 1, 2])
      expect(second.epochOf(0)).toBe(epoch + 1)
      expect((await first.renew()).sort()).toEqual([0, 1, 2])
      expect(first.serves(0)).toBe(false)
      await first.release()
      await second.release()
    })
  })

  describe('recovery', () => {
    test.each([
      ['started', '99.00', '99.02'],
      ['failed', '5.00', '5.02'],
    ])(
      'an engine that stopped at any moment ends in the state and journal of a twin that never stopped: %s',
      async (status, bid, ask) => {
        const log = createMemoryLog()
        await log.fence('main', 1)
        const account = fresh()
        const twinStore = memoryStore()
        const twin = await testEngine({ store: twinStore, marketlog: log })
        open.push(twin)
        let mseq = 0
        const move = async (t: TestEngine, bid: string, ask: string): Promise<void> => {
          mseq++
          await log.append('main', 1, [quoteAt(mseq, bid, ask)])
          for (const each of [t, twin]) await each.lockstep.applied(mseq)
        }
        const both = async (t: TestEngine, command: Parameters<TestEngine['submit']>[1], meta = {}): Promise<void> => {
          for (const each of [t, twin]) await each.submit(account, command, meta)
        }
        let t = await started('home', { marketlog: log })
        await move(t, '100.00', '100.02')
        await both(t, { op: 'create' }, { spec: SPEC })
        await both(t, { op: 'start' })
        for (let round = 0; round < 4; round++) {
          await both(t, order('buy', '100'))
          await both(t, {
            op: 'order',
            symbol: 'TST/USD',
            side: 'sell',
            type: 'limit',
            quantity: '50',
            price: `${101 + round}.00`,
            time_in_force: 'gtc',
          })
          await move(t, '100.50', '100.52')
          // dies without a word: no drain, no save, its leases stand in its own name
          const dead = open.pop()!
          dead.engine.drain = async () => {}
          await dead.close()
          await log.append('main', 1, [quoteAt(++mseq, `${101 + round}.10`, `${101 + round}.12`)])
          await twin.lockstep.applied(mseq)
          t = await started('home', { marketlog: log })
          await move(t, '100.00', '100.02')
        }
        await move(t, bid, ask)
        // a state is stored with each record, and now and then between them: at the end both stand at one place
        for (const each of [open.pop()!, twin]) await each.close()
        const mine = await db.query<{ record: string }>(
          'select record from trading.journal where account = $1 order by aseq',
          [account],
        )
        expect(mine.map((r) => r.record)).toEqual(twinStore.journal(account).sealed.map((r) => r.text))
        const stored = await one('select status, mseq, state_hash from trading.account where account = $1', account)
        const { state } = (await twinStore.load([account])).accounts[0]!
        expect(stored).toEqual({ status, mseq: String(mseq), state_hash: twinStore.stateHash(account) })
        expect([state.status, state.mseq]).toEqual([status, mseq])
      },
    )
    test('a client_order_id is remembered over a restart', async () => {
      const log = createMemoryLog()
      await log.fence('main', 1)
      const account = fresh()
      const first = await started('home', { marketlog: log })
      await first.append(quoteAt(1, '100.00', '100.02'))
      await opened(first, account)
      const before = answered(await first.submit(account, order('buy', '10', { client_order_id: 'x' })))
      await open.pop()!.close()
      const second = await started('home', { marketlog: log })
      expect(answered(await second.submit(account, order('buy', '10', { client_order_id: 'x' })))).toMatchObject({
        replayed: true,
        answer: before.answer,
      })
      expect(await second.submit(account, order('buy', '11', { client_order_id: 'x' }))).toMatchObject({
        code: 'client_order_id_conflict',
      })
    })
    test('a state that is not the one that was written is not served', async () => {
      const log = createMemoryLog()
      await log.fence('main', 1)
      const account = fresh()
      const t = await started('home', { marketlog: log })
      await t.append(quoteAt(1, '100.00', '100.02'))
      await t.submit(account, { op: 'create' }, { spec: SPEC })
      await open.pop()!.close()
      await db.query(
        `update trading.account set state = jsonb_set(state::jsonb, '{cseq}', '7')::json where account = $1`,
        [account],
      )
      const again = await started('home', { marketlog: log })
      expect(await again.submit(account, { op: 'start' })).toMatchObject({ kind: 'refused', code: 'unavailable' })
    })
  })
})
