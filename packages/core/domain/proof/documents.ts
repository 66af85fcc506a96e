/** What a header cites by content hash: engine, instruments, fees, time zone. A document is its canonical JSON. */
import type { Calendar } from '../calendars/calendar.ts'
import { type Compiled, compileSpec } from '../engine/compile.ts'
import content from '../engine/content.json'
import type { AccountSpec, Body } from '../engine/types.ts'
import { zoneNamesOf } from '../engine/zones.ts'
import type { Instrument } from '../instruments/instrument.ts'
import { canonical } from '../journal/canonical.ts'
import { sha256Hex } from '../journal/hash.ts'
import { type Zone, zoneOf } from '../time/zone.ts'

export type Header = Extract<Body, { kind: 'header' }>
export interface Documents {
  /** name -> content hash, as the header carries it */
  cited: Record<string, string>
  /** content hash -> canonical JSON */
  texts: Map<string, string>
}

/** The documents of a new account; `cited` goes into the `create` command's step. */
export function documentsOf(spec: AccountSpec): Documents {
  const documents: [string, unknown][] = [
    ['engine', content],
    ['fees', Object.fromEntries(spec.instruments.map((i) => [i.symbol, i.commission]))],
    ...zoneNamesOf(spec).map((name): [string, unknown] => [`zone:${name}`, pinnedZone(spec, name)]),
    ...spec.instruments.map((i): [string, unknown] => [`instrument:${i.symbol}`, i]),
    ...spec.calendars.map((c): [string, unknown] => [`calendar:${c.name}`, c]),
  ]
  const cited: Record<string, string> = {}
  const texts = new Map<string, string>()
  for (const [name, value] of documents) {
    const text = canonical(value)
    cited[name] = sha256Hex(text)
    texts.set(cited[name], text)
  }
  return { cited, texts }
}

/** As it was pinned at creation, else as in today's table. */
const pinnedZone = ({ zone, zones }: AccountSpec, name: string): Zone =>
  [zone, ...(zones ?? [])].find((pinned) => pinned?.name === name) ?? zoneOf(name)

/** RangeError: a cited document is not there. */
function cite(header: Header, name: string, texts: ReadonlyMap<string, string>): unknown {
  const hash = header.docs[name]
  const text = hash === undefined ? undefined : texts.get(hash)
  if (text === undefined) throw new RangeError(`the document ${name} is missing`)
  return JSON.parse(text)
}

/** What an assessment is decided by, from its header and the documents it cites: the pinned time zone too. */
export function compileHeader(header: Header, texts: ReadonlyMap<string, string>): Compiled {
  const instruments = Object.keys(header.docs)
    .filter((name) => name.startsWith('instrument:'))
    .sort()
    .map((name) => cite(header, name, texts) as Instrument)
  const calendars = Object.keys(header.docs)
    .filter((name) => name.startsWith('calendar:'))
    .sort()
    .map((name) => cite(header, name, texts) as Calendar)
  const zone = cite(header, `zone:${header.reset_zone}`, texts) as Zone
  const zones = Object.keys(header.docs)
    .filter((name) => name.startsWith('zone:') && name !== `zone:${header.reset_zone}`)
    .sort()
    .map((name) => cite(header, name, texts) as Zone)
  const spec: AccountSpec = {
    engine: header.engine,
    currency: header.currency,
    initial_balance: header.initial_balance,
    leverage: header.leverage,
    position_mode: header.position_mode as 'netting' | 'hedging',
    stop_out: header.stop_out,
    queue_model: header.queue_model,
    latency_ms: header.latency_ms,
    max_pauses: header.max_pauses,
    max_pause_days: header.max_pause_days,
    warnings: header.warnings,
    reset_zone: header.reset_zone,
    reset_time: header.reset_time,
    zone,
    ...(zones.length > 0 ? { zones } : {}),
    phases: header.phases,
    instruments,
    calendars,
    group: header.group,
  }
  return compileSpec(spec)
}

/** The symbols whose events can decide anything here: those that orders named, and their conversion paths'. */
export function decidingSymbols(compiled: Compiled, ordered: Iterable<string>): string[] {
  const symbols = new Set<string>()
  for (const name of ordered) {
    const market = compiled.markets.get(name)
    if (!market?.path) continue
    symbols.add(name)
    for (const leg of market.path) if (!leg.peg) symbols.add(leg.symbol)
  }
  return [...symbols].sort()
}
