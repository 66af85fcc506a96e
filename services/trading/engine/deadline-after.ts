import type { Compiled } from '@assay/core/domain/engine/compile'
import { nextOther } from '@assay/core/domain/engine/deadlines'
import type { AccountState } from '@assay/core/domain/engine/state'
import { HOUR } from '@assay/core/domain/engine/step'
import { nextReset } from '@assay/core/domain/time/zone'

export const isResetDue = (state: AccountState, mts: number): boolean => state.day !== null && state.day.next <= mts

/**
 * The next deadline of an account whose deadlines up to `mts` decide nothing, before they are taken. `resets` keeps
 * what accounts of one kind share at that instant.
 */
export function deadlineAfter(
  state: AccountState,
  compiled: Compiled,
  mts: number,
  resets: Map<Compiled, number>,
): number | null {
  const checkpoint =
    state.checkpoint === null || state.checkpoint > mts
      ? state.checkpoint
      : state.checkpoint + (Math.floor((mts - state.checkpoint) / HOUR) + 1) * HOUR
  const other = nextOther(state)
  const own = other !== null && (checkpoint === null || other < checkpoint) ? other : checkpoint
  if (state.day === null) return own
  let reset = state.day.next
  if (reset <= mts) {
    reset = resets.get(compiled) ?? nextReset(compiled.zone, compiled.resetMinutes, mts)
    resets.set(compiled, reset)
  }
  return own === null ? reset : Math.min(reset, own)
}
