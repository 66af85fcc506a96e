import { afterEach, describe, expect, test } from 'bun:test'
import type { AccountSpec } from '@assay/core/domain/engine/types'
import { systemClock } from '@assay/core/ports/clock/system'
import { DbError } from '@assay/core/ports/db/port'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import { until } from '@assay/core/testing/until'
import { spec } from '@assay/core/testing/world'
import { type MemoryStore, memoryStore } from './memory-store.ts'
import type { EngineStore } from './store.ts'
import { answered, buy, kinds, quoteAt, type TestEngine, testEngine } from './testing.ts'
import type { Reply } from './types.ts'

/** 3 % a day, 6 % in all. */
const SPEC: AccountSpec = spec([
  {
    rule: 'max_daily_loss',
    anchor: 'balance',
    limit: { pct: '3', of: 'initial' },
    metric: 'equity',
    compare: 'lt',
    tested: 'always',
    effect: 'hard',
  },
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
const NOON = 1_700_000_000_000
const open: TestEngine[] = []
afterEach(async () => {
  for (const t of open.splice(0)) await t.close()
})
async function started(more: Parameters<typeof testEngine>[0] = {}): Promise<TestEngine> {
  const t = await testEngine(more)
  open.push(t)
  return t
}

async function opened(t: TestEngine, account = 'a'): Promise<void> {
  await t.submit(account, { op: 'create' }, { spec: SPEC })
  await t.submit(account, { op: 'start' })
}

describe('commands', () => {
  test('an order is answered when it is durable, with a receipt for it and its fills', async () => {
    const store = memoryStore()
    const t = await started({ store })
    await t.append(quoteAt(1, '100.00', '100.02'))
    await opened(t)
    const reply = answered(await t.submit('a', buy('10')))
    expect(reply.answer).toMatchObject({ ok: true, order: { status: 'filled', filled: '10' } })
    const { records, sealed } = store.journal('a')
    expect(records.map((r) => r.aseq)).toEqual(records.map((_, i) => i))
    expect(reply.receipt.aseq).toBe(records.at(-1)!.aseq)
    expect(reply.receipt.hash).toBe(sealed.at(-1)!.hash)
    expect(kinds(records)).toContain('fill')
  })
  test('two requests that race on one account are decided one after the other, each in its own place', async () => {
    const store = memoryStore()
    const t = await started({ store })
    await t.append(quoteAt(1, '100.00', '100.02'))
    await opened(t)
    const replies = await Promise.all([t.submit('a', buy('60000')), t.submit('a', buy('60000'))])
    const oks = replies.map((r) => answered(r).answer.ok)
    expect(oks).toEqual([true, false])
    const commands = store.journal('a').records.filter((r) => r.kind === 'command')
    expect(commands.map((c) => c.cseq)).toEqual([1, 2, 3, 4])
  })
  test('a repeated client_order_id gets the first answer and leaves no record; another body is refused', async () => {
    const store = memoryStore()
    const t = await started({ store })
    await t.append(quoteAt(1, '100.00', '100.02'))
    await opened(t)
    const first = answered(await t.submit('a', buy('10', 'x')))
    const before = store.journal('a').records.length
    const again = answered(await t.submit('a', buy('10', 'x')))
    expect(again).toMatchObject({ replayed: true, answer: first.answer, receipt: first.receipt })
    expect(await t.submit('a', buy('11', 'x'))).toMatchObject({ kind: 'refused', code: 'client_order_id_conflict' })
    expect(store.journal('a').records.length).toBe(before)
  })
  test('a repeat in the same moment waits for the first answer', async () => {
    const store = memoryStore()
    const t = await started({ store })
    await t.append(quoteAt(1, '100.00', '100.02'))
    await opened(t)
    const [first, second] = (await Promise.all([t.submit('a', buy('10', 'x')), t.submit('a', buy('10', 'x'))])).map(
      answered,
    )
    expect([first!.replayed, second!.replayed]).toEqual([false, true])
    expect(second!.answer).toEqual(first!.answer)
  })
  test('a retryable answer does not use the client_order_id up', async () => {
    const store = memoryStore()
    const t = await started({ store })
    await t.append({ kind: 'clock', ts: NOON, pos: 0, mseq: 1, mts: NOON })
    await opened(t)
    const refused = answered(await t.submit('a', buy('10', 'x')))
    expect(refused.answer).toMatchObject({ ok: false, retryable: true })
    await t.append(quoteAt(2, '100.00', '100.02'))
    expect(answered(await t.submit('a', buy('10', 'x')))).toMatchObject({ replayed: false, answer: { ok: true } })
  })
  test('an account takes 256 waiting commands and refuses the next', async () => {
    const t = await started()
    await t.append(quoteAt(1, '100.00', '100.02'))
    await opened(t)
    const replies = await Promise.all(Array.from({ length: 300 }, () => t.submit('a', { op: 'cancel_all' })))
    const refused = replies.filter((r) => r.kind === 'refused')
    expect(refused.length).toBe(300 - 257)
    expect(refused[0]).toMatchObject({ code: 'queue_full' })
  })
  test('an account that is not there is not found, a second create is refused', async () => {
    const t = await started()
    expect(await t.submit('a', { op: 'start' })).toMatchObject({ kind: 'refused', code: 'unavailable' })
    await t.append(quoteAt(1, '100.00', '100.02'))
    expect(await t.submit('nobody', { op: 'start' })).toMatchObject({ kind: 'refused', code: 'not_found' })
    await opened(t)
    expect(answered(await t.submit('a', { op: 'create' }, { spec: SPEC })).answer).toMatchObject({
      ok: false,
      code: 'conflict',
    })
  })
  test('while the disk is full, orders that add risk are refused and others pass', async () => {
    const t = await started()
    await t.append(quoteAt(1, '100.00', '100.02'))
    await opened(t)
    await t.submit('a', buy('10'))
    const { log } = t
    log.disk = () => 'reserve'
    log.recoverDisk = async () => 'reserve'
    const until = Date.now() + 3000
    let refused: Reply
    do {
      await systemClock.sleep(5)
      refused = await t.submit('a', buy('1'))
    } while (refused.kind === 'answer' && Date.now() < until)
    expect(refused).toMatchObject({ kind: 'refused', code: 'disk_full' })
    const sell = { op: 'order', symbol: 'TST/USD', side: 'sell', type: 'market', quantity: '10' } as const
    expect(answered(await t.submit('a', sell)).answer.ok).toBe(true)
  })
})

describe('market events', () => {
  test('a breach is decided at its event and committed before lockstep hears of it', async () => {
    const store = memoryStore()
    const t = await started({ store })
    await t.append(quoteAt(1, '100.00', '100.02'))
    await opened(t)
    await t.submit('a', buy('1000'))
    await t.append(quoteAt(2, '99.90', '99.92'), quoteAt(3, '97.02', '97.04'), quoteAt(4, '96.50', '96.52'))
    const verdict = store.journal('a').records.find((r) => r.kind === 'verdict')
    expect(verdict).toMatchObject({ mseq: 4, verdict: 'failed' })
    expect((await t.engine.read('a')).status).toBe('failed')
  })
  test('a verdict is sealed when the segment that holds it has ended', async () => {
    const store = memoryStore()
    const t = await started({ store })
    await t.append(quoteAt(1, '100.00', '100.02'))
    await opened(t)
    await t.submit('a', buy('10000'))
    await t.append(quoteAt(2, '96.50', '96.52'))
    expect(kinds(store.journal('a').records)).not.toContain('sealed')
    const later = 1_700_000_000_000 + 200_000
    await t.append(quoteAt(3, '96.50', '96.52', 'TST/USD', later))
    const [head] = await t.log.segments('main', 1, 2)
    expect(store.journal('a').records.find((r) => r.kind === 'sealed')).toMatchObject({ mseq: 2, log_head: head!.head })
  })
  test('the end of a lockstep run seals its verdicts', async () => {
    const store = memoryStore()
    const t = await started({ store })
    await t.append(quoteAt(1, '100.00', '100.02'))
    await opened(t)
    await t.submit('a', buy('10000'))
    await t.append(quoteAt(2, '96.50', '96.52'))
    await t.engine.seal()
    expect(kinds(store.journal('a').records)).toContain('sealed')
  })
  test('a verdict behind the last event of a sealed log is sealed with it: nothing else will come', async () => {
    const store = memoryStore()
    const t = await started({ store })
    await t.append(quoteAt(1, '100.00', '100.02'))
    await opened(t)
    await t.engine.seal()
    const [head] = await t.log.segments('main', 1, 1)
    await t.submit('a', { op: 'abandon' })
    expect(store.journal('a').records.at(-1)).toMatchObject({ kind: 'sealed', mseq: 1, log_head: head!.head })
  })
  test('a log that its feed seals at its end seals the verdicts, though no event follows', async () => {
    const store = memoryStore()
    const t = await started({ store })
    await t.append(quoteAt(1, '100.00', '100.02'))
    await opened(t)
    await t.submit('a', buy('10000'))
    await t.append(quoteAt(2, '96.50', '96.52'))
    const head = await t.log.seal('main')
    await until('the sealed record', () => kinds(store.journal('a').records).includes('sealed'))
    expect(store.journal('a').records.at(-1)).toMatchObject({ kind: 'sealed', mseq: 2, log_head: head!.head })
  })
})

describe('group commit', () => {
  test('what arrives while a commit runs goes in the next one, an account in one commit at a time', async () => {
    const store = memoryStore()
    const batches: string[][] = []
    let running = 0
    const watched: EngineStore = {
      ...store,
      async commit(batch, slots) {
        expect(++running).toBe(1)
        batches.push(batch.map((s) => s.commit.account))
        await systemClock.sleep(5)
        running--
        return store.commit(batch, slots)
      },
    }
    const t = await started({ store: watched })
    await t.append(quoteAt(1, '100.00', '100.02'))
    const accounts = Array.from({ length: 20 }, (_, i) => `g${i}`)
    await Promise.all(accounts.map((account) => opened(t, account)))
    batches.length = 0
    const first = t.submit('g0', buy('1'))
    await systemClock.sleep(1)
    const rest = [...accounts.slice(1), 'g0'].map((account) => t.submit(account, buy('1')))
    await Promise.all([first, ...rest])
    expect(batches).toEqual([['g0'], [...accounts.slice(1), 'g0']])
  })
  test('an engine in a thread of its own writes what one in this thread writes', async () => {
    const texts: string[][] = []
    for (const thread of ['inline', 'worker'] as const) {
      const store = memoryStore()
      const t = await started({ store, thread })
      await t.append(quoteAt(1, '100.00', '100.02'))
      await opened(t)
      await Promise.all([t.submit('a', buy('500')), t.submit('a', buy('300')), t.submit('a', { op: 'cancel_all' })])
      await t.append(quoteAt(2, '99.00', '99.02'), quoteAt(3, '95.00', '95.02'))
      expect((await t.engine.read('a')).status).toBe('failed')
      texts.push(store.journal('a').sealed.map((r) => r.text))
    }
    expect(texts[1]).toEqual(texts[0]!)
  })
})

describe('durability', () => {
  test('a read waits for what was decided to be durable', async () => {
    const store = memoryStore()
    const gate = Promise.withResolvers<void>()
    let held = false
    const slow: EngineStore = {
      ...store,
      commit: async (...args) => (held ? gate.promise.then(() => store.commit(...args)) : store.commit(...args)),
    }
    const t = await started({ store: slow })
    await t.append(quoteAt(1, '100.00', '100.02'))
    await opened(t)
    held = true
    const order = t.submit('a', buy('10'))
    const read = t.engine.read('a')
    expect(await Promise.race([read.then(() => 'read'), Bun.sleep(20).then(() => 'waits')])).toBe('waits')
    gate.resolve()
    await order
    expect((await read).positions[0]!.quantity).toBe('10')
  })
  test('what events cause while a commit is under way is decided at its own event', async () => {
    const store = memoryStore()
    const gate = Promise.withResolvers<void>()
    let held = false
    const slow: EngineStore = {
      ...store,
      commit: async (...args) => (held ? gate.promise.then(() => store.commit(...args)) : store.commit(...args)),
    }
    const t = await started({ store: slow })
    await t.append(quoteAt(1, '100.00', '100.02'))
    await opened(t)
    held = true
    const order = t.submit('a', buy('10000'))
    const applied = t.append(quoteAt(2, '96.50', '96.52'), quoteAt(3, '100.00', '100.02'))
    const early = await Promise.race([applied.then(() => 'applied'), Bun.sleep(20).then(() => 'waits')])
    gate.resolve()
    expect(answered(await order).answer.ok).toBe(true)
    await applied
    expect(early).toBe('waits')
    expect(store.journal('a').records.find((r) => r.kind === 'verdict')).toMatchObject({ mseq: 2 })
  })

  /** A store whose next commit goes through or not, and whose answer is lost. */
  function lossy(store: MemoryStore): { store: EngineStore; lose: (arrives: boolean) => void } {
    let next: 'arrives' | 'lost' | null = null
    return {
      lose: (arrives) => {
        next = arrives ? 'arrives' : 'lost'
      },
      store: {
        ...store,
        async commit(...args) {
          if (next === null) return store.commit(...args)
          const arrives = next === 'arrives'
          next = null
          if (arrives) await store.commit(...args)
          throw new DbError('the connection was lost', '08006', { retryable: true, outcomeUnknown: true })
        },
      },
    }
  }
  test('outcome unknown, commit arrived: the stored answer is sent, nothing is decided twice', async () => {
    const store = memoryStore()
    const { store: flaky, lose } = lossy(store)
    const t = await started({ store: flaky })
    await t.append(quoteAt(1, '100.00', '100.02'))
    await opened(t)
    lose(true)
    expect(answered(await t.submit('a', buy('10'))).answer.ok).toBe(true)
    expect(store.journal('a').records.filter((r) => r.kind === 'fill')).toHaveLength(1)
  })
  test('outcome unknown, commit lost: the command is decided again at the same stamp', async () => {
    const store = memoryStore()
    const { store: flaky, lose } = lossy(store)
    const t = await started({ store: flaky })
    await t.append(quoteAt(1, '100.00', '100.02'))
    await opened(t)
    lose(false)
    const order = t.submit('a', buy('10'))
    await t.append(quoteAt(2, '120.00', '120.02'))
    expect(answered(await order).answer.ok).toBe(true)
    const fill = store.journal('a').records.find((r) => r.kind === 'fill')
    expect(fill).toMatchObject({ mseq: 1, price: '100.02' })
    expect(
      store
        .journal('a')
        .records.filter((r) => r.kind === 'command')
        .map((c) => c.cseq),
    ).toEqual([1, 2, 3])
  })
  test('a first commit that is lost is made again', async () => {
    const store = memoryStore()
    const { store: flaky, lose } = lossy(store)
    const t = await started({ store: flaky })
    lose(false)
    expect(answered(await t.submit('a', { op: 'create' }, { spec: SPEC })).answer.ok).toBe(true)
    expect(kinds(store.journal('a').records)).toEqual(['header', 'command'])
  })
  test('an account that another writer moved is read again and its command decided on what is there', async () => {
    const store = memoryStore()
    const one = await started({ store })
    await one.append(quoteAt(1, '100.00', '100.02'))
    await opened(one)
    const two = await started({ store, marketlog: one.log })
    const [x, y] = await Promise.all([one.submit('a', buy('10')), two.submit('a', buy('20'))])
    expect([answered(x!).answer.ok, answered(y!).answer.ok]).toEqual([true, true])
    const { records } = store.journal('a')
    expect(records.map((r) => r.aseq)).toEqual(records.map((_, i) => i))
    expect((await two.engine.read('a')).positions[0]!.quantity).toBe('30')
  })
})

test('a log that lost what an account was stored at goes on above it, with a gap', async () => {
  const first = await testEngine()
  await first.append(quoteAt(1, '100', '100'), quoteAt(2, '100', '100'))
  const store = memoryStore()
  const before = await testEngine({ store, marketlog: first.log })
  await before.submit('a', { op: 'create' }, { spec: spec([]), docs: {} })
  await before.close()
  await first.close()
  const log = createMemoryLog()
  await log.fence('main', 1)
  const after = await testEngine({ store, marketlog: log })
  const lost = log.append('main', 1, [quoteAt(1, '100', '100')]).then(
    () => 'taken',
    () => 'refused',
  )
  expect(await lost).toBe('refused')
  const ts = 1_700_000_010_000
  await after.append({ kind: 'gap', ts, pos: 0, symbols: null, reason: 'power', mseq: 3, mts: ts })
  expect((await after.engine.read('a')).mseq).toBe(3)
  await after.close()
})

test('an account that nothing has woken since a restart can be read', async () => {
  const first = await testEngine()
  await first.append(quoteAt(1, '100', '100'))
  const store = memoryStore()
  const before = await testEngine({ store, marketlog: first.log })
  await before.submit('a', { op: 'create' }, { spec: spec([]), docs: {} })
  await before.close()
  const after = await testEngine({ store, marketlog: first.log })
  expect((await after.engine.read('a')).status).toBe('created')
  await after.close()
  await first.close()
})
