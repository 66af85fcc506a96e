/**
 * "Why did I fail?": the marks that counted, the equity computation line by line, the history of every floor. A pure
 * function of journal and log, so a server, an archive and a browser say the same.
 */
import type { Compiled } from '../engine/compile.ts'
import type { JournalRecord, Phase } from '../engine/types.ts'
import { floating } from '../engine/valuation.ts'
import { convert, type QuoteOf } from '../instruments/convert.ts'
import type { MarketEvent } from '../market/event.ts'
import { add, type Dec, dec, gt, lt, lte, min, sign, str, sub, ZERO } from '../money/dec.ts'
import { type Decided, Retelling, type Segments, toldIn } from './retell.ts'

export interface Explained {
  /** the place that is explained: a record, or everything up to an event */
  at: { aseq: number; mseq: number; mts: number }
  phase: number
  currency: string
  /** what was written at that place */
  record: JournalRecord | null
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
  positions: Map<string, { quantity: Dec; cost: Dec }>
}
function tell(records: readonly JournalRecord[]): Account {
  const told: Account = { phase: 0, balance: ZERO, positions: new Map() }
  for (const r of records) {
    if (r.kind === 'phase' && r.status === 'opened')
      Object.assign(told, { phase: r.phase, balance: dec(r.balance), positions: new Map() })
    if (r.kind !== 'fill' || r.phase !== told.phase) continue
    for (const p of r.postings) if (p.ledger === 'account:cash') told.balance = add(told.balance, dec(p.amount))
    const quantity = dec(r.position.quantity)
    if (sign(quantity) === 0) told.positions.delete(r.symbol)
    else told.positions.set(r.symbol, { quantity, cost: dec(r.position.cost) })
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
  const told = tell(provisional ? seen.slice(0, provisional.aseq) : seen)
  const given = new Map(decisive?.marks.map((m) => [m.symbol, m]))
  const level = (price: string) => ({ price: dec(price), size: null, since: 0 })
  const quoteOf: QuoteOf = (symbol) => {
    const mark = given.get(symbol)
    const { quote } = retelling.view.symbol(symbol) ?? { quote: null }
    return mark
      ? { bid: level(mark.bid), ask: level(mark.ask), mseq: mark.mseq, ts: 0, venue: '', synthetic: null }
      : quote
  }
  const lines = [...told.positions]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([symbol, p]) => lineOf(symbol, p, compiled, quoteOf))
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
    marks: [...used].sort().map((symbol) => {
      const quote = quoteOf(symbol)!
      const state = given.get(symbol)?.state ?? retelling.view.symbol(symbol)?.status ?? 'unknown'
      return { symbol, mseq: quote.mseq, bid: str(quote.bid.price), ask: str(quote.ask.price), state }
    }),
    equity: { balance: str(told.balance), lines, floating: str(up), total: str(total) },
    rules: rulesAt(compiled.spec.phases[told.phase]!, told, total, floors),
    floors,
    violation,
    verdict,
  }
}

function lineOf(
  symbol: string,
  { quantity, cost }: { quantity: Dec; cost: Dec },
  compiled: Compiled,
  quoteOf: QuoteOf,
): EquityLine {
  const market = compiled.markets.get(symbol)!
  const quote = quoteOf(symbol)!
  const long = sign(quantity) > 0
  const price = long ? quote.bid.price : quote.ask.price
  const result = floating(quantity, cost, market, quote.bid.price, quote.ask.price)
  const converted = convert(result, market.path!, quoteOf)!
  const lot = market.doc.contract_size === '1' ? '' : ` x ${market.doc.contract_size}`
  const rate = converted.rate === '1' ? '' : ` ${converted.rate} = ${str(converted.value)} ${compiled.spec.currency}`
  return {
    symbol,
    quantity: str(quantity),
    cost: str(cost),
    price: str(price),
    result: str(result),
    currency: market.doc.quote,
    rate: converted.rate,
    rate_mseq: converted.mseqs,
    value: str(converted.value),
    text: `${symbol}: ${str(quantity)}${lot} x ${str(price)} (${long ? 'bid' : 'ask'} of m${quote.mseq}) - ${str(cost)} = ${str(result)} ${market.doc.quote}${rate}`,
  }
}

/** Every loss limit in force, with the floor that its history ends with. */
function rulesAt(phase: Phase, told: Account, equity: Dec, floors: Explained['floors']): Explained['rules'] {
  return phase.rules.flatMap((rule, index) => {
    if (rule.rule !== 'max_loss' && rule.rule !== 'max_daily_loss') return []
    const last = floors.findLast((f) => f.phase === told.phase && f.index === index)
    if (!last) return []
    const floor = dec(last.floor)
    const value =
      rule.metric === 'equity' ? equity : rule.metric === 'balance' ? told.balance : min(equity, told.balance)
    const crossed = rule.compare === 'lt' ? lt(value, floor) : lte(value, floor)
    return [
      {
        rule: rule.rule,
        index,
        metric: rule.metric,
        value: str(value),
        floor: last.floor,
        remaining: str(gt(value, floor) ? sub(value, floor) : ZERO),
        compare: rule.compare,
        crossed,
      },
    ]
  })
}
