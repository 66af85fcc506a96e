import type { Compiled } from '../engine/compile.ts'
import type { JournalRecord } from '../engine/types.ts'
import { canonical } from '../journal/canonical.ts'
import type { Finding } from './findings.ts'
import type { Archive } from './read-archive.ts'
import { type Decided, Retelling, toldIn } from './retell.ts'

/** What the replay of an archive saw. */
export interface Watched {
  /** the first record that is not what the replay decides */
  finding: Finding | null
  /** exposure: every event in (after, through] could decide something */
  spans: { after: number; through: number }[]
  /** orders given while flat: what stood at mseq decided them */
  looks: { mseq: number; aseq: number }[]
}

/** Decides everything again, in the log's order, until the first difference. */
export function replayArchive(
  archive: Archive,
  compiled: Compiled,
  heard: (decided: Decided, retelling: Retelling) => void = () => {},
): Watched {
  const { records, lines, envelope, log } = archive
  const header = records[0] as Extract<JournalRecord, { kind: 'header' }>
  const retelling = new Retelling(compiled, envelope.assessment, header.docs, toldIn(records), log.segments)
  const { view } = retelling
  const watched: Watched = { finding: null, spans: [], looks: [] }
  let next = 0
  let cseq = 0
  let since: number | null = null

  const differ = (reason: string, mseq: number): false => {
    watched.finding = { reason, aseq: next, mseq }
    return false
  }
  const follow = (): void => {
    if (retelling.exposed) since ??= view.mseq
    else if (since !== null) {
      watched.spans.push({ after: since, through: view.mseq })
      since = null
    }
  }
  const compare = (decided: Decided | null): boolean => {
    if (!decided) return true
    heard(decided, retelling)
    for (const record of decided.records) {
      const text = canonical(record)
      if (lines[next] !== text) return differ(difference(record, records[next]), record.mseq)
      next++
    }
    follow()
    return true
  }
  const hearAll = (): boolean => {
    for (let told = retelling.due; told; told = retelling.due) {
      if (told.mseq !== view.mseq)
        return differ(`the event ${told.mseq}, at which record ${told.aseq} was stamped, is missing`, told.mseq)
      if (told.kind === 'command' && told.command.op === 'order' && !retelling.exposed)
        watched.looks.push({ mseq: view.mseq, aseq: told.aseq })
      if (told.kind === 'command' && told.aseq !== next + (next === 0 ? 1 : 0))
        return differ(`record ${next} follows from nothing`, told.mseq)
      if (told.kind === 'command' && told.cseq !== ++cseq)
        return differ(`command ${told.cseq} stands where ${cseq} should`, told.mseq)
      if (!compare(retelling.hear())) return false
    }
    return true
  }
  const run = (): boolean => {
    if (!hearAll()) return false
    for (const { event } of log.events()) {
      if (event.mseq > envelope.end) break
      const before = view.mseq
      const passed = retelling.pass(event)
      if (passed && passed.records.length > 0 && event.mseq !== before + 1) {
        return differ(
          `the events on both sides of a deadline are not next to each other: after ${before} comes ${event.mseq}`,
          before + 1,
        )
      }
      if (!compare(passed) || !compare(retelling.apply(event)) || !hearAll()) return false
    }
    if (next < records.length) return differ(`record ${next} follows from nothing`, records[next]!.mseq)
    return true
  }
  try {
    run()
  } catch (error) {
    differ(`the engine cannot go on: ${error instanceof Error ? error.message : String(error)}`, view.mseq)
  }
  if (since !== null) watched.spans.push({ after: since, through: watched.finding ? view.mseq : envelope.end })
  return watched
}

function difference(decided: JournalRecord, written: JournalRecord | undefined): string {
  if (!written) return `record ${decided.aseq} (${decided.kind}) is missing`
  if (written.kind !== decided.kind)
    return `record ${decided.aseq} is a ${written.kind}, the replay decides a ${decided.kind}`
  const left = written as unknown as Record<string, unknown>
  const right = decided as unknown as Record<string, unknown>
  for (const key of [...new Set([...Object.keys(left), ...Object.keys(right)])].sort()) {
    const [was, is] = [left[key], right[key]].map((v) => (v === undefined ? 'absent' : canonical(v)))
    if (was !== is) return `${decided.kind}.${key} is ${short(was!)}, the replay gives ${short(is!)}`
  }
  return `record ${decided.aseq} differs`
}
const short = (text: string): string => (text.length > 120 ? `${text.slice(0, 117)}...` : text)
