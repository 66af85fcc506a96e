/** A command list or a strategy over a recording, in lockstep, under a tier's rules; touches nothing of the platform. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { specOf } from '@assay/core/contracts/wire/account-spec'
import { notSimulated, parseTier } from '@assay/core/contracts/wire/tier'
import { liveView } from '@assay/core/domain/engine/live'
import type { AccountState } from '@assay/core/domain/engine/state'
import { settle, stateHash } from '@assay/core/domain/engine/step'
import type { FloorNote } from '@assay/core/domain/engine/turn'
import type { Command } from '@assay/core/domain/engine/types'
import { MarketView } from '@assay/core/domain/engine/view'
import { CATALOGUE } from '@assay/core/domain/instruments/catalogue'
import { withConversions } from '@assay/core/domain/instruments/resolve'
import { buildProof } from '@assay/core/domain/proof/build'
import { documentsOf } from '@assay/core/domain/proof/documents'
import { STRATEGIES, type Strategy } from '@assay/core/domain/strategies/strategy'
import { createLifecycle } from '@assay/core/kernel/lifecycle'
import { systemClock } from '@assay/core/ports/clock/system'
import { bunHash } from '@assay/core/ports/marketlog/bun-hash'
import { createLockstep } from '@assay/core/ports/marketlog/lockstep-memory'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import { deriveInstrument } from '@assay/services/market-data/recording/derive-instrument'
import { scanRecording } from '@assay/services/market-data/recording/scan-recording'
import { runReplay } from '@assay/services/market-data/replay/run-replay'
import { parseEvents } from '@assay/services/trading/backtest/parse-events'
import { parseOrders } from '@assay/services/trading/backtest/parse-orders'
import { type BacktestResult, resultOf } from '@assay/services/trading/backtest/result'
import { startEngine } from '@assay/services/trading/engine/engine'
import { soleLeases } from '@assay/services/trading/engine/leases'
import { memoryStore } from '@assay/services/trading/engine/memory-store'
import { openJournalKeys } from '@assay/services/trading/proof/keys'
import { logSource } from '@assay/services/trading/proof/log-source'
import { compiledOf, drive, sightOf } from './drive-strategy.ts'

export interface BacktestInput {
  recording: string
  columns?: string
  zone?: string
  candleTime?: 'open' | 'close'
  symbol?: string
  /** the tier document, as parsed JSON */
  tier: unknown
  /** JSON lines of scripted commands, and what errors call them */
  orders?: string
  ordersName?: string
  /** JSON lines of states and rates that the recording lacks, and what errors call them */
  events?: string
  eventsName?: string
  /** instead of orders; a built-in one by its name */
  strategy?: string | Strategy
  /** folder for the proof and its public keys; null: none is written */
  out: string | null
  onProgress?: (done: { bytes: number; of: number }) => void
}
export interface BacktestRun {
  result: BacktestResult
  /** what was assumed of the recording, and what could not be read of it */
  notices: string[]
  keys: string | null
}

const GROUP = 'main'
const ACCOUNT = 'backtest'
const quiet = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} }
/** keys of this run only: nothing of it is kept */
const passingSecrets = { getSecret: async () => null, setSecret: async () => {} }

