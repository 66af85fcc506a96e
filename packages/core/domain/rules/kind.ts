import type { Day, RuleState } from '../engine/state.ts'
import type { Metric, Rule } from '../engine/types.ts'
import { type Dec, min } from '../money/dec.ts'

/** What a rule may look at, account currency, exact. */
export interface Facts {
  initial: Dec
  balance: Dec
  equity: Dec
  day: Day
  flat: boolean
  at: number
}
/** `reset`: the end of a day, before its snapshot; `every`: any evaluation point, the one after that snapshot included */
export type Point = 'every' | 'reset'
export interface RuleKind<R extends Rule> {
  /** loss rules: the floor under these facts */
  floor?: (rule: R, facts: Facts, state: RuleState) => Dec
  /** loss rules: is the floor tested at this kind of point */
  testedAt?: (rule: R, point: Point) => boolean
  /** the amount the day's floor hangs on, for the day's row */
  anchor?: (rule: R, facts: Facts) => Dec
  /** objectives: open when this is true */
  met?: (rule: R, facts: Facts, state: RuleState) => boolean
  /** at a reset, before the new day: counts the day that ends */
  endDay?: (rule: R, facts: Facts, state: RuleState) => void
}

/** The value that a limit is held against. */
export function metricOf(metric: Metric, facts: Pick<Facts, 'balance' | 'equity'>): Dec {
  if (metric === 'equity') return facts.equity
  return metric === 'balance' ? facts.balance : min(facts.equity, facts.balance)
}
