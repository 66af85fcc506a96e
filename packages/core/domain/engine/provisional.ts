/**
 * A breach found while a symbol has no valid mark is provisional: working orders are cancelled, nothing is closed,
 * only reducing orders are accepted. When the last such symbol has a valid mark the equity of that instant is
 * computed again with it: final and dated then, or withdrawn.
 */
import type { QuoteOf } from '../instruments/convert.ts'
import { type Dec, str } from '../money/dec.ts'
import { type Facts, isPast, type Point } from '../rules/kind.ts'
import { attribute, type Breach, type Crossed, inTableOrder, valuingSymbols, writeViolation } from './breach.ts'
import { factsAt, floorMeasure, type Gaps, isTested, rulesOf, sortedRules } from './facts.ts'
import { resolve } from './lock.ts'
import { cancelWorking } from './phases.ts'
import type { Provisional } from './state.ts'
import { type Turn, write } from './turn.ts'
import { unrealised } from './valuation.ts'
import type { Quote } from './view.ts'

/** Floors hold against equity; what else is measured says so itself; an act is a fact. */
export const restsOnMarks = ({ entry, atOnce }: Crossed): boolean =>
  !atOnce && (entry.kind.floor !== undefined || entry.kind.restsOnMarks === true)
const waitingFor = ({ state, compiled, view }: Turn): string[] =>
  valuingSymbols(state, compiled).filter((s) => view.symbol(s)!.status === 'unknown')
/** One of the marks that a crossed limit rests on is not valid. */
export const isInDoubt = (turn: Turn, crossed: readonly Crossed[]): boolean =>
  crossed.some(restsOnMarks) && waitingFor(turn).length > 0

export function beginProvisional(turn: Turn, breach: Breach, found: { point: Point; before: Gaps }): void {
  const { state, compiled, view } = turn
  writeViolation(turn, breach, true)
  cancelWorking(turn, 'provisional_breach')
  state.provisional = {
    at: turn.at,
    mseq: view.mseq,
    balance: breach.facts.balance,
    positions: state.book.positions.map((p) => ({ symbol: p.symbol, quantity: p.quantity, cost: p.cost })),
    marks: valuingSymbols(state, compiled).map((symbol) => {
      const quote = view.symbol(symbol)!.quote!
      return { symbol, bid: quote.bid.price, ask: quote.ask.price, mseq: quote.mseq }
    }),
    waiting: waitingFor(turn),
    rule: breach.attributed.entry.index,
    before: [...found.before].map(([rule, gap]) => ({ rule, gap })),
    floors: rulesOf(state, compiled).map((rule, i) => (isTested(rule, found.point) ? state.rules[i]!.floor : null)),
    ideas: state.trades.ideas.map((i) => ({ ...i })),
    facts: breach.crossed
      .filter((c) => !restsOnMarks(c))
      .map(({ entry, metric, value, limit, side }) => ({ rule: entry.index, metric, value, limit, side })),
  }
}

/** Takes the newest event's marks in; decides when no symbol is waited for any more. True when it was decided. */
export function settleProvisional(turn: Turn): boolean {
  const pending = turn.state.provisional
  if (!pending) return false
  // a status alone is no mark: it takes a quote after the one that the breach was found with
  const known = pending.waiting.filter((s) => turn.view.symbol(s)!.quote!.mseq > pending.mseq)
  if (known.length === 0) return false
  for (const symbol of known) {
    const quote = turn.view.symbol(symbol)!.quote!
    const mark = pending.marks.find((m) => m.symbol === symbol)!
    Object.assign(pending.marks, {
      [pending.marks.indexOf(mark)]: { symbol, bid: quote.bid.price, ask: quote.ask.price, mseq: quote.mseq },
    })
  }
  pending.waiting = pending.waiting.filter((s) => !known.includes(s))
  if (pending.waiting.length > 0) return false
  decide(turn, pending)
  return true
}

const level = (price: Dec) => ({ price, size: null, since: 0 })
/** The marks of that instant, those that were waited for included. */
function quotesThen(p: Provisional): QuoteOf {
  const quotes = new Map<string, Quote>(
    p.marks.map((m) => [
      m.symbol,
      { bid: level(m.bid), ask: level(m.ask), mseq: m.mseq, ts: 0, venue: '', synthetic: null },
    ]),
  )
  return (symbol) => quotes.get(symbol) ?? null
}
/** What rules look at as of that instant. */
function factsThen(turn: Turn, pending: Provisional, quoteOf: QuoteOf): Facts {
  const { state, compiled } = turn
  const positions = pending.positions.map((p) => ({ ...p, id: '', openedAt: 0, openedDay: 0 }))
  const account = {
    ...state,
    book: { ...state.book, positions, balance: pending.balance },
    trades: { ...state.trades, ideas: pending.ideas },
  }
  return {
    ...factsAt(account, compiled, unrealised(positions, compiled, quoteOf, pending.balance), pending.at),
    flat: false,
  }
}
/** All limits that were tested then, crossed or not. */
function testedThen(turn: Turn, pending: Provisional, facts: Facts, quoteOf: QuoteOf): Crossed[] {
  const { floors, measured, all } = sortedRules(turn.state, turn.compiled)
  const found: Crossed[] = pending.facts.map(({ rule, ...measure }) => ({
    ...measure,
    entry: all[rule]!,
    atOnce: true,
  }))
  for (const entry of floors) {
    const floor = pending.floors[entry.index]
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

function decide(turn: Turn, pending: Provisional): void {
  const { state } = turn
  const quoteOf = quotesThen(pending)
  const facts = factsThen(turn, pending, quoteOf)
  const tested = testedThen(turn, pending, facts, quoteOf)
  const crossed = tested.filter((c) => c.atOnce || isPast(c, c.entry.compare))
  state.provisional = null
  if (crossed.length === 0) {
    const c = tested.find(({ entry }) => entry.index === pending.rule)
    if (c)
      write(turn, {
        kind: 'withdrawn',
        phase: state.phase,
        rule: c.entry.rule.rule,
        index: c.entry.index,
        value: str(c.value),
        limit: str(c.limit),
      })
    return
  }
  const gaps: Gaps = new Map(pending.before.map((b) => [b.rule, b.gap]))
  const marks = pending.marks.map((m) => ({
    symbol: m.symbol,
    mseq: m.mseq,
    bid: str(m.bid),
    ask: str(m.ask),
    state: 'open',
  }))
  const dated = { mts: pending.at, mseq: pending.mseq }
  resolve(turn, { crossed, attributed: attribute(crossed, gaps), facts, marks, dated }, gaps)
}
