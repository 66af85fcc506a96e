/** A run's commands, taken from journals: what repeats it over the same recording. */
import type { Command, JournalRecord } from '@assay/core/domain/engine/types'
import { canonical } from '@assay/core/domain/journal/canonical'
import type { Archive } from '@assay/core/domain/proof/read-archive'
import { InputError } from './inputs.ts'

export interface ListedCommand {
  /** stamped after this event */
  after: number
  account: string
  cseq: number
  body: Command
  /** the stamp's event was a clock at this market time: a recording has none there by itself */
  clock?: number
  /** with `create`: what the account is decided by */
  header?: Extract<JournalRecord, { kind: 'header' }>
  documents?: Record<string, string>
}

/** The commands of one proof. */
export function listCommands({ records, documents, envelope, log }: Archive): ListedCommand[] {
  const clocks = new Map(
    log.streams
      .get('group')
      ?.flatMap(({ event }) => (event.kind === 'clock' ? [[event.mseq, event.mts] as const] : [])),
  )
  const header = records[0] as Extract<JournalRecord, { kind: 'header' }>
  return records.flatMap((record): ListedCommand[] => {
    if (record.kind !== 'command') return []
    const clock = clocks.get(record.mseq)
    return [
      {
        after: record.mseq,
        account: envelope.assessment,
        cseq: record.cseq,
        body: record.command,
        ...(clock === undefined ? {} : { clock }),
        ...(record.command.op === 'create' ? { header, documents: Object.fromEntries(documents) } : {}),
      },
    ]
  })
}

/** In order of their places: event, then account, then number. */
export const inOrder = (list: readonly ListedCommand[]): ListedCommand[] =>
  [...list].sort(
    (a, b) => a.after - b.after || (a.account < b.account ? -1 : a.account > b.account ? 1 : a.cseq - b.cseq),
  )

export const writeList = (list: readonly ListedCommand[]): string =>
  inOrder(list)
    .map((entry) => `${canonical(entry)}\n`)
    .join('')

export function readList(text: string, file: string): ListedCommand[] {
  const list = text.split('\n').flatMap((line, i): ListedCommand[] => {
    if (line.trim() === '') return []
    try {
      const entry = JSON.parse(line) as ListedCommand
      if (
        !Number.isSafeInteger(entry.after) ||
        !Number.isSafeInteger(entry.cseq) ||
        typeof entry.account !== 'string' ||
        typeof entry.body?.op !== 'string'
      ) {
        throw new SyntaxError('an entry has after, account, cseq and body')
      }
      if (entry.body.op === 'create' && entry.cseq === 1 && !(entry.header && entry.documents))
        throw new SyntaxError('create needs header and documents')
      return [entry]
    } catch (error) {
      throw new InputError(`${file}:${i + 1}: ${(error as Error).message}`)
    }
  })
  return inOrder(list)
}
