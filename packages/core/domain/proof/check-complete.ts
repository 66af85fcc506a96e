import type { Compiled } from '../engine/compile.ts'
import { orderedSymbols } from './collect.ts'
import { decidingSymbols } from './documents.ts'
import type { Finding } from './findings.ts'
import { type Hole, holeIn, missingIn } from './leaves.ts'
import type { Archive } from './read-archive.ts'
import type { Watched } from './replay-archive.ts'
import { newestAfter } from './segment.ts'

/** No leaf that could have decided something may be hidden. */
export function checkComplete(archive: Archive, compiled: Compiled, watched: Watched): Finding[] {
  const { log } = archive
  const findings: Finding[] = []
  const symbols = decidingSymbols(compiled, orderedSymbols(archive.records))
  const holes = new Map([...symbols, 'group'].map((stream) => [stream, log.holes(stream)]))
  const gap = (stream: string, hole: Hole): Finding => {
    const next = log.streams.get(stream)?.[log.upTo(stream, hole.after) + 1]
    const mseq = missingIn(hole, next)
    return {
      reason: `an event of ${stream} after ${hole.after} and before ${hole.before} is missing`,
      mseq,
      aseq: null,
    }
  }
  for (const span of watched.spans) {
    for (const [stream, list] of holes) {
      const hole = holeIn(list, span.after, span.through)
      if (hole) findings.push(gap(stream, hole))
    }
  }
  for (const { mseq, aseq } of watched.looks) {
    let since = mseq
    for (const symbol of symbols) {
      const leaf = log.streams.get(symbol)?.[log.upTo(symbol, mseq)]
      if (!leaf) {
        const next = log.streams.get(symbol)?.[0]
        const never = next ? next.p.every((p) => p === 0) : log.fromStart && !holeIn(holes.get(symbol)!, 0, mseq)
        if (!never)
          findings.push({
            reason: `the newest event of ${symbol} at ${mseq} is missing`,
            mseq: next ? Math.max(...next.p) : mseq,
            aseq,
          })
        continue
      }
      const hole = holeIn(holes.get(symbol)!, leaf.event.mseq, mseq)
      if (hole) findings.push(gap(symbol, hole))
      const newest = newestAfter(leaf.event, leaf.p)
      for (const pointed of newest) {
        if (pointed > 0 && !log.has(symbol, pointed))
          findings.push({
            reason: `the event ${pointed} of ${symbol} stood at ${mseq} and is missing`,
            mseq: pointed,
            aseq,
          })
      }
      const known = Math.max(newest[0], newest[2])
      if (known > 0) since = Math.min(since, known)
    }
    const hole = holeIn(holes.get('group')!, since, mseq)
    if (hole) findings.push(gap('group', hole))
  }
  return findings
}
