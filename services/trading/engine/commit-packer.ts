/** Commits on their way to the other thread: the texts that are hashed and stored are written once, and travel as they are. */
import type { JournalRecord } from '@assay/core/domain/engine/types'
import { canonical } from '@assay/core/domain/journal/canonical'
import type { Packer } from './rpc.ts'
import type { AccountCommit, AnsweredCommand } from './types.ts'

type Packed = Omit<AccountCommit, 'state' | 'records' | 'texts' | 'command'> & {
  state: Omit<AccountCommit['state'], 'text'> & { length: number }
  lengths: number[]
  /** its answer stands in its record */
  command: Omit<AnsweredCommand, 'answer'> | null
}

function pack(commit: AccountCommit, put: (text: string) => number): Packed {
  const { state, records, texts: _, command, ...rest } = commit
  const { text, ...place } = state
  const length = put(text)
  const lengths = records.map((record) => put(canonical(record)))
  if (!command) return { ...rest, state: { ...place, length }, lengths, command }
  const { answer: _answer, ...asked } = command
  return { ...rest, state: { ...place, length }, lengths, command: asked }
}

function unpack({ state, lengths, command, ...rest }: Packed, take: (length: number) => string): AccountCommit {
  const { length, ...place } = state
  const text = take(length)
  const texts = lengths.map(take)
  const records = texts.map((text) => JSON.parse(text) as JournalRecord)
  return { ...rest, state: { ...place, text }, records, texts, command: command && withAnswer(command, records) }
}
function withAnswer(command: NonNullable<Packed['command']>, records: readonly JournalRecord[]): AnsweredCommand {
  const record = records.find((r) => r.aseq === command.aseq)
  if (record?.kind !== 'command') throw new Error(`record ${command.aseq} is not that of its command`)
  return { ...command, answer: record.answer }
}

export const commitPacker: Packer = {
  pack: ([commits], put) => [(commits as AccountCommit[]).map((commit) => pack(commit, put))],
  unpack: ([packed], take) => [(packed as Packed[]).map((commit) => unpack(commit, take))],
}
