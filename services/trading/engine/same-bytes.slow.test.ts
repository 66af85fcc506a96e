/** One recording and one command list: by one owner in memory, and by three replicas that come, drain and die. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { compileSpec } from '@assay/core/domain/engine/compile'
import { Replay } from '@assay/core/domain/engine/replay'
import { isRunning } from '@assay/core/domain/engine/state'
import type { AccountSpec, Command } from '@assay/core/domain/engine/types'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { toNumber } from '@assay/core/domain/money/dec'
import { systemClock } from '@assay/core/ports/clock/system'
import type { Db } from '@assay/core/ports/db/port'
import type { Lockstep } from '@assay/core/ports/marketlog/lockstep'
import { createDbLockstep } from '@assay/core/ports/marketlog/lockstep-db'
import { createLockstep } from '@assay/core/ports/marketlog/lockstep-memory'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import { type TestDatabase, testDatabase } from '@assay/core/testing/database'
import { randomCommand, randomMarket, randomOf, randomSpec } from '@assay/core/testing/random-world'
import { openReplicas } from '../testing/replicas.ts'
import { memoryStore } from './memory-store.ts'
import { slotOf } from './slots.ts'
import { type TestEngine, testEngine } from './testing.ts'
import type { CommandMeta, Reply } from './types.ts'

const EVENTS = 5000
const COMMAND_EVERY = 10
const ACCOUNTS = 48

interface Listed {
  /** given behind this event */
  after: number
  account: string
  command: Command
  meta: Partial<CommandMeta>
}
interface Run {
  events: readonly MarketEvent[]
  commands: readonly Listed[]
}
/** A market, and commands that a trader who sees it could give. */
function makeRun(seed: number): Run {
  const random = randomOf(seed)
  const events = [...randomMarket(random, EVENTS, { volatility: 0.002, pace: 20_000 })]
  const specs = new Map<string, AccountSpec>()
  const slots = new Set<number>()
  for (let n = 0; specs.size < ACCOUNTS; n++) {
    const account = `bytes-${n}`
    if (!slots.has(slotOf(account))) specs.set(account, randomSpec(random))
    slots.add(slotOf(account))
  }
  const accounts = [...specs.keys()]
  const plain = new Replay()
  const given = new Map<string, number>()
  const commands: Listed[] = []
  const give = (after: number, account: string, command: Command): void => {
    const meta = { after, ...(command.op === 'create' && { spec: specs.get(account)! }) }
    given.set(account, (given.get(account) ?? 0) + 1)
    commands.push({ after, account, command, meta })
    plain.command(account, command, given.get(account)!)
  }
  const mid = (symbol: string): number | null => {
    const quote = plain.view.symbol(symbol)?.quote
    return quote ? toNumber(quote.bid.price) : null
  }
  for (const event of events) {
    plain.event(event)
    if (event.mseq === 10)
      for (const account of accounts) {
        plain.add(account, compileSpec(specs.get(account)!))
        for (const op of ['create', 'start'] as const) give(event.mseq, account, { op })
      }
    if (event.mseq <= 10 || event.mseq % COMMAND_EVERY !== 0) continue
    const account = accounts[Math.floor(random() * accounts.length)]!
    const { state } = plain.accounts.get(account)!
    if (isRunning(state)) give(event.mseq, account, randomCommand(random, mid, state))
  }
  return { events, commands }
}

