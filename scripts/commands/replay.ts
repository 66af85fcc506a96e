import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canonical } from '@assay/core/domain/journal/canonical'
import { ContainerError } from '@assay/core/domain/proof/container'
import { FoundError, UnreadableError } from '@assay/core/domain/proof/findings'
import { readArchive } from '@assay/core/domain/proof/read-archive'
import { deriveInstrument } from '@assay/services/market-data/recording/derive-instrument'
import type { RecordingOptions } from '@assay/services/market-data/recording/open-recording'
import { RecordingError } from '@assay/services/market-data/recording/row'
import { scanRecording } from '@assay/services/market-data/recording/scan-recording'
import { replayEvents } from '@assay/services/market-data/replay/replay-events'
import { parseOptions, UsageError } from '../options.ts'
import { type ListedCommand, listCommands, readList, writeList } from '../proof/command-list.ts'
import { loadProof, segmentFiles } from '../proof/inputs.ts'
import { repeatRun } from '../proof/repeat-run.ts'

export const summary = 'repeats a run over its recording from the commands that its proofs hold'
const USAGE = `usage: assay replay --extract PROOF... [--segments DIR|URL] > LIST
       assay replay --commands LIST --recording FILE [--symbol S] [--columns C] [--zone Z] [--candle-time open|close] [--out DIR] [--json]`

export async function run(argv: string[]): Promise<number> {
  try {
    return await replay(argv)
  } catch (error) {
    throw isInput(error) ? new UsageError((error as Error).message) : error
  }
}
const INPUT = [ContainerError, UnreadableError, FoundError, RecordingError, RangeError]
const isInput = (error: unknown): boolean =>
  INPUT.some((kind) => error instanceof kind) || (error as { code?: string }).code === 'ENOENT'

async function replay(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, {
    extract: { type: 'boolean', default: false },
    commands: { type: 'string' },
    recording: { type: 'string' },
    symbol: { type: 'string' },
    columns: { type: 'string' },
    zone: { type: 'string' },
    'candle-time': { type: 'string' },
    segments: { type: 'string' },
    out: { type: 'string' },
    json: { type: 'boolean', default: false },
  })
  if (values.extract) return extract(positionals, values.segments)
  if (!values.commands || !values.recording || positionals.length > 0) throw new UsageError(USAGE)
  const list = readList(await readFile(values.commands, 'utf8'), values.commands)
  const { recording: file, symbol, columns, zone, 'candle-time': candleTime } = values
  if (candleTime !== undefined && candleTime !== 'open' && candleTime !== 'close')
    throw new UsageError('--candle-time is open or close')
  const recording: RecordingOptions = {
    file,
    ...(symbol ? { symbol } : {}),
    ...(columns ? { columns } : {}),
    ...(zone ? { zone } : {}),
    ...(candleTime ? { candleTime } : {}),
  }
  const accounts = await repeatRun(list, await eventsOf(recording, list))
  if (values.out) await mkdir(values.out, { recursive: true })
  for (const { account, records, ...ends } of accounts) {
    if (values.out)
      await writeFile(join(values.out, `${account}.journal.jsonl`), records.map((r) => `${canonical(r)}\n`).join(''))
    if (values.json) console.log(JSON.stringify({ account, records: records.length, ...ends }))
    else
      console.log(`${account}: ${ends.status}, ${records.length} records, chain ${ends.hash}, state ${ends.state_hash}`)
  }
  return 0
}

async function extract(proofs: readonly string[], segments: string | undefined): Promise<number> {
  if (proofs.length === 0) throw new UsageError(USAGE)
  const list: ListedCommand[] = []
  for (const name of proofs)
    list.push(
      ...listCommands(
        await readArchive(await loadProof(name, { url: undefined, token: undefined }), segmentFiles(segments)),
      ),
    )
  process.stdout.write(writeList(list))
  return 0
}

/** The recording as the log had it: with the clocks that commands waited for, quotes made with the accounts' instruments. */
async function eventsOf(recording: RecordingOptions, list: readonly ListedCommand[]) {
  const scan = await scanRecording(recording)
  const said = new Map(
    list.flatMap(({ documents, header }) =>
      Object.entries(header?.docs ?? {}).flatMap(([name, hash]) =>
        name.startsWith('instrument:') ? [[name.slice(11), JSON.parse(documents![hash]!)]] : [],
      ),
    ),
  )
  const instruments = new Map(scan.symbols.map((s) => [s.symbol, said.get(s.symbol) ?? deriveInstrument(s)]))
  return replayEvents({ scan, instruments, clocks: list.flatMap(({ clock }) => (clock === undefined ? [] : [clock])) })
}
