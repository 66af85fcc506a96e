/**
 * A breach found while a symbol has no valid mark is provisional: working orders are cancelled, nothing is closed,
 * only reducing orders are accepted. When the last such symbol has a valid mark the equity of that instant is
 * computed again with it: final and dated then, or withdrawn.
 */
import { convert } from '../instruments/convert.ts'
import type { Dec } from '../money/dec.ts'
import { add, str } from '../money/dec.ts'
import { metricOf, type Point } from '../rules/kind.ts'
import {
  attribute,
  type Breach,
  type Crossed,
  inTableOrder,
  isCrossed,
  valuingSymbols,
  writeViolation,
} from './breach.ts'
import type { Compiled } from './compile.ts'
import { type Gaps, isLoss, isTested, rulesOf } from './facts.ts'
import { cancelWorking, failPhase } from './phases.ts'
import type { Provisional } from './state.ts'
import { type Turn, write } from './turn.ts'
import { floating } from './valuation.ts'
import type { Quote } from './view.ts'

/** Makes the breach provisional if one of its marks is not valid. */
export function beginProvisional(turn: Turn, breach: Breach, found: { point: Point; before: Gaps }): boolean {
  const { state, compiled, view } = turn
  const symbols = valuingSymbols(state, compiled)
  const waiting = symbols.filter((s) => view.symbol(s)!.status === 'unknown')
  if (waiting.length === 0) return false
  writeViolation(turn, breach, true)
  cancelWorking(turn, 'provisional_breach')
  state.provisional = {
    at: turn.at,
    mseq: view.mseq,
    balance: breach.facts.balance,
    positions: state.book.positions.map((p) => ({ symbol: p.symbol, quantity: p.quantity, cost: p.cost })),
    marks: symbols.map((symbol) => {
      const quote = view.symbol(symbol)!.quote!
      return { symbol, bid: quote.bid.price, ask: quote.ask.price, mseq: quote.mseq }
    }),
    waiting,
    rule: breach.attributed.index,
    before: [...found.before].map(([rule, gap]) => ({ rule, gap })),
    floors: rulesOf(state, compiled).map((rule, i) => (isTested(rule, found.point) ? state.rules[i]!.floor : null)),
  }
  return true
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

function equityThen(p: Provisional, compiled: Compiled): Dec {
  const level = (price: Dec) => ({ price, size: null, since: 0 })
  const quotes = new Map<string, Quote>(
    p.marks.map((m) => [
      m.symbol,
      { bid: level(m.bid), ask: level(m.ask), mseq: m.mseq, ts: 0, venue: '', synthetic: null },
    ]),
  )
  const quoteOf = (symbol: string): Quote | null => quotes.get(symbol) ?? null
  return p.positions.reduce((total, held) => {
    const market = compiled.markets.get(held.symbol)!
    const mark = quotes.get(held.symbol)!
    const result = floating(held.quantity, held.cost, market, mark.bid.price, mark.ask.price)
    return add(total, convert(result, market.path!, quoteOf)!.value)
  }, p.balance)
}

function decide(turn: Turn, pending: Provisional): void {
  const { state, compiled } = turn
  const equity = equityThen(pending, compiled)
  const facts = {
    initial: compiled.initial,
    balance: pending.balance,
    equity,
    day: state.day!,
    flat: false,
    at: pending.at,
  }
  const crossed: Crossed[] = []
  let suspected: Crossed | null = null
  rulesOf(state, compiled).forEach((rule, index) => {
    const floor = pending.floors[index]
    if (!floor || !isLoss(rule)) return
    const value = metricOf(rule.metric, facts)
    const c = { rule, index, value, floor }
    if (index === pending.rule) suspected = c
    if (isCrossed(c.rule, value, floor)) crossed.push(c)
  })
  crossed.sort(inTableOrder)
  state.provisional = null
  if (crossed.length === 0) {
    const c = suspected! as Crossed
    write(turn, {
      kind: 'withdrawn',
      phase: state.phase,
      rule: c.rule.rule,
      index: c.index,
      value: str(c.value),
      limit: str(c.floor),
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
  failPhase(turn, {
    crossed,
    attributed: attribute(crossed, gaps),
    facts,
    marks,
    dated: { mts: pending.at, mseq: pending.mseq },
  })
}
