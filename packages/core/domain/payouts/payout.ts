/**
 * What a funded phase pays out (rules.md, Payouts): who may ask, how much, and what is left after it. Arithmetic only;
 * the engine does not book payouts yet, a later version journals each decision like a verdict.
 */
import { add, type Dec, floorTo, gt, gte, lt, lte, max, min, mul, round, sub, ZERO } from '../money/dec.ts'
import type { Compare } from '../rules/types.ts'

export interface PayoutTerms {
  /** profit above B0 that stays in the account and is never paid out */
  buffer: Dec
  /** profit above the buffer from which on it may be asked for */
  minProfit: Dec
  /** whole days since the phase opened or the last payout */
  minDays: number
  winningDays: number
  /** best day's share of the total; null: not asked */
  consistency: { share: Dec; compare: Compare } | null
  requireFlat: boolean
  /** most that one payout may be; null: no cap */
  cap: Dec | null
  /** share of the profit above the buffer that may be asked for at once */
  share: Dec
  /** trader's part of what is paid out */
  split: Dec
  after: AfterPayout
}
/** The overall loss floor after a payout: stays, starts again under the balance that is left, or is set to B0. */
export type AfterPayout = 'floors_kept' | 'floors_reset' | 'floor_at_initial'
export interface Floor {
  value: Dec
  compare: Compare
}
/** Account currency, exact; counters since the phase opened or the last payout. */
export interface PayoutFacts {
  initial: Dec
  balance: Dec
  days: number
  winningDays: number
  /** result of the best day and of all of them */
  bestDay: Dec
  total: Dec
  flat: boolean
  /** overall loss: the floor in force and its distance under B0 at the phase's start; null: no such rule */
  overall: (Floor & { distance: Dec }) | null
  /** the day's floor, which no payout moves before the next reset; null: none */
  day: Floor | null
  /** one minor unit of the account currency, and its decimal places */
  unit: Dec
  scale: number
}

export type Unmet = 'profit' | 'days' | 'winning_days' | 'consistency' | 'flat'
/** The conditions that stand against a payout now; empty: it may be asked for. Without a positive total consistency is not met. */
export function unmetConditions(terms: PayoutTerms, facts: PayoutFacts): Unmet[] {
  const unmet: Unmet[] = []
  const above = aboveBuffer(terms, facts)
  if (!gt(above, ZERO) || lt(above, terms.minProfit)) unmet.push('profit')
  if (facts.days < terms.minDays) unmet.push('days')
  if (facts.winningDays < terms.winningDays) unmet.push('winning_days')
  if (terms.consistency && !isConsistent(terms.consistency, facts)) unmet.push('consistency')
  if (terms.requireFlat && !facts.flat) unmet.push('flat')
  return unmet
}
const aboveBuffer = ({ buffer }: PayoutTerms, { balance, initial }: PayoutFacts): Dec =>
  sub(sub(balance, initial), buffer)
function isConsistent({ share, compare }: NonNullable<PayoutTerms['consistency']>, { bestDay, total }: PayoutFacts) {
  if (!gt(total, ZERO)) return false
  return compare === 'lt' ? lte(bestDay, mul(total, share)) : lt(bestDay, mul(total, share))
}

/** The overall floor that holds after `paid` has left the account; null: there is no such rule. */
export function floorAfter(terms: PayoutTerms, facts: PayoutFacts, paid: Dec): Dec | null {
  if (!facts.overall) return null
  if (terms.after === 'floors_kept') return facts.overall.value
  if (terms.after === 'floor_at_initial') return facts.initial
  return sub(sub(facts.balance, paid), facts.overall.distance)
}

/** The most that keeps the balance allowed: at the floor under `lt`, one unit above it under `lte`. */
function roomAbove(balance: Dec, floor: Dec, compare: Compare, unit: Dec): Dec {
  const room = sub(balance, floor)
  return compare === 'lt' ? room : sub(room, unit)
}
export type LimitedBy = 'asked' | 'cap' | 'share' | 'floor'
export interface Payout {
  /** what leaves the account, and who gets it: whole minor units */
  amount: Dec
  trader: Dec
  house: Dec
  limitedBy: LimitedBy
  balance: Dec
  /** overall floor after it */
  floor: Dec | null
}

/**
 * amount = min(cap, share of the profit above the buffer, what keeps the balance above the floors), cut to whole minor
 * units; `asked` may be less. The trader's part is rounded once, half-even; the house has the rest. Null: conditions
 * are not met, or nothing is left to pay.
 */
export function payoutOf(terms: PayoutTerms, facts: PayoutFacts, asked: Dec | null = null): Payout | null {
  if (unmetConditions(terms, facts).length > 0) return null
  const limits: [LimitedBy, Dec][] = [['share', mul(aboveBuffer(terms, facts), terms.share)]]
  if (terms.cap) limits.push(['cap', terms.cap])
  if (facts.overall && terms.after !== 'floors_reset') {
    const floor = floorAfter(terms, facts, ZERO)!
    limits.push(['floor', roomAbove(facts.balance, floor, facts.overall.compare, facts.unit)])
  }
  if (facts.day) limits.push(['floor', roomAbove(facts.balance, facts.day.value, facts.day.compare, facts.unit)])
  if (asked) limits.push(['asked', asked])
  const [limitedBy, most] = limits.reduce((least, limit) => (lt(limit[1], least[1]) ? limit : least))
  const amount = floorTo(most, facts.unit)
  if (!gt(amount, ZERO)) return null
  const trader = round(mul(amount, terms.split), facts.scale)
  return {
    amount,
    trader,
    house: sub(amount, trader),
    limitedBy,
    balance: sub(facts.balance, amount),
    floor: floorAfter(terms, facts, amount),
  }
}

export interface ScalingTerms {
  periodDays: number
  /** net profit of the period as a share of the account's size */
  profit: Dec
  payouts: number
  /** of the original size */
  step: Dec
  ceiling: Dec
}
export interface ScalingFacts {
  original: Dec
  size: Dec
  /** whole days since the phase opened or the last step, and what was made and paid out since */
  days: number
  profit: Dec
  payouts: number
  balance: Dec
}
/** The next size of an account, by a step of the original one up to the ceiling; null: not yet, or there is nothing above. */
export function scaledSize(terms: ScalingTerms, facts: ScalingFacts): Dec | null {
  const earned = gte(facts.profit, mul(facts.size, terms.profit))
  const due = facts.days >= terms.periodDays && facts.payouts >= terms.payouts
  if (!due || !earned || lt(facts.balance, facts.size)) return null
  const next = max(facts.size, min(terms.ceiling, add(facts.size, mul(facts.original, terms.step))))
  return gt(next, facts.size) ? next : null
}