interface Platform {
  marketlog: MarketLog
  /** as the sequencer and the driver have it */
  sequencer: Lockstep
  client: Lockstep
  submit: (listed: Listed, id: string) => Promise<Reply>
  /** before an event is given to the log */
  before?: (mseq: number) => Promise<void>
}
/** Plays it in lockstep: each event when it may be released, each command behind its event. */
async function play({ events, commands }: Run, platform: Platform): Promise<void> {
  const { marketlog, sequencer, client, submit } = platform
  const driver = client.join('driver', 'client')
  const sequencing = async () => {
    await sequencer.driven()
    for (let at = 0; at < events.length; ) {
      await platform.before?.(events[at]!.mseq)
      await sequencer.released(events[at]!.mseq)
      const ceiling = sequencer.ceiling()
      const batch = events.slice(at, at + 64).filter((event) => event.mseq <= ceiling)
      await marketlog.append('main', 1, batch)
      at += batch.length
    }
  }
  const driving = async () => {
    for (let next = 0; next < commands.length; ) {
      const { after } = commands[next]!
      driver.report(after - 1)
      await client.applied(after)
      for (; commands[next]?.after === after; next++) {
        const reply = await submit(commands[next]!, `command-${next}`)
        if (reply.kind !== 'answer') throw new Error(`${commands[next]!.command.op}: ${reply.code} ${reply.detail}`)
      }
    }
    driver.report(events.length)
    await client.applied(events.length)
  }
  await Promise.all([sequencing(), driving()])
  driver.leave()
}

let database: TestDatabase
let db: Db
beforeAll(async () => {
  database = await testDatabase()
  db = database.db.as('trading')
}, 20_000)
afterAll(() => database.drop(), 20_000)

test('Same bytes: one owner in memory, and three replicas that start, drain and die meanwhile, write the same journals', async () => {
  const run = makeRun(11)
  expect(run.commands.length).toBeGreaterThan(400)

  const alone = createMemoryLog()
  await alone.fence('main', 1, true)
  const store = memoryStore()
  const lockstep = createLockstep('main', systemClock)
  const embedded = await testEngine({ store, marketlog: alone, lockstep })
  await play(run, {
    marketlog: alone,
    sequencer: lockstep,
    client: lockstep,
    submit: ({ account, command, meta }, commandId) => embedded.submit(account, command, { ...meta, commandId }),
  })
  await embedded.engine.seal()
  await embedded.close()

  const marketlog = createMemoryLog()
  await marketlog.fence('main', 1, true)
  const between = () => createDbLockstep('main', { db: database.db, clock: systemClock, log: { warn() {} } })
  const cluster = openReplicas({ db, marketlog, lockstep: between })
  for (const name of ['a', 'b', 'c']) await cluster.start(name)
  await cluster.balanced()
  const first = await epochs()
  let names = 0
  let asked = 0
  const entrance = (): TestEngine => [...cluster.all.values()][asked++ % cluster.all.size]!
  const oldest = () => [...cluster.all.values()][0]!
  const replace = async (end: (name: string) => Promise<void>) => {
    const { name } = oldest()
    await Promise.all([end(name), cluster.start(`next-${++names}`)])
  }
  await play(run, {
    marketlog,
    sequencer: between(),
    client: between(),
    submit: ({ account, command, meta }, commandId) => entrance().submit(account, command, { ...meta, commandId }),
    async before(mseq) {
      // between two events, while what they caused is under way
      if (mseq % 700 === 350) await replace((name) => cluster.all.get(name)!.kill())
      else if (mseq % 700 === 0) await replace((name) => cluster.all.get(name)!.drain())
    },
  })
  await cluster.balanced()
  const last = await epochs()
  for (const [slot, epoch] of last) expect(epoch).toBeGreaterThan(first.get(slot)!)
  await marketlog.seal('main')
  await sealed()
  await cluster.close()

  for (const account of store.accounts()) {
    const rows = await db.query<{ record: string; hash: string }>(
      'select record, hash from trading.journal where account = $1 order by aseq',
      [account],
    )
    const mine = store.journal(account).sealed
    expect([account, rows.map((r) => r.record)]).toEqual([account, mine.map((r) => r.text)])
    expect(rows.at(-1)!.hash).toBe(mine.at(-1)!.hash)
  }
}, 180_000)

async function epochs(): Promise<Map<number, number>> {
  const rows = await db.query<{ slot: number; epoch: string }>('select slot, epoch from trading.slot')
  return new Map(rows.map(({ slot, epoch }) => [slot, Number(epoch)]))
}
/** The end of the log is told to verdicts once a second. */
async function sealed(): Promise<void> {
  for (;;) {
    const [row] = await db.query(`select count(*) as n from trading.account where (state->'unsealed')::text <> '[]'`)
    if (Number(row!.n) === 0) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