/** Throws RecordingError or AssayError for what cannot be read, with the place named. */
export async function runBacktest(input: BacktestInput): Promise<BacktestRun> {
  const tier = parseTier(input.tier)
  const scripted = input.orders === undefined ? [] : parseOrders(input.orders, input.ordersName ?? 'orders')
  const told = input.events === undefined ? [] : parseEvents(input.events, input.eventsName ?? 'events')
  const scan = await scanRecording({
    file: input.recording,
    ...(input.columns ? { columns: input.columns } : {}),
    ...(input.zone ? { zone: input.zone } : {}),
    ...(input.candleTime ? { candleTime: input.candleTime } : {}),
    ...(input.symbol ? { symbol: input.symbol } : {}),
  })
  const known = new Set([...CATALOGUE, ...tier.instruments].map((i) => i.symbol))
  const derived = scan.symbols.filter((s) => !known.has(s.symbol)).map(deriveInstrument)
  const { spec, defaults } = specOf(tier, withConversions([...CATALOGUE, ...derived]), { group: GROUP })
  const documents = documentsOf(spec)

  const lifecycle = createLifecycle({ log: quiet, closeTimeoutMs: 5000 })
  try {
    const log = createMemoryLog()
    await log.fence(GROUP, 1)
    const lockstep = createLockstep(GROUP, systemClock)
    const store = memoryStore()
    const keys = await openJournalKeys({ secrets: passingSecrets, clock: systemClock, home: null })
    const notes: FloorNote[] = []
    let state: AccountState | undefined
    const engine = await startEngine(
      { store, leases: soleLeases(), marketlog: log, lockstep, clock: systemClock, keys, log: quiet },
      lifecycle,
      {
        thread: 'inline',
        heard: (_, result) => {
          notes.push(...result.notes)
          state = result.state
        },
      },
    )
    let commands = 0
    const submit = async (command: Command, meta: object = {}): Promise<void> => {
      const commandId = `c${++commands}`
      const reply = await engine.submit(ACCOUNT, command, { commandId, requestId: commandId, ...meta })
      if (reply.kind === 'refused') throw new Error(`${command.op} was not taken: ${reply.code}: ${reply.detail}`)
    }
    const open = async (): Promise<void> => {
      await submit({ op: 'create' }, { spec, docs: documents.cited })
      await submit({ op: 'start' })
    }
    const driver = lockstep.join('driver', 'backtest')
    driver.report(0)
    const view = new MarketView()
    const strategy = typeof input.strategy === 'string' ? STRATEGIES[input.strategy]!() : (input.strategy ?? null)
    const driving = drive({
      log,
      group: GROUP,
      lockstep,
      driver,
      view,
      signal: lifecycle.signal,
      open,
      decide:
        strategy &&
        ((symbol) => {
          const sight = state && sightOf(settle(state, view), spec, view, symbol)
          return sight ? strategy.decide(sight) : null
        }),
      submit,
    })
    let next = 0
    await Promise.race([
      driving.failed,
      runReplay({
        log,
        group: GROUP,
        epoch: 1,
        speed: 'max',
        lockstep,
        signal: lifecycle.signal,
        scan,
        instruments: new Map(spec.instruments.map((i) => [i.symbol, i])),
        clocks: scripted.map((c) => c.at),
        told,
        onClock: async (at, mseq) => {
          await driving.opened(mseq)
          await lockstep.applied(mseq)
          for (; next < scripted.length && scripted[next]!.at <= at; next++) await submit(scripted[next]!.command)
        },
        ...(input.onProgress ? { onProgress: input.onProgress } : {}),
      }),
    ])
    await driving.finished((await log.end(GROUP))!.mseq)
    await engine.seal()

    const journal = store.journal(ACCOUNT)
    const compiled = compiledOf(spec)
    const settled = settle(state!, view)
    const proof = input.out === null ? null : join(input.out, `${basename(input.recording).replace(/\..*$/, '')}.proof`)
    if (input.out !== null && proof !== null) {
      const bytes = await buildProof({
        assessment: ACCOUNT,
        ids: { assessment: ACCOUNT },
        records: journal.records,
        envelope: journal.sealed.map((s) => ({ hash: s.hash, at: null, request: null, receipt: s.receipt })),
        documents: documents.texts,
        keys: keys.document().keys,
        group: GROUP,
        log: logSource(log, GROUP),
        tree: bunHash(),
      })
      mkdirSync(input.out, { recursive: true })
      writeFileSync(proof, bytes)
      writeFileSync(join(input.out, 'keys.json'), `${JSON.stringify(keys.document(), null, 2)}\n`)
    }
    const result = resultOf({
      records: journal.records,
      notes,
      compiled,
      spec,
      live: liveView(settled, compiled, view),
      stateHash: stateHash(settled),
      notSimulated: notSimulated(tier),
      defaults,
      proof,
    })
    return { result, notices: noticesOf(scan), keys: input.out === null ? null : join(input.out, 'keys.json') }
  } finally {
    await lifecycle.close()
  }
}

function noticesOf(scan: Awaited<ReturnType<typeof scanRecording>>): string[] {
  const { count, first } = scan.corrupt
  const corrupt =
    count === 0
      ? []
      : [`${count} lines could not be read:`, ...first.map((line) => `  line ${line.line}: ${line.reason}`)]
  return [...scan.notices, ...corrupt]
}
