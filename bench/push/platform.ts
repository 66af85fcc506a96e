import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { startPlatform } from '@assay/core/kernel/run'
import type { Deps } from '@assay/core/kernel/service'
import { services } from '@assay/services/all'
import { takeLease } from '@assay/services/market-data/sequencer/lease'
import { client } from '../../scripts/demo/client.ts'
import { driverService } from '../../scripts/demo/in-process.ts'
import { OPERATOR } from '../start/platform.ts'
import { addTrader, openAssessment } from '../start/traders.ts'
import { type FanOut, SYMBOLS } from './fan-out.ts'

const GROUP = 'main'
const CLIENTS_PER_USER = 20
const USERS = 6
const TRADING = 4
const START_MS = Date.UTC(2026, 0, 5)
const symbols = Array.from({ length: SYMBOLS }, (_, n) => `S${n}/USD`)

/**
 * The whole platform, with the bench in the place of its sequencer: ticks are appended to the market log and come out
 * of `ticks:` of /ws, past the engine and the candles as in production, while orders run over HTTP.
 */
export async function platform(): Promise<FanOut> {
  const home = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const tap = driverService()
  const started = await startPlatform({
    services: [...services, tap.service],
    port: 0,
    out: { write: () => {} },
    env: {
      ASSAY_HOME: home,
      FEEDS: `replay:${recordingOf(home)}?speed=max`,
      LOG_LEVEL: 'warn',
      ASSAY_OPERATOR_EMAIL: OPERATOR.email,
      ASSAY_OPERATOR_PASSWORD: OPERATOR.password,
    },
  })
  const publisher = await takeOver(tap.deps())
  const anonymous = client(started.url)
  const { token } = await anonymous.post<{ token: string }>('/api/auth/login', OPERATOR)
  const operator = anonymous.as(token)
  const keys: string[] = []
  for (let n = 0; n < USERS; n++) keys.push(await addTrader(anonymous, operator, `push-${n}`))
  const bot = anonymous.as(keys[0]!)
  const assessments: string[] = []
  for (let n = 0; n < TRADING; n++) assessments.push(await openAssessment(bot))
  const orders = startOrders([started.url, keys[0]!, ...assessments])
  return {
    name: 'assay, whole platform',
    port: started.port,
    path: '/ws',
    protocol: (n) => `bearer, ${keys[Math.floor(n / CLIENTS_PER_USER)]}`,
    hello: JSON.stringify({ op: 'subscribe', channels: symbols.map((symbol) => `ticks:${symbol}`) }),
    stamp: { field: '"pos":', perMs: 1000 },
    publish: publisher.publish,
    async skipped() {
      const told = await (await fetch(`${started.url}/metrics`)).text()
      return Number(/^websocket_conflated_total (\d+)/m.exec(told)?.[1] ?? 0)
    },
    async stop() {
      const { answered, failed } = await orders.stop()
      await started.close()
      rmSync(home, { recursive: true, force: true })
      if (answered === 0 || failed > 0)
        throw new Error(`of the orders beside it ${answered} were answered, ${failed} traders refused`)
    },
  }
}

/** Two quotes of each symbol: enough for the instruments; before and behind them the feed tells each one's state. */
function recordingOf(home: string): string {
  const file = join(home, 'symbols.csv')
  const lines = [0, 1].flatMap((second) =>
    symbols.map((symbol) => `${START_MS + second * 1000},${symbol},100.00,100.02,1.00,1.00`),
  )
  writeFileSync(file, ['timestamp,symbol,bid,ask,bid_size,ask_size', ...lines].join('\n'))
  return file
}

const FED = 4 * SYMBOLS
/** The lease that the platform's own leader gives back when its feed has ended: before that it would fence us off again. */
async function leaseBehindFeed({ db, marketlog }: Deps) {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; await Bun.sleep(5)) {
    const end = await marketlog.end(GROUP)
    if (!end || end.mseq < FED) continue
    const asked = { db: db.as('market_data'), group: GROUP, holder: 'bench', above: end.epoch, alone: false }
    const lease = await takeLease(asked)
    if (lease) return { epoch: lease.epoch, mseq: end.mseq }
  }
  throw new Error('the recording does not end')
}

/** Leads the group once its feed has ended; a tick carries the time it was due, in microseconds, as its source position. */
async function takeOver(deps: Deps) {
  const log = deps.marketlog
  const { epoch, mseq: fed } = await leaseBehindFeed(deps)
  await log.fence(GROUP, epoch, false)
  let mseq = fed
  const venue = 'bench'
  const now = Date.now()
  const opened = symbols.map(
    (symbol): MarketEvent => ({
      kind: 'symbol_state',
      symbol,
      venue,
      ts: now,
      pos: 0,
      state: 'open',
      mseq: ++mseq,
      mts: now,
    }),
  )
  await log.append(GROUP, epoch, opened)
  let batch: MarketEvent[] = []
  let writing = Promise.resolve()
  const flush = () => {
    const events = batch
    batch = []
    writing = writing.then(() => log.append(GROUP, epoch, events))
  }
  return {
    publish(symbol: number, at: number) {
      const mts = Date.now()
      const bid = (100 + (mseq % 7) / 100).toFixed(2)
      const ask = (100.02 + (mseq % 7) / 100).toFixed(2)
      const pos = Math.round(at * 1000)
      batch.push({
        kind: 'quote',
        symbol: symbols[symbol]!,
        venue,
        ts: mts,
        pos,
        bid,
        ask,
        bid_size: '50',
        ask_size: '50',
        mseq: ++mseq,
        mts,
      })
      // what one turn brings is one append, as the sequencer does it
      if (batch.length === 1) queueMicrotask(flush)
    },
  }
}

function startOrders(argv: string[]) {
  const { promise, resolve, reject } = Promise.withResolvers<{ answered: number; failed: number }>()
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/orders.ts`, ...argv], {
    stdio: ['ignore', 'inherit', 'inherit'],
    ipc: (message) => resolve(message),
    onExit: (_, code) => reject(new Error(`the orders ended with ${code}`)),
  })
  promise.catch(() => {})
  return {
    async stop() {
      child.send('stop')
      const counts = await promise
      child.kill()
      await child.exited
      return counts
    },
  }
}
