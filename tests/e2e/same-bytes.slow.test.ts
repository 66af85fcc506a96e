/** A recording driven over HTTP through three trading replicas that are killed, drained and stopped, and the same commands on one embedded engine. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildProof } from '@assay/core/domain/proof/build'
import { compileHeader } from '@assay/core/domain/proof/documents'
import { type Archive, readArchive } from '@assay/core/domain/proof/read-archive'
import { systemClock } from '@assay/core/ports/clock/system'
import type { Db } from '@assay/core/ports/db/port'
import { openPostgres } from '@assay/core/ports/db/postgres'
import type { Lockstep, Participant } from '@assay/core/ports/marketlog/lockstep'
import { createDbLockstep } from '@assay/core/ports/marketlog/lockstep-db'
import { createLockstep } from '@assay/core/ports/marketlog/lockstep-memory'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import { describeReal } from '@assay/core/testing/adapters'
import { randomOf } from '@assay/core/testing/random'
import { until } from '@assay/core/testing/until'
import { runPlayedFeed } from '@assay/services/market-data/feeds/played'
import { scanRecording } from '@assay/services/market-data/recording/scan-recording'
import { replayEvents } from '@assay/services/market-data/replay/replay-events'
import { recordedSymbols } from '@assay/services/market-data/symbols/market-symbol'
import { memoryStore } from '@assay/services/trading/engine/memory-store'
import { testEngine } from '@assay/services/trading/engine/testing'
import { logSource } from '@assay/services/trading/proof/log-source'
import { inOrder, listCommands } from '../../scripts/proof/command-list.ts'
import { SERVER_NAMES, type Server } from '../../scripts/stack/server.ts'
import { SERVERS } from '../../scripts/stack/servers/all.ts'
import type { ProcessRecord } from '../../scripts/supervise/processes.ts'
import { type Api, openApi } from './api.ts'
import { openContract } from './contract.ts'
import { operatorToken, type Person, signUp, startAssessment } from './people.ts'
import { type Process, scratchHome, startProcess } from './platform.ts'

const EVENTS = 1500
/** enough of the market to begin with */
const FIRST = 20
const COMMAND_EVERY = 10
const ACCOUNTS = 16

/** A walk in quotes, some seconds apart. */
function recording(): string {
  const random = randomOf(5)
  let [price, time] = [1.1, Date.UTC(2025, 0, 6, 9)]
  const rows = ['timestamp,bid,ask,bid_size,ask_size']
  for (let n = 0; n < EVENTS; n++) {
    price += (random() - 0.5) * 0.0012
    time += 1000 + Math.floor(random() * 30_000)
    const at = new Date(time).toISOString()
    rows.push(`${at},${price.toFixed(5)},${(price + 0.0001).toFixed(5)},5000000,5000000`)
  }
  return `${rows.join('\n')}\n`
}

