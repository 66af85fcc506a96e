/** A whole engine for tests: memory log and lockstep, an inline owner, any store. */
import { generateKeyPairSync, sign } from 'node:crypto'
import type { Command, JournalRecord } from '@assay/core/domain/engine/types'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { createLifecycle, type Lifecycle } from '@assay/core/kernel/lifecycle'
import { systemClock } from '@assay/core/ports/clock/system'
import type { Lockstep } from '@assay/core/ports/marketlog/lockstep'
import { createLockstep } from '@assay/core/ports/marketlog/lockstep-memory'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import { type Engine, type EngineDeps, type EngineOptions, startEngine } from './engine.ts'
import { soleLeases } from './leases.ts'
import { memoryStore } from './memory-store.ts'
import type { Signer } from './seal.ts'
import type { CommandMeta, Reply } from './types.ts'

const quiet = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} }

export function testKeys(): { readonly signer: Signer } {
  const { privateKey } = generateKeyPairSync('ed25519')
  return { signer: { kid: 'test', sign: (text) => sign(null, Buffer.from(text), privateKey).toString('hex') } }
}

export interface TestEngine {
  engine: Engine
  log: MarketLog
  lockstep: Lockstep
  lifecycle: Lifecycle
  /** appends and waits until all that the events caused is durable */
  append(...events: MarketEvent[]): Promise<void>
  submit(account: string, command: Command, meta?: Partial<CommandMeta>): Promise<Reply>
  close(): Promise<void>
}
let commands = 0

/** `log` carries over from another test engine: a restart reads the same events. */
export async function testEngine(more: Partial<EngineDeps> & Partial<EngineOptions> = {}): Promise<TestEngine> {
  const { group, thread = 'inline', heard, isLive, lookMs, ...given } = more
  const lifecycle = createLifecycle({ log: quiet, closeTimeoutMs: 2000 })
  const log = given.marketlog ?? createMemoryLog()
  const lockstep = given.lockstep ?? createLockstep('main', systemClock)
  if (!given.marketlog) await log.fence('main', 1, true)
  const engine = await startEngine(
    {
      store: memoryStore(),
      leases: soleLeases(),
      clock: systemClock,
      keys: testKeys(),
      log: quiet,
      ...given,
      marketlog: log,
      lockstep,
    },
    lifecycle,
    {
      thread,
      ...(group ? { group } : {}),
      ...(heard ? { heard } : {}),
      ...(isLive ? { isLive } : {}),
      ...(lookMs ? { lookMs } : {}),
    },
  )
  return {
    engine,
    log,
    lockstep,
    lifecycle,
    async append(...events) {
      await log.append('main', 1, events)
      await lockstep.applied(events.at(-1)!.mseq)
    },
    submit: (account, command, meta = {}) =>
      engine.submit(account, command, { commandId: `c${++commands}`, requestId: `r${commands}`, ...meta }),
    close: () => lifecycle.close(),
  }
}
/** A market of quotes for one symbol, one second apart. */
export function quoteAt(
  mseq: number,
  bid: string,
  ask: string,
  symbol = 'TST/USD',
  mts = 1_700_000_000_000 + mseq * 1000,
): MarketEvent {
  return { kind: 'quote', symbol, venue: 'test', ts: mts, pos: mseq, bid, ask, mseq, mts }
}

export const buy = (quantity: string, client_order_id?: string) =>
  ({
    op: 'order',
    symbol: 'TST/USD',
    side: 'buy',
    type: 'market',
    quantity,
    ...(client_order_id ? { client_order_id } : {}),
  }) as const
export const answered = (reply: Reply) => {
  if (reply.kind !== 'answer') throw new Error(`refused: ${reply.code}`)
  return reply
}
export const kinds = (records: readonly JournalRecord[]) => records.map((r) => r.kind)
