/** Each rule as it stands now, for people: nothing here decides. */
import type { QuoteOf } from '../instruments/convert.ts'
import { type Dec, dec, div, fixed, gt, isZero, str, sub } from '../money/dec.ts'
import type { Facts, Standing } from '../rules/kind.ts'
import { type Entry, type FloorEntry, phaseRules } from '../rules/phase-rules.ts'
import { floorMeasure, gapOf } from './facts.ts'
import { priceAt, type Reach } from './reach.ts'

/** One rule as served live: where it stands, its limit, what is left and how much of the allowance is used (0 to 1). */
export interface RuleView {
  rule: string
  index: number
  effect: string
  metric: string | null
  value: string
  /** floor, ceiling, target, number of days, largest size, or the list that an order must be on; empty: none now */
  limit: string
  remaining: string
  /** share of the way to the limit, 0 to 1, four places */
  fraction: string
  /** what may still be lost before the limit is reached: floor + permitted loss = metric; null: no loss rule */
  permitted_loss: string | null
  met: boolean | null
  compare: string | null
  reached_at: number | null
  /** consistency: what the result has to come to with its best day as it is */
  effective_target: string | null
  /** where each held symbol would have to trade for the limit to be reached, if nothing else moved */
  prices: Reach[]
}

/** More places than prices and sizes make: what a conversion or a leverage divided. */
const DIVIDED_PLACES = 13
/**
 * Money as it is served: at least the currency's places, more where the value has them; what was divided is rounded
 * half-even to them. What is kept and decided by stays exact.
 */
export function money(value: Dec, scale: number): string {
  const text = str(value)
  const places = text.split('.')[1]?.length ?? 0
  return places > scale && places < DIVIDED_PLACES ? text : fixed(value, scale)
}
const clamp = (d: Dec): string => (d.n < 0n ? '0' : gt(d, { n: 1n, s: 0 }) ? '1' : str(d))
const share = (part: Dec, whole: Dec): string => (isZero(whole) ? '1' : clamp(div(part, whole, 4)))

/** In each held symbol, or in the one that is named. */
function reaches(
  facts: Facts,
  quoteOf: QuoteOf,
  to: { equity: Dec; side: 'below' | 'above'; symbol?: string },
): Reach[] {
  const { book } = facts.account
  const symbols = new Set(book.positions.map((p) => p.symbol))
  return [...symbols].flatMap((symbol) => {
    if (to.symbol !== undefined && to.symbol !== symbol) return []
    const price = priceAt(book, facts.compiled, quoteOf, symbol, to)
    return price ? [{ symbol, price: str(price) }] : []
  })
}

type Shown = Omit<RuleView, 'rule' | 'index' | 'effect' | 'reached_at' | 'compare'>
function showFloor(entry: FloorEntry, floor: Dec, facts: Facts, quoteOf: QuoteOf): Shown {
  const { scale } = facts.compiled
  const { rule, kind, side } = entry
  const measure = floorMeasure(entry, floor, facts)
  const { value } = measure
  const shown = { value: money(value, scale), limit: money(floor, scale) }
  // of what is shown: rounded by itself it could be a minor unit off
  const left = money(gapOf({ ...measure, value: dec(shown.value), limit: dec(shown.limit) }), scale)
  const start = (kind.start ?? kind.anchor)?.(rule, facts, facts.account.rules[entry.index]!) ?? facts.initial
  return {
    metric: entry.metric,
    ...shown,
    remaining: left,
    fraction: share(sub(start, value), sub(start, floor)),
    permitted_loss: side === 'below' ? left : null,
    met: null,
    effective_target: null,
    prices: entry.metric === 'balance' ? [] : reaches(facts, quoteOf, { equity: floor, side }),
  }
}
function showStanding(standing: Standing, facts: Facts, prices: Reach[]): Shown {
  const { scale } = facts.compiled
  const text = (value: Dec | string): string => {
    if (typeof value === 'string') return value
    return standing.unit === 'money' ? money(value, scale) : str(value)
  }
  const { part, whole } = standing.used
  return {
    metric: standing.metric,
    value: text(standing.value),
    limit: text(standing.limit),
    remaining: text(standing.remaining),
    fraction: share(part, whole),
    permitted_loss: standing.isLoss ? text(standing.remaining) : null,
    met: standing.met,
    effective_target: standing.effectiveTarget ? money(standing.effectiveTarget, scale) : null,
    prices,
  }
}
/** A limit that there is none of now: no profit to lose a share of. */
const NO_LIMIT: Shown = {
  metric: 'equity',
  value: '',
  limit: '',
  remaining: '',
  fraction: '0',
  permitted_loss: null,
  met: null,
  effective_target: null,
  prices: [],
}

function show(entry: Entry, floors: readonly FloorEntry[], facts: Facts, quoteOf: QuoteOf): Shown {
  const state = facts.account.rules[entry.index]!
  const floor = floors.find((f) => f.index === entry.index)
  if (floor) return state.floor ? showFloor(floor, state.floor, facts, quoteOf) : NO_LIMIT
  const { rule, kind } = entry
  const to = kind.reach?.(rule, facts, state, quoteOf) ?? null
  return showStanding(kind.standing!(rule, facts, state, quoteOf), facts, to ? reaches(facts, quoteOf, to) : [])
}
export function ruleViews(facts: Facts, quoteOf: QuoteOf): RuleView[] {
  const { all, floors } = phaseRules(facts.compiled.spec.phases[facts.account.phase]!)
  return all.map((entry) => ({
    rule: entry.rule.rule,
    index: entry.index,
    effect: entry.effect,
    compare: 'compare' in entry.rule ? entry.rule.compare : null,
    reached_at: facts.account.rules[entry.index]!.reachedAt,
    ...show(entry, floors, facts, quoteOf),
  }))
}
