import { ConfigError } from '@assay/core/kernel/config'
import type { Deps } from '@assay/core/kernel/service'
import type { z } from 'zod'
import type { config } from '../config.ts'
import type { Quarantine } from '../quality/quarantine.ts'
import { RecordingError } from '../recording/row.ts'
import { scanRecording } from '../recording/scan-recording.ts'
import { replayEvents } from '../replay/replay-events.ts'
import type { LiveSequencer } from '../sequencer/live.ts'
import { simEvents } from '../sim/sim-events.ts'
import { type MarketSymbol, recordedSymbols, simSymbols } from '../symbols/market-symbol.ts'
import { runLiveSim } from './live-sim.ts'
import { runPlayedFeed } from './played.ts'

type FeedDeps = Deps<z.infer<typeof config>>

/** What the configuration asks for: its symbols, and what a leader does. */
export interface Feed {
  symbols: readonly MarketSymbol[]
  /** its events are a function of their input */
  repeats: boolean
  /** ends with the feed, or when the signal aborts */
  run: (epoch: number, signal: AbortSignal) => Promise<void>
  /** the disk is full: nothing is written */
  stopped: () => boolean
}

/** A recording is scanned before the service answers; RecordingError names what it lacks. */
export async function openFeed(deps: FeedDeps, group: string, quarantine: Quarantine): Promise<Feed> {
  const { config: said, marketlog, clock, log } = deps
  const wanted = said.FEEDS
  if (wanted.kind === 'live-sim') {
    let sequencer: LiveSequencer | undefined
    const symbols = simSymbols()
    return {
      symbols,
      repeats: false,
      stopped: () => sequencer?.stopped ?? false,
      run: (epoch, signal) =>
        runLiveSim({
          marketlog,
          clock,
          log,
          group,
          epoch,
          signal,
          symbols,
          seed: said.SIM_SEED,
          tickMs: said.SIM_TICK_MS,
          quarantine: (bad) => quarantine.take(bad),
          onSequencer: (made) => {
            sequencer = made
          },
        }),
    }
  }
  let stopped = false
  const onStopped = (now: boolean) => {
    stopped = now
  }
  const played = async (events: Parameters<typeof runPlayedFeed>[0]['events'], epoch: number, signal: AbortSignal) => {
    const { mseq } = await runPlayedFeed({
      marketlog,
      clock,
      group,
      epoch,
      pace: wanted.pace,
      lockstep: deps.lockstep(group),
      signal,
      events,
      onStopped,
    })
    log.info({ group, mseq }, 'feed: the end is reached')
  }
  if (wanted.kind === 'sim') {
    const symbols = simSymbols()
    const options = { ...wanted, seed: said.SIM_SEED, instruments: symbols.map((s) => s.instrument) }
    return {
      symbols,
      repeats: true,
      stopped: () => stopped,
      run: (epoch, signal) => played(() => simEvents(options), epoch, signal),
    }
  }
  const scan = await scanRecording(wanted).catch(asConfigError)
  log.info(
    { file: wanted.file, rows: scan.rows, corrupt: scan.corrupt.count, notices: scan.notices },
    'recording scanned',
  )
  for (const line of scan.corrupt.first) log.warn({ ...line }, 'recording: a line cannot be read')
  const symbols = recordedSymbols(scan)
  const instruments = new Map(symbols.map(({ instrument }) => [instrument.symbol, instrument]))
  return {
    symbols,
    repeats: true,
    stopped: () => stopped,
    run: (epoch, signal) =>
      played(
        () => replayEvents({ scan, instruments, ends: true, onQuarantine: (bad) => quarantine.take(bad) }),
        epoch,
        signal,
      ),
  }
}

function asConfigError(error: unknown): never {
  if (error instanceof RecordingError) throw new ConfigError([{ variable: 'FEEDS', reason: error.message }])
  throw error
}
