/**
 * "Why did I fail?": the marks that counted, the equity computation line by line, the history of every floor. A pure
 * function of journal and log, so a server, an archive and a browser say the same.
 */
import type { Compiled } from '../engine/compile.ts'
import { liveView, type RuleView } from '../engine/live.ts'
import type { JournalRecord, Phase } from '../engine/types.ts'
import { floating, markOf } from '../engine/valuation.ts'
import { convert, type QuoteOf } from '../instruments/convert.ts'
import type { MarketEvent } from '../market/event.ts'
import { add, type Dec, dec, min, sign, str, sub, ZERO } from '../money/dec.ts'
import { type Decided, Retelling, type Segments, toldIn } from './retell.ts'
import { tellRecord } from './tell-record.ts'

export interface Explained {
  /** the place that is explained: a record, or everything up to an event */
  at: { aseq: number; mseq: number; mts: number }
  phase: number
  currency: string
  /** what was written at that place, and the same as a sentence */
  record: JournalRecord | null
  text: string | null
  marks: { symbol: string; mseq: number; bid: string; ask: string; state: string }[]
  equity: {
    balance: string
    lines: EquityLine[]
    floating: string
    total: string
  }
  rules: {
    rule: string
    index: number
    metric: string
    value: string
    floor: string
    remaining: string
    compare: string
    crossed: boolean
  }[]
  /** every rule as it stood once all of that point was decided; [] where no phase runs */
  standing: RuleView[]
  /** warnings, locks, pauses, stop-outs, swap, funding and violations on the way there, as sentences */
  story: { aseq: number; mts: number; mseq: number; kind: string; text: string }[]
  floors: {
    rule: string
    index: number
    phase: number
    floor: string
    mts: number
    mseq: number
    cause: 'record' | 'high_water'
  }[]
  violation: Extract<JournalRecord, { kind: 'violation' }> | null
  verdict: Extract<JournalRecord, { kind: 'verdict' }> | null
}
export interface EquityLine {
  /** the position's id */
  position: string
  symbol: string
  quantity: string
  cost: string
  /** the touch it would close at */
  price: string
  /** quote currency, not rounded */
  result: string
  currency: string
  /** how it was converted: `*bid`, `/ask`, `peg`, or 1 */
  rate: string
  rate_mseq: number[]
  /** account currency, not rounded */
  value: string
  text: string
}
export interface Story {
  compiled: Compiled
  assessment: string
  records: readonly JournalRecord[]
  segments: Segments
}
/** aseq, `m<mseq>`, an ISO time; left out: the verdict, or the end. RangeError when it is none of them. */
export type Place = { aseq: number } | { mseq: number } | { mts: number }
export function parsePlace(text: string | undefined, records: readonly JournalRecord[]): Place {
  if (text === undefined) {
    const verdict = records.findLast((r) => r.kind === 'verdict')
    return verdict ? { aseq: verdict.aseq } : { mts: Number.MAX_SAFE_INTEGER }
  }
  if (/^\d{1,15}$/.test(text)) return { aseq: Number(text) }
  if (/^m\d{1,15}$/.test(text)) return { mseq: Number(text.slice(1)) }
  const mts = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(mts)) throw new RangeError(`${text} is no record number, m<mseq> or ISO time`)
  return { mts }
}

