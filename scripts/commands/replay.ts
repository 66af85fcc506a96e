import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { canonical } from '@assay/core/domain/journal/canonical'
import { ContainerError } from '@assay/core/domain/proof/container'
import { FoundError, UnreadableError } from '@assay/core/domain/proof/findings'
import { readArchive } from '@assay/core/domain/proof/read-archive'
import { deriveInstrument } from '@assay/services/market-data/recording/derive-instrument'
import { scanRecording } from '@assay/services/market-data/recording/scan-recording'
import { replayEvents } from '@assay/services/market-data/replay/replay-events'
import { type ListedCommand, listCommands, readList, writeList } from '../proof/command-list.ts'
import { InputError, loadProof, segmentFiles } from '../proof/inputs.ts'
import { repeatRun } from '../proof/repeat-run.ts'

export const summary =
  '--extract PROOF… > LIST | --commands LIST --recording FILE [--symbol S] [--columns C] [--zone Z] [--out DIR]: repeats a run from what its journals say'

export async function run(argv: string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        extract: { type: 'boolean', default: false },
        commands: { type: 'string' },
        recording: { type: 'string' },
        symbol: { type: 'string' },
        columns: { type: 'string' },
        zone: { type: 'string' },
        segments: { type: 'string' },
        out: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    if (values.extract) return await extract(positionals, values.segments)
    if (!values.commands || !values.recording) throw new InputError(`usage: assay replay ${summary}`)
    const list = readList(await readFile(values.commands, 'utf8'), values.commands)
    const { recording: file, symbol, columns, zone } = values
    const accounts = await repeatRun(
      list,
      await eventsOf(
        { file, ...(symbol ? { symbol } : {}), ...(columns ? { columns } : {}), ...(zone ? { zone } : {}) },
        list,
      ),
    )
    if (values.out) await mkdir(values.out, { recursive: true })
    for (const { account, records, ...ends } of accounts) {
      if (values.out)
        await writeFile(join(values.out, `${account}.journal.jsonl`), records.map((r) => `${canonical(r)}\n`).join(''))
      if (values.json) console.log(JSON.stringify({ account, records: records.length, ...ends }))
      else
        console.log(
          `${account}: ${ends.status}, ${records.length} records, chain ${ends.hash}, state ${ends.state_hash}`,
        )
    }
    return 0
  } catch (error) {
    if (!isInput(error)) throw error
    console.error((error as Error).message)
    return 2
  }
}
const INPUT = [InputError, ContainerError, UnreadableError, FoundError, RangeError]
const isInput = (error: unknown): boolean => {
  const code = String((error as { code?: string }).code)
  return (
    INPUT.some((kind) => error instanceof kind) ||
    code.startsWith('ERR_PARSE_ARGS') ||
    code === 'ENOENT' ||
    (error as Error).name === 'RecordingError'
  )
}

async function extract(proofs: readonly string[], segments: string | undefined): Promise<number> {
  if (proofs.length === 0) throw new InputError(`usage: assay replay ${summary}`)
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
async function eventsOf(recording: Parameters<typeof scanRecording>[0], list: readonly ListedCommand[]) {
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
