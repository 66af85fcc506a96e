import { type Recording, rowsOf } from './open-recording.ts'
import { type Recorded, rowParser } from './parse-row.ts'

export interface Corrupt {
  line: number
  text: string
  reason: string
}
export interface ReadBatch {
  rows: Recorded[]
  corrupt: Corrupt[]
  /** bytes of the file behind this batch */
  bytes: number
}

/** What a recording's lines say, in the order of the file. Lines that can't be read are named, never fatal. */
export async function* readRecording(recording: Recording): AsyncGenerator<ReadBatch> {
  const parse = rowParser(recording)
  let bytes = 0
  let torn: string | null = null
  let line = 0
  const hooks = {
    onBytes: (n: number) => {
      bytes = n
    },
    onTorn: (reason: string) => {
      torn = reason
    },
  }
  for await (const batch of rowsOf(recording.file, recording.format, hooks)) {
    const rows: Recorded[] = []
    const corrupt: Corrupt[] = []
    for (const row of batch.rows) {
      line = row.line
      const read = row.cells === null ? 'not a row' : parse(row.line, row.cells)
      if (typeof read === 'string') corrupt.push({ line: row.line, text: row.text, reason: read })
      else if (recording.only === null || read.symbol === recording.only) rows.push(read)
    }
    yield { rows, corrupt, bytes }
  }
  if (torn !== null)
    yield { rows: [], corrupt: [{ line: line + 1, text: '', reason: `the gzip stream ends early: ${torn}` }], bytes }
}
