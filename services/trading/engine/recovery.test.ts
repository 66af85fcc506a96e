/** Engines that die again and again over a random market, on either store, against a twin that never stopped. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { compileSpec } from '@assay/core/domain/engine/compile'
import { Replay } from '@assay/core/domain/engine/replay'
import { isRunning } from '@assay/core/domain/engine/state'
import type { AccountSpec, Command, Rule } from '@assay/core/domain/engine/types'
import { toNumber } from '@assay/core/domain/money/dec'
import { systemClock } from '@assay/core/ports/clock/system'
import type { Db } from '@assay/core/ports/db/port'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import { type TestDatabase, testDatabase } from '@assay/core/testing/database'
import { pick, randomCommand, randomMarket, randomOf, randomSpec } from '@assay/core/testing/random-world'
import { dbLeases, soleLeases } from './leases.ts'
import { memoryStore } from './memory-store.ts'
import { sqlStore } from './sql-store.ts'
import { type TestEngine, testEngine } from './testing.ts'

const EVENTS = 260
const DEATH_EVERY = 20
/** Highs that nothing but quotes moves, a lock at the first breach of the day. */
const TRAILING: Rule[] = [
  {
    rule: 'profit_target',
    pct: '50',
    basis: 'balance',
    require_flat: true,
    sticky: false,
    effect: 'gate',
  },
  {
    rule: 'max_loss',
    mode: 'intraday_equity',
    limit: { pct: '20' },
    lock: { at: 'initial', offset: '0' },
    metric: 'equity',
    compare: 'lt',
    effect: 'hard',
  },
  {
    rule: 'max_daily_loss',
    anchor: 'day_high',
    limit: { pct: '1', of: 'initial' },
    metric: 'equity',
    compare: 'lt',
    tested: 'always',
    effect: 'soft',
  },
]

let database: TestDatabase
let db: Db
beforeAll(async () => {
  database = await testDatabase()
  db = database.db.as('trading')
})
afterAll(() => database.drop())

/** Three that trail, lock, wait for latency and pause; three of any kind. */
function specsOf(random: () => number): AccountSpec[] {
  return Array.from({ length: 6 }, (_, n) => {
    const spec = randomSpec(random)
    if (n >= 3) return spec
    const latency_ms = n === 1 ? 90_000 : 0
    return { ...spec, latency_ms, phases: [{ kind: 'evaluation' as const, rules: TRAILING }] }
  })
}

const stores = { memory: () => memoryStore(), sql: () => sqlStore(db) }
test.each(['memory', 'sql'] as const)(
  'highs, locks, pending orders and pauses recover from the %s store to the state and journal of a twin that never stopped',
  async (kind) => {
    const random = randomOf(7)
    const log = createMemoryLog()
    await log.fence('main', 1)
    const twinStore = memoryStore()
    const store = stores[kind]()
    const leases = () => (kind === 'sql' ? dbLeases(db, systemClock, { id: 'home', url: null }) : soleLeases())
    const begin = () => testEngine({ store, leases: leases(), marketlog: log })
    const twin = await testEngine({ store: twinStore, marketlog: log })
    let mortal: TestEngine = await begin()
    // tells what a trader could do: the same accounts without any store
    const plain = new Replay()
    const specs = new Map(specsOf(random).map((spec, n) => [`${kind}-${n}`, spec]))
    const given = new Map<string, number>()
    const seen = { trailing: 0, locked: 0, pending: 0, paused: 0 }

    const both = async (account: string, command: Command): Promise<void> => {
      const meta = command.op === 'create' ? { spec: specs.get(account)! } : {}
      for (const each of [mortal, twin]) {
        const reply = await each.submit(account, command, meta)
        if (reply.kind !== 'answer') throw new Error(`${command.op}: ${reply.code} ${reply.detail}`)
      }
      given.set(account, (given.get(account) ?? 0) + 1)
      plain.command(account, command, given.get(account)!)
    }
    const mid = (symbol: string): number | null => {
      const quote = plain.view.symbol(symbol)?.quote
      return quote ? toNumber(quote.bid.price) : null
    }
    /** Without a word: no drain, no save, its leases stand in its own name. */
    const die = async (): Promise<void> => {
      for (const [account] of specs) {
        const { state } = plain.accounts.get(account)!
        if (state.rules.some((r) => r.high) && state.book.positions.length > 0) seen.trailing++
        if (state.lock) seen.locked++
        if (state.orders.some((o) => o.arrivesAt !== null)) seen.pending++
        if (state.status === 'paused') seen.paused++
      }
      mortal.engine.drain = async () => {}
      await mortal.close()
    }
    let dead = 0
    for (const event of randomMarket(random, EVENTS, { volatility: 0.002, pace: 60_000 })) {
      await log.append('main', 1, [event])
      plain.event(event)
      await twin.lockstep.applied(event.mseq)
      if (event.mseq % DEATH_EVERY === 0) {
        await die()
        dead = 1 + Math.floor(random() * 4)
        continue
      }
      if (dead > 0) {
        if (--dead > 0) continue
        mortal = await begin()
      }
      await mortal.lockstep.applied(event.mseq)
      if (event.mseq === 7)
        for (const [account, spec] of specs) {
          plain.add(account, compileSpec(spec))
          for (const op of ['create', 'start'] as const) await both(account, { op })
        }
      if (event.mseq > 7 && random() < 0.7) {
        const [account] = pick(random, [...specs])
        const { state } = plain.accounts.get(account)!
        if (isRunning(state)) await both(account, randomCommand(random, mid, state))
      }
    }
    if (dead > 0) mortal = await begin()
    await mortal.lockstep.applied(EVENTS)
    for (const each of [mortal, twin]) await each.close()

    const mine = await store.load([...specs.keys()])
    const other = await twinStore.load([...specs.keys()])
    const byName = (a: { account: string }, b: { account: string }) => (a.account < b.account ? -1 : 1)
    expect(mine.accounts.toSorted(byName).map(({ state, end }) => ({ state, end }))).toEqual(
      other.accounts.toSorted(byName).map(({ state, end }) => ({ state, end })),
    )
    for (const what of ['trailing', 'locked', 'pending', 'paused'] as const)
      expect([what, seen[what] > 0]).toEqual([what, true])
  },
  60_000,
)
