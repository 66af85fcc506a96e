/**
 * A breach found while a symbol has no valid mark is provisional: working orders are cancelled, nothing is closed,
 * only reducing orders are accepted. Limits may be crossed again meanwhile, deeper, and recover: of each the deepest
 * later instant is kept beside the first one. When the last symbol that an instant waits for has a valid mark, the
 * equity of that instant is computed again with it: the first that is still a breach is final and dated then; if none
 * is, the breach is withdrawn.
 */
import type { QuoteOf } from '../instruments/convert.ts'
import { type Dec, lt, str } from '../money/dec.ts'
import { type Facts, isPast, type Point } from '../rules/kind.ts'
import {
  attribute,
  type Breach,
  type Crossed,
  inTableOrder,
  isSaid,
  marksOf,
  valuingSymbols,
  writeViolation,
} from './breach.ts'
import { factsAt, floorMeasure, type Gaps, gapOf, isTested, rulesOf, sortedRules } from './facts.ts'
import { resolve } from './lock.ts'
import { cancelWorking } from './phases.ts'
import type { Doubt, Provisional } from './state.ts'
import { own, type Turn, write } from './turn.ts'
import { unrealised } from './valuation.ts'
import type { Quote } from './view.ts'

/** Floors hold against equity; what else is measured says so itself; an act is a fact. */
export const restsOnMarks = ({ entry, atOnce }: Crossed): boolean =>
  !atOnce && (entry.kind.floor !== undefined || entry.kind.restsOnMarks === true)
const instantsOf = ({ first, later }: Provisional): Doubt[] => (first ? [first, ...later] : later)
export const waitedFor = (provisional: Provisional): string[] => instantsOf(provisional).flatMap((d) => d.waiting)
/** Symbols of positions, and of their paths, without a valid mark: the first quote since a feed was lost ends that. */
function waitingFor({ state, compiled, view }: Turn): string[] {
  const lost = new Set(state.provisional && waitedFor(state.provisional))
  return valuingSymbols(state, compiled).filter((s) => view.symbol(s)!.status === 'unknown' || lost.has(s))
}
/** One of the marks that a crossed limit rests on is not valid. */
export const isInDoubt = (turn: Turn, crossed: readonly Crossed[]): boolean =>
  crossed.some(restsOnMarks) && waitingFor(turn).length > 0

export interface Found {
  point: Point
  before: Gaps
  facts: Facts
}
function doubtOf(turn: Turn, crossed: readonly Crossed[], kept: Crossed, { point, before, facts }: Found): Doubt {
  const { state, compiled, view } = turn
  return {
    at: turn.at,
    mseq: view.mseq,
    balance: facts.balance,
    positions: state.book.positions.map((p) => ({ symbol: p.symbol, quantity: p.quantity, cost: p.cost })),
    marks: valuingSymbols(state, compiled).map((symbol) => {
      const quote = view.symbol(symbol)!.quote!
      return { symbol, bid: quote.bid.price, ask: quote.ask.price, mseq: quote.mseq }
    }),
    waiting: waitingFor(turn),
    rule: kept.entry.index,
    gap: gapOf(kept),
    before: [...before].map(([rule, gap]) => ({ rule, gap })),
    floors: rulesOf(state, compiled).map((rule, i) => (isTested(rule, point) ? state.rules[i]!.floor : null)),
    ideas: state.trades.ideas.map((i) => ({ ...i })),
    facts: crossed
      .filter((c) => !restsOnMarks(c))
      .map(({ entry, metric, value, limit, side }) => ({ rule: entry.index, metric, value, limit, side })),
  }
}

export function beginProvisional(turn: Turn, crossed: readonly Crossed[], found: Found): void {
  const attributed = attribute(crossed, found.before)
  writeViolation(turn, { crossed, attributed, facts: found.facts, marks: marksOf(turn) }, true)
  cancelWorking(turn, 'provisional_breach')
  turn.state.provisional = { first: doubtOf(turn, crossed, attributed, found), later: [] }
}
/**
 * A later instant takes the place of the one kept for a limit when it lies deeper beyond it. A point that is no deeper
 * than the one before it says nothing new; at a reset limits are tested that were not before.
 */
export function keepDeeper(turn: Turn, crossed: readonly Crossed[], found: Found): void {
  const { provisional } = turn.state
  const deeper = crossed.filter((c) => {
    const { index } = c.entry
    const kept = provisional!.later.find((d) => d.rule === index)
    const last = found.point === 'every' ? found.before.get(index) : undefined
    return (!kept || lt(gapOf(c), kept.gap)) && (!last || lt(gapOf(c), last))
  })
  if (deeper.length === 0) return
  const others = provisional!.later.filter((d) => !deeper.some((c) => c.entry.index === d.rule))
  own(turn).provisional!.later = [...others, ...deeper.map((c) => doubtOf(turn, crossed, c, found))]
}