export async function explain(
  story: Story,
  place: Place,
  events: AsyncIterable<MarketEvent> | Iterable<MarketEvent>,
): Promise<Explained> {
  const { compiled, records } = story
  const header = records[0]
  if (header?.kind !== 'header') throw new RangeError('a journal starts with its header')
  if ('aseq' in place && place.aseq >= records.length) throw new RangeError(`there is no record ${place.aseq}`)
  const retelling = new Retelling(compiled, story.assessment, header.docs, toldIn(records), story.segments)
  const floors: Explained['floors'] = []
  const { view } = retelling
  const stop = stopAt(place, records)

  const take = (decided: Decided | null): void => {
    if (!decided) return
    // a floor between two records moved with a high-water mark
    for (const n of decided.notes) floors.push({ ...n, phase: retelling.state.phase, cause: 'high_water' })
    for (const r of decided.records) {
      if (r.kind === 'floor')
        floors.push({
          rule: r.rule,
          index: r.index,
          phase: r.phase,
          floor: r.floor,
          mts: r.mts,
          mseq: r.mseq,
          cause: 'record',
        })
    }
  }
  const hear = (): void => {
    while (retelling.due && retelling.due.aseq <= stop.aseq) take(retelling.hear())
  }
  hear()
  for await (const event of events) {
    if (event.mseq > stop.mseq || event.mts > stop.mts) {
      if ('mts' in place) take(retelling.pass({ ...event, mts: Math.min(event.mts, place.mts) }))
      else if (stop.aseq >= retelling.state.aseq && 'aseq' in place) take(retelling.pass(event))
      break
    }
    take(retelling.pass(event))
    take(retelling.apply(event))
    hear()
  }
  const seen = records.filter((r) =>
    'aseq' in place ? r.aseq <= place.aseq : r.mseq <= view.mseq && r.mts <= stop.mts,
  )
  if (seen.length === 0) throw new RangeError(`the journal begins at m${header.mseq}`)
  return describe(story, seen, 'aseq' in place ? (records[place.aseq] ?? null) : null, retelling, floors)
}

function stopAt(place: Place, records: readonly JournalRecord[]): { aseq: number; mseq: number; mts: number } {
  const all = Number.MAX_SAFE_INTEGER
  if ('aseq' in place) return { aseq: place.aseq, mseq: records[place.aseq]!.mseq, mts: all }
  return 'mseq' in place ? { aseq: all, mseq: place.mseq, mts: all } : { aseq: all, mseq: all, mts: place.mts }
}

/** A phase's account as its records tell it. */
interface Account {
  phase: number
  balance: Dec
  /** by id */
  positions: Map<string, Held>
}
interface Held {
  id: string
  symbol: string
  quantity: Dec
  cost: Dec
}
function tell(records: readonly JournalRecord[], hedging: boolean): Account {
  const told: Account = { phase: 0, balance: ZERO, positions: new Map() }
  for (const r of records) {
    if (r.kind === 'phase' && r.status === 'opened')
      Object.assign(told, { phase: r.phase, balance: dec(r.balance), positions: new Map() })
    if ((r.kind !== 'fill' && r.kind !== 'carry') || r.phase !== told.phase) continue
    for (const p of r.postings) if (p.ledger === 'account:cash') told.balance = add(told.balance, dec(p.amount))
    if (r.kind === 'carry') continue
    const { id } = r.position
    const quantity = dec(r.position.quantity)
    // a netting account has one position a symbol, under the id of its last opening
    if (!hedging) for (const p of told.positions.values()) if (p.symbol === r.symbol) told.positions.delete(p.id)
    if (sign(quantity) === 0) told.positions.delete(id)
    else told.positions.set(id, { id, symbol: r.symbol, quantity, cost: dec(r.position.cost) })
  }
  return told
}

