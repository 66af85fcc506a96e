/** A reset of many accounts through the owner: it is worked off between messages, and nobody can tell. */
import { expect, test } from 'bun:test'
import type { JournalRecord } from '@assay/core/domain/engine/types'
import { spec } from '@assay/core/testing/world'
import type { Host } from './host.ts'
import { LIVE } from './host.ts'
import { Owner } from './owner.ts'
import { quoteAt } from './testing.ts'
import type { AccountCommit } from './types.ts'

const ACCOUNTS = 300
const RULES = spec([
  {
    rule: 'max_loss',
    mode: 'static',
    limit: { pct: '10' },
    lock: null,
    metric: 'equity',
    compare: 'lt',
    effect: 'hard',
  },
])
const START = Date.parse('2024-03-04T08:00:00Z')
const RESET = Date.parse('2024-03-04T23:00:00Z')

/** An owner whose store says yes as soon as it is asked, and whose put-off work waits for `runs`. */
async function world() {
  const journals = new Map<string, JournalRecord[]>()
  const runs: (() => void)[] = []
  let applied = 0
  const commit = (commits: AccountCommit[]): void => {
    for (const c of commits) journals.set(c.account, [...(journals.get(c.account) ?? []), ...c.records])
    const results = commits.map((c) => ({
      account: c.account,
      flight: c.flight,
      outcome: 'committed' as const,
      end: { aseq: c.before.aseq + c.records.length, hash: '', events: 0 },
    }))
    queueMicrotask(() => owner.committed(results))
  }
  const host: Host = {
    commit,
    save: () => {},
    fetch: () => {},
    answerOf: async () => null,
    clientOrderIds: async () => [],
    failed: (account, error) => {
      throw new Error(`${account}: ${error}`)
    },
    applied: (mseq) => {
      applied = mseq
    },
  }
  const owner = new Owner(
    host,
    () => {},
    (run) => runs.push(run),
  )
  owner.open({ book: LIVE, start: { from: 1, carry: [], head: null }, joining: [], specs: {}, answers: {} })
  owner.feed(LIVE, { events: [quoteAt(1, '100.00', '100.00', 'TST/USD', START)], ended: [] })
  for (let i = 0; i < ACCOUNTS; i++) {
    const account = `a${String(i).padStart(4, '0')}`
    const submit = (op: 'create' | 'start') =>
      owner.submit({
        account,
        command: { op },
        commandId: `${account}${op}`,
        requestId: account,
        spec: RULES,
        docs: {},
      })
    await submit('create')
    await submit('start')
  }
  return {
    owner,
    journals,
    runs,
    days: () => [...journals.values()].filter((j) => j.some((r) => r.kind === 'day')).length,
    applied: () => applied,
  }
}

test('an event is applied only when every account has passed the reset before it', async () => {
  const { owner, runs, days, applied } = await world()
  owner.feed(LIVE, { events: [quoteAt(2, '100.00', '100.00', 'TST/USD', RESET)], ended: [] })
  await Promise.resolve()
  expect(days()).toBeLessThan(ACCOUNTS)
  while (runs.length > 0) {
    expect(applied()).toBe(1)
    runs.shift()!()
    await Promise.resolve()
  }
  expect(days()).toBe(ACCOUNTS)
  expect(applied()).toBe(2)
})
test('who reads, orders from or drains an account that has not passed a reset yet finds that it has', async () => {
  const { owner, journals, days } = await world()
  owner.feed(LIVE, { events: [quoteAt(2, '100.00', '100.00', 'TST/USD', RESET)], ended: [] })
  const last = `a${String(ACCOUNTS - 1).padStart(4, '0')}`
  const other = `a${String(ACCOUNTS - 2).padStart(4, '0')}`
  expect(await owner.read(last)).toMatchObject({ day: { k: 1, start: RESET } })
  await owner.submit({
    account: other,
    command: { op: 'order', symbol: 'TST/USD', side: 'buy', type: 'market', quantity: '1' },
    commandId: 'order',
    requestId: 'order',
  })
  const kinds = journals.get(other)!.map((r) => r.kind)
  expect(kinds.indexOf('day')).toBeLessThan(kinds.lastIndexOf('command'))
  await owner.drain()
  expect(days()).toBe(ACCOUNTS)
})