/** Takes the newest event's marks in; decides the instants in order, as far as none of their symbols is waited for. */
export function settleProvisional(turn: Turn): void {
  const pending = turn.state.provisional
  if (!pending) return
  for (const doubt of instantsOf(pending)) takeMarks(turn, doubt)
  for (const doubt of instantsOf(pending)) {
    if (doubt.waiting.length > 0) return
    const { crossed, facts, marks } = computeAgain(turn, doubt)
    if (crossed.length === 0) continue
    if (pending.first && doubt !== pending.first) writeWithdrawn(turn, pending.first)
    const gaps: Gaps = new Map(doubt.before.map((b) => [b.rule, b.gap]))
    const attributed = attribute(crossed, gaps)
    const dated = { mts: doubt.at, mseq: doubt.mseq }
    turn.state.provisional = null
    if (resolve(turn, { crossed, attributed, facts, marks, dated }, gaps) !== 'flagged') return
    // a flag closes nothing: what was crossed after it is still to be decided
    pending.first = null
    pending.later = pending.later.slice(pending.later.indexOf(doubt) + 1)
    turn.state.provisional = pending
  }
  turn.state.provisional = null
  if (pending.first) writeWithdrawn(turn, pending.first)
}
/** A status alone is no mark: it takes a quote after the one that the instant was found with. */
function takeMarks({ view }: Turn, doubt: Doubt): void {
  const known = doubt.waiting.filter((s) => view.symbol(s)!.quote!.mseq > doubt.mseq)
  if (known.length === 0) return
  doubt.marks = doubt.marks.map((mark) => {
    if (!known.includes(mark.symbol)) return mark
    const { bid, ask, mseq } = view.symbol(mark.symbol)!.quote!
    return { symbol: mark.symbol, bid: bid.price, ask: ask.price, mseq }
  })
  doubt.waiting = doubt.waiting.filter((s) => !known.includes(s))
}

const level = (price: Dec) => ({ price, size: null, since: 0 })
/** The marks of that instant, those that were waited for included. */
function quotesThen(doubt: Doubt): QuoteOf {
  const quotes = new Map<string, Quote>(
    doubt.marks.map((m) => [
      m.symbol,
      { bid: level(m.bid), ask: level(m.ask), mseq: m.mseq, ts: 0, venue: '', synthetic: null },
    ]),
  )
  return (symbol) => quotes.get(symbol) ?? null
}
/** What rules look at as of that instant. */
function factsThen(turn: Turn, doubt: Doubt, quoteOf: QuoteOf): Facts {
  const { state, compiled } = turn
  const positions = doubt.positions.map((p) => ({ ...p, id: '', openedAt: 0, openedDay: 0 }))
  const account = {
    ...state,
    book: { ...state.book, positions, balance: doubt.balance },
    trades: { ...state.trades, ideas: doubt.ideas },
  }
  return {
    ...factsAt(account, compiled, unrealised(positions, compiled, quoteOf, doubt.balance), doubt.at),
    flat: false,
  }
}
/** All limits that were tested then, crossed or not. */
function testedThen(turn: Turn, doubt: Doubt, facts: Facts, quoteOf: QuoteOf): Crossed[] {
  const { floors, measured, all } = sortedRules(turn.state, turn.compiled)
  const found: Crossed[] = doubt.facts.map(({ rule, ...measure }) => ({ ...measure, entry: all[rule]!, atOnce: true }))
  for (const entry of floors) {
    const floor = doubt.floors[entry.index]
    if (floor) found.push({ ...floorMeasure(entry, floor, facts), entry })
  }
  for (const entry of measured) {
    const measure = entry.kind.restsOnMarks
      ? entry.kind.measure!(entry.rule, facts, turn.state.rules[entry.index]!, quoteOf)
      : null
    if (measure) found.push({ ...measure, entry })
  }
  return found.sort(inTableOrder)
}
function computeAgain(turn: Turn, doubt: Doubt) {
  const quoteOf = quotesThen(doubt)
  const facts = factsThen(turn, doubt, quoteOf)
  const tested = testedThen(turn, doubt, facts, quoteOf)
  const past = tested.filter((c) => c.atOnce || isPast(c, c.entry.compare))
  // what the violation said stands or falls; a later instant says what was not said meanwhile
  const crossed = doubt === turn.state.provisional?.first ? past : past.filter((c) => !isSaid(turn, c))
  const marks: Breach['marks'] = doubt.marks.map((m) => ({
    symbol: m.symbol,
    mseq: m.mseq,
    bid: str(m.bid),
    ask: str(m.ask),
    state: 'open',
  }))
  return { facts, tested, crossed, marks }
}

/** The limit that the provisional violation named, as it stood in truth. */
function writeWithdrawn(turn: Turn, first: Doubt): void {
  const c = computeAgain(turn, first).tested.find(({ entry }) => entry.index === first.rule)
  if (!c) return
  write(turn, {
    kind: 'withdrawn',
    phase: turn.state.phase,
    rule: c.entry.rule.rule,
    index: c.entry.index,
    value: str(c.value),
    limit: str(c.limit),
  })
}
