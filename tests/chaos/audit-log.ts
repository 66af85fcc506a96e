/** The market log's files, read line by line: nothing that an account was decided on is missing. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Finding } from '../../scripts/audit/finding.ts'
import type { Ask } from './audit-promises.ts'

/** What a fill says of its source, and events that are one: a print may carry a quote. */
const MADE_BY: Readonly<Record<string, readonly string[]>> = {
  quote: ['quote', 'trade'],
  levels: ['levels'],
  trade: ['trade'],
  slippage: ['quote', 'levels', 'trade'],
  settlement: ['symbol_state'],
}
export interface LoggedEvent {
  kind: string
  mseq: number
  mts: number
  symbol?: string
}
export interface ReadLog {
  events: Map<number, LoggedEvent>
  last: number
  findings: Finding[]
}

/** Records whose epoch is that of the last fence before them. Only the last file may end in a torn line. */
export function readLog(folder: string): ReadLog {
  const findings: Finding[] = []
  const events = new Map<number, LoggedEvent>()
  let epoch = 0
  let last = 0
  let mts = 0
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort()
  for (const [at, name] of files.entries()) {
    const text = readFileSync(join(folder, name), 'utf8')
    const lines = text.split('\n')
    let sealed = false
    for (const [n, line] of lines.entries()) {
      if (n === lines.length - 1 && line === '') break
      const report = (rule: string, said: string) => findings.push({ rule, place: `${name}:${n + 1}`, said })
      const body = line.slice(9)
      if (crc32(body).toString(16).padStart(8, '0') !== line.slice(0, 8)) {
        if (at !== files.length - 1 || n !== lines.length - 1)
          report('a line of the market log is whole', line.slice(0, 80))
        break
      }
      const [kind, json] = [body.slice(0, body.indexOf(' ')), body.slice(body.indexOf(' ') + 1)]
      if (kind === 'h') epoch = Math.max(epoch, JSON.parse(json).epoch)
      else if (kind === 'f') epoch = Math.max(epoch, Number(json))
      else if (kind === 't') sealed = true
      else if (Number(kind.slice(1)) === epoch) {
        const event = JSON.parse(json) as LoggedEvent
        if (event.mseq !== last + 1) report('the market log has no gap', `${event.mseq} after ${last}`)
        if (event.mts < mts) report('market time never falls', `${event.mts} after ${mts}`)
        last = event.mseq
        mts = event.mts
        events.set(event.mseq, event)
      }
    }
    if (!sealed && at !== files.length - 1)
      findings.push({ rule: 'a file before the last is sealed', place: name, said: 'no trailer' })
  }
  return { events, last, findings }
}

export async function auditLog(ask: Ask, folder: string): Promise<{ findings: Finding[]; last: number }> {
  const log = readLog(folder)
  return { findings: await sourcesOfFills(ask, log), last: log.last }
}

/** The log's own findings, and what was decided on that it does not hold. */
export async function sourcesOfFills(ask: Ask, { events, last, findings }: ReadLog): Promise<Finding[]> {
  for (const row of await ask('select account, mseq::int from trading.account where mseq > $1', [last]))
    findings.push({
      rule: 'no account is ahead of the market log',
      place: String(row.account),
      said: `${row.mseq} of ${last}`,
    })
  const fills = await ask('select account, aseq::int, symbol, source from trading.fills')
  for (const { account, aseq, symbol, source } of fills) {
    const { mseq, kind } = source as { mseq: number; kind: string }
    const event = events.get(mseq)
    if (!event || event.symbol !== symbol || !MADE_BY[kind]?.includes(event.kind))
      findings.push({
        rule: 'what made a fill is in the market log',
        place: `${account}/${aseq}`,
        said: `${kind} ${mseq}: ${JSON.stringify(event)}`,
      })
  }
  return findings
}