describeReal('Same bytes', () => {
  const { home, remove } = scratchHome()
  const contract = openContract()
  // below the ports that servers of tests take
  const port = 10_000 + Math.floor(Math.random() * 8) * 1000
  const file = join(home, 'EURUSD.csv')
  let servers: Server[] = []
  let platform: Process
  let api: Api
  let ann: Person
  let db: Db
  const processes = () => JSON.parse(readFileSync(join(home, 'processes.json'), 'utf8')) as ProcessRecord[]
  const pidOf = (instance: string) => processes().find((one) => one.instance === instance)!.pid!
  const ready = () => until('every process runs', () => processes().every(({ ready }) => ready), 120_000)

  beforeAll(async () => {
    await Bun.write(file, recording())
    // of its own, on any free ports: a run in lockstep shares its market log with nobody
    servers = await Promise.all(
      SERVER_NAMES.map((name) => SERVERS[name].start({ folder: join(home, 'servers', name) })),
    )
    for (const { name, version, pid, address } of servers)
      console.log(`${name} ${version} process ${pid} at ${address}`)
    const env = Object.assign({}, ...servers.map((server) => server.env)) as Record<string, string>
    platform = await startProcess(home, {
      env: { ...env, FEEDS: `replay:${file}?speed=lockstep&symbol=EUR/USD` },
      argv: ['--distributed', `--port=${port}`],
      startMs: 400_000,
    })
    db = await openPostgres({ url: env.DATABASE_URL!, log: { info() {}, warn() {}, error: console.error } })
    api = openApi(platform.url, contract)
  }, 420_000)
  afterAll(async () => {
    await db?.close()
    await platform?.stop('SIGKILL')
    await Promise.all(servers.map((server) => server.stop()))
    remove()
  }, 120_000)

  test('Same bytes: three replicas over HTTP with kills in between, and one embedded engine: journals and proofs', async () => {
    const lockstep = createDbLockstep('main', { db, clock: systemClock, log: { warn() {} } })
    const driver = lockstep.join('driver', 'client')
    driver.report(FIRST - 1)
    await lockstep.applied(FIRST)
    ann = await signUp(api, 'ann', await operatorToken(api))
    const ids: string[] = []
    for (let n = 0; n < ACCOUNTS; n++) ids.push(await startAssessment(ann, 'demo-usd'))
    const before = await epochs()
    const sent = await drive({ lockstep, driver, ids })
    expect(sent).toBe(Math.floor((EVENTS - FIRST) / COMMAND_EVERY))
    // every slot has moved under these commands
    for (const [slot, epoch] of await epochs()) expect(epoch).toBeGreaterThan(before.get(slot)!)

    const archives = await Promise.all(ids.map(proofOf))
    const embedded = await runEmbedded(archives)
    for (const [n, archive] of archives.entries()) {
      const own = embedded[n]!
      expect(archive.lines).toEqual(own.lines)
      expect([...archive.documents]).toEqual([...own.documents])
      // the last events of the log seal its last segment: both end where the recording does
      expect(JSON.stringify([...archive.log.streams])).toBe(JSON.stringify([...own.log.streams]))
    }
  }, 600_000)

  async function drive(run: { lockstep: Lockstep; driver: Participant; ids: readonly string[] }): Promise<number> {
    const random = randomOf(9)
    let sent = 0
    for (let mseq = FIRST + COMMAND_EVERY; mseq <= EVENTS; mseq += COMMAND_EVERY) {
      run.driver.report(mseq - 1)
      await run.lockstep.applied(mseq)
      const id = run.ids[Math.floor(random() * run.ids.length)]!
      const side = random() < 0.5 ? 'buy' : 'sell'
      const quantity = String(1000 * (1 + Math.floor(random() * 50)))
      await place(id, { symbol: 'EUR/USD', side, type: 'market', quantity, client_order_id: `order-${mseq}` })
      sent++
      await disturb(mseq)
    }
    run.driver.report(EVENTS * 2)
    run.driver.leave()
    return sent
  }
  /** What befalls the replicas, by the place in the recording. */
  async function disturb(mseq: number): Promise<void> {
    if (mseq === 200) process.kill(pidOf('trading-0'), 'SIGKILL')
    if (mseq === 400) await ready().then(() => process.kill(pidOf('trading-1'), 'SIGTERM'))
    if (mseq === 600) await ready().then(() => process.kill(pidOf('market-data-0'), 'SIGKILL'))
    if (mseq === 700) process.kill(pidOf('market-data-1'), 'SIGKILL')
    if (mseq === 900) await ready().then(() => standStill(pidOf('trading-2')))
    if (mseq === 1100) await ready().then(() => process.kill(pidOf('trading-0'), 'SIGTERM'))
    if (mseq === 1300) await ready().then(() => process.kill(pidOf('trading-1'), 'SIGKILL'))
  }
  /** Longer than its lease; others have its slots by then. */
  async function standStill(pid: number): Promise<void> {
    process.kill(pid, 'SIGSTOP')
    await until('its slots are others’', async () => !(await owners()).has('trading-2'), 30_000)
    process.kill(pid, 'SIGCONT')
  }
  /** Until it is answered: what nobody knows is asked again under the same id, and decided once. */
  async function place(id: string, order: Record<string, string>): Promise<void> {
    await until(
      `order ${order.client_order_id}`,
      async () => {
        const { status } = await ann.bot.send('POST', `/api/assessments/${id}/orders`, { body: order })
        if (status < 500) expect([200, 201, 422, 409]).toContain(status)
        return status < 500
      },
      60_000,
    )
  }
  async function epochs(): Promise<Map<number, number>> {
    const rows = await db.query<{ slot: number; epoch: string }>('select slot, epoch from trading.slot')
    return new Map(rows.map(({ slot, epoch }) => [slot, Number(epoch)]))
  }
  async function owners(): Promise<Set<string>> {
    return new Set(
      (await db.query<{ owner: string }>('select distinct owner from trading.slot')).map((row) => row.owner),
    )
  }
  async function proofOf(id: string): Promise<Archive> {
    let answer = await ann.bot.send<Uint8Array>('GET', `/api/assessments/${id}/proof`)
    const isThere = async () => {
      if (answer.status !== 200) answer = await ann.bot.send('GET', `/api/assessments/${id}/proof`)
      return answer.status === 200
    }
    await until(`the proof of ${id}`, isThere, 60_000)
    return readArchive(answer.body)
  }

  /** The commands that the proofs hold, over the recording, by an engine of this process in memory. */
  async function runEmbedded(archives: readonly Archive[]): Promise<Archive[]> {
    const list = inOrder(archives.flatMap(listCommands))
    const marketlog = createMemoryLog()
    await marketlog.fence('main', 1, true)
    const lockstep = createLockstep('main', systemClock)
    const store = memoryStore()
    const t = await testEngine({ store, marketlog, lockstep })
    const driver = lockstep.join('driver', 'list')
    const scan = await scanRecording({ file, symbol: 'EUR/USD' })
    const instruments = new Map(recordedSymbols(scan).map(({ instrument }) => [instrument.symbol, instrument]))
    const playing = runPlayedFeed({
      marketlog,
      clock: systemClock,
      group: 'main',
      epoch: 1,
      pace: 'lockstep',
      lockstep,
      signal: new AbortController().signal,
      events: () => replayEvents({ scan, instruments, ends: true }),
      onStopped: () => {},
    })
    for (const { after, account, body, header, documents } of list) {
      driver.report(after - 1)
      await lockstep.applied(after)
      const meta = header && {
        spec: compileHeader(header, new Map(Object.entries(documents!))).spec,
        docs: header.docs,
      }
      expect(await t.submit(account, body, meta ?? {})).toMatchObject({ kind: 'answer' })
    }
    driver.leave()
    const { mseq } = await playing
    await lockstep.applied(mseq)
    const built = await Promise.all(
      archives.map(async (archive) => {
        const assessment = archive.envelope.assessment
        const journal = store.journal(assessment)
        const bytes = await buildProof({
          assessment,
          ids: { assessment },
          records: journal.records,
          envelope: journal.sealed.map((s) => ({ hash: s.hash, at: null, request: null, receipt: s.receipt })),
          documents: archive.documents,
          keys: [],
          group: 'main',
          log: logSource(marketlog, 'main'),
        })
        return readArchive(bytes)
      }),
    )
    await t.close()
    return built
  }
})
