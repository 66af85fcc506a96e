/**
 * What the coming reset can do to an account whose book stays as it is: an index asks, so that a reset of very many
 * accounts looks at once only at those that it may decide.
 */
import type { Compiled } from '@assay/core/domain/engine/compile'
import { factsAt, sortedRules } from '@assay/core/domain/engine/facts'
import type { AccountState } from '@assay/core/domain/engine/state'
import { floorAt, isLocked, isSettledLater } from '@assay/core/domain/engine/triggers'
import type { Rule } from '@assay/core/domain/engine/types'
import { nextWarning } from '@assay/core/domain/engine/warnings'
import { type Dec, dec, eq, lt, lte, max } from '@assay/core/domain/money/dec'
import { type Facts, isPast, metricOf } from '@assay/core/domain/rules/kind'

/** The state as the reset leaves it where nothing is decided there, with this equity at its instant. */
function afterReset(state: AccountState, compiled: Compiled, equity: Dec): Facts {
  const ending = factsAt(state, compiled, equity, state.day!.next)
  const { balance } = state.book
  const day = { ...state.day!, k: state.day!.k + 1, balance, equity, high: equity }
  const after = { ...state, day, rules: state.rules.map((r) => ({ ...r })) }
  const fresh = factsAt(after, compiled, equity, state.day!.next)
  const { all, floors } = sortedRules(state, compiled)
  for (const { kind, rule, index } of all) {
    kind.endDay?.(rule, ending, after.rules[index]!)
    if (kind.anchor || kind.followsBalance) after.rules[index]!.warned = 0
  }
  for (const { kind, rule, index } of floors) after.rules[index]!.floor = kind.floor!(rule, fresh, after.rules[index]!)
  return fresh
}

type FloorEntry = ReturnType<typeof sortedRules>['floors'][number]
const following = new WeakMap<Rule, boolean>()
/** Does the floor that a reset sets hang on equity? */
function hangsOnEquity({ rule, index }: FloorEntry, state: AccountState, compiled: Compiled): boolean {
  let found = following.get(rule)
  if (found === undefined) {
    const [a, b] = [LITTLE, MUCH].map((equity) => afterReset(state, compiled, equity).account.rules[index]!.floor)
    found = !(a && b && eq(a, b))
    following.set(rule, found)
  }
  return found
}
const LITTLE = dec('0')
const MUCH = dec('1000000000000000000000000000000')

/** The highest floor or warning under equity that the reset is sure to set; null: it sets none, or one that follows equity. */
export function comingFloor(state: AccountState, compiled: Compiled): Dec | null {
  if (state.status !== 'started') return null
  let highest: Dec | null = null
  let after: Facts | null = null
  for (const entry of sortedRules(state, compiled).floors) {
    const { kind, rule, index, side, metric } = entry
    if (side === 'above' || metric === 'balance' || !kind.testedAt?.(rule, 'every')) continue
    if (hangsOnEquity(entry, state, compiled)) continue
    after ??= afterReset(state, compiled, state.book.balance)
    const { floor } = after.account.rules[index]!
    for (const level of [floor, nextWarning(entry, after)]) if (level) highest = highest ? max(highest, level) : level
  }
  return highest
}

/** Nothing can pass: there is nothing to pass, or a gate is shut after the reset too. Targets are met with equity at its highest, if ever. */
function staysShut(after: Facts, most: Dec | null): boolean {
  const { account, compiled } = after
  if (compiled.spec.phases[account.phase]!.kind !== 'evaluation') return true
  const { gates } = sortedRules(account, compiled)
  return (
    gates.length === 0 ||
    gates.some(({ kind, rule, index }) => {
      const own = account.rules[index]!
      if (rule.rule !== 'profit_target') return !kind.met!(rule, after, own)
      if (rule.sticky && own.reachedAt !== null) return false
      if (rule.basis === 'equity' && most === null) return false
      return !kind.met!(rule, { ...after, equity: most ?? after.equity }, own)
    })
  )
}

/** Equity at the reset, and how high it can be until the account is looked at; null: any. */
export interface Bounds {
  least: Dec
  most: Dec | null
  highest: Dec | null
}
/**
 * True is a proof: with equity from `least` to `most` at the reset nothing is crossed before or after it, no gate
 * opens, no warning is due, and no floor under equity rises above `least` while equity is not above `highest`.
 * Floors rise with the equity that they hang on, so both ends bound them.
 */
export function isQuietReset(state: AccountState, compiled: Compiled, { least, most, highest }: Bounds): boolean {
  if (state.status !== 'started' || state.provisional || state.lock) return false
  const { floors, measured, clocks, dayHigh } = sortedRules(state, compiled)
  // the day's high starts anew, and its next rise must be seen
  if (!dayHigh.every(isSettledLater)) return false
  if (clocks.some(({ kind }) => kind.endDay)) return false
  if (measured.length > 0 || floors.some((entry) => entry.side === 'above' && most === null)) return false
  const { balance } = state.book
  const worst = { below: { balance, equity: least }, above: { balance, equity: most ?? least } }
  const isCrossed = (floor: Dec | null, { metric, side, compare }: (typeof floors)[number]): boolean =>
    floor !== null && isPast({ value: metricOf(metric, worst[side]), limit: floor, side }, compare)
  for (const entry of floors)
    if (entry.kind.testedAt?.(entry.rule, 'reset') && isCrossed(state.rules[entry.index]!.floor, entry)) return false
  return (most === null ? [least] : [least, most]).every((equity) => {
    const after = afterReset(state, compiled, equity)
    if (!staysShut(after, most)) return false
    for (const entry of floors) {
      if (most === null && hangsOnEquity(entry, state, compiled)) return false
      if (isCrossed(after.account.rules[entry.index]!.floor, entry)) return false
      const level = nextWarning(entry, after)
      if (level && lte(metricOf(entry.metric, worst.below), level)) return false
    }
    if (highest === null && !isLocked({ ...after, equity: least })) return false
    const floor = floorAt({ ...after, equity: least }, highest)
    return !floor || (floor.strict ? lte(floor.value, least) : lt(floor.value, least))
  })
}