function describe(
  story: Story,
  seen: readonly JournalRecord[],
  record: JournalRecord | null,
  retelling: Retelling,
  floors: Explained['floors'],
): Explained {
  const { compiled } = story
  const verdict = seen.findLast((r) => r.kind === 'verdict') ?? null
  const violation = seen.findLast((r) => r.kind === 'violation') ?? null
  // a verdict and its violation are one point; one that was provisional counts as of its own instant
  const decisive =
    record?.kind === 'violation'
      ? record
      : record?.kind === 'verdict' && violation?.mseq === record.mseq
        ? violation
        : null
  const provisional =
    decisive?.dated && seen.find((r) => r.kind === 'violation' && r.provisional && r.mseq === decisive.dated!.mseq)
  const told = tell(provisional ? seen.slice(0, provisional.aseq) : seen, compiled.hedging)
  const given = new Map(decisive?.marks.map((m) => [m.symbol, m]))
  const level = (price: string) => ({ price: dec(price), size: null, since: 0 })
  const quoteOf: QuoteOf = (symbol) => {
    const mark = given.get(symbol)
    const { quote } = retelling.view.symbol(symbol) ?? { quote: null }
    return mark
      ? { bid: level(mark.bid), ask: level(mark.ask), mseq: mark.mseq, ts: 0, venue: '', synthetic: null }
      : quote
  }
  const lines = [...told.positions.values()]
    .sort((a, b) => (a.symbol === b.symbol ? 0 : a.symbol < b.symbol ? -1 : 1))
    .map((p) => lineOf(p, compiled, quoteOf))
  const up = lines.reduce((sum, l) => add(sum, dec(l.value)), ZERO)
  const total = add(told.balance, up)
  const used = new Set(
    lines.flatMap((l) => [
      l.symbol,
      ...compiled.markets
        .get(l.symbol)!
        .path!.filter((leg) => !leg.peg)
        .map((leg) => leg.symbol),
    ]),
  )
  return {
    at: { aseq: seen.at(-1)!.aseq, mseq: record?.mseq ?? retelling.view.mseq, mts: record?.mts ?? retelling.view.mts },
    phase: told.phase,
    currency: compiled.spec.currency,
    record,
    text: record && tellRecord(record, compiled.spec.currency),
    marks: [...used].sort().map((symbol) => {
      const quote = quoteOf(symbol)!
      const state = given.get(symbol)?.state ?? retelling.view.symbol(symbol)?.status ?? 'unknown'
      return { symbol, mseq: quote.mseq, bid: str(quote.bid.price), ask: str(quote.ask.price), state }
    }),
    equity: { balance: str(told.balance), lines, floating: str(up), total: str(total) },
    rules: rulesAt(compiled.spec.phases[told.phase]!, told, total, floors),
    standing: liveView(retelling.state, compiled, retelling.view).rules,
    story: seen
      .filter(({ kind }) => TOLD.has(kind))
      .map((r) => ({
        aseq: r.aseq,
        mts: r.mts,
        mseq: r.mseq,
        kind: r.kind,
        text: tellRecord(r, compiled.spec.currency),
      })),
    floors,
    violation,
    verdict,
  }
}
/** What a trader wants to know beside orders and fills, which have lists of their own. */
const TOLD: ReadonlySet<string> = new Set([
  'warning',
  'lock',
  'pause',
  'stop_out',
  'carry',
  'violation',
  'withdrawn',
  'target',
  'verdict',
])

function lineOf({ id, symbol, quantity, cost }: Held, compiled: Compiled, quoteOf: QuoteOf): EquityLine {
  const market = compiled.markets.get(symbol)!
  const quote = quoteOf(symbol)!
  const long = sign(quantity) > 0
  const price = markOf(quantity, market, quote)
  const result = floating(quantity, cost, market, quote.bid.price, quote.ask.price)
  const converted = convert(result, market.path!, quoteOf)!
  const lot = market.doc.contract_size === '1' ? '' : ` x ${market.doc.contract_size}`
  const rate = converted.rate === '1' ? '' : ` ${converted.rate} = ${str(converted.value)} ${compiled.spec.currency}`
  const marked = market.doc.spread_markup_ticks === '0' ? '' : `, ${market.doc.spread_markup_ticks} ticks worse`
  return {
    position: id,
    symbol,
    quantity: str(quantity),
    cost: str(cost),
    price: str(price),
    result: str(result),
    currency: market.doc.quote,
    rate: converted.rate,
    rate_mseq: converted.mseqs,
    value: str(converted.value),
    text: `${symbol}: ${str(quantity)}${lot} x ${str(price)} (${long ? 'bid' : 'ask'} of m${quote.mseq}${marked}) - ${str(cost)} = ${str(result)} ${market.doc.quote}${rate}`,
  }
}

/** Every floor and ceiling in force, with the level that its history ends with. */
function rulesAt(phase: Phase, told: Account, equity: Dec, floors: Explained['floors']): Explained['rules'] {
  return phase.rules.flatMap((rule, index) => {
    const last = floors.findLast((f) => f.phase === told.phase && f.index === index)
    if (!last || !('compare' in rule)) return []
    const metric = 'metric' in rule ? rule.metric : 'equity'
    const floor = dec(last.floor)
    const value = metric === 'equity' ? equity : metric === 'balance' ? told.balance : min(equity, told.balance)
    const left = rule.rule === 'daily_profit_cap' ? sub(floor, value) : sub(value, floor)
    const crossed = rule.compare === 'lt' ? sign(left) < 0 : sign(left) <= 0
    return [
      {
        rule: rule.rule,
        index,
        metric,
        value: str(value),
        floor: last.floor,
        remaining: str(sign(left) > 0 ? left : ZERO),
        compare: rule.compare,
        crossed,
      },
    ]
  })
}
