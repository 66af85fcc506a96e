/** Pause and resume: a flat account stands still, its clocks too; resets go on. */
import { DAY } from '../calendars/local-time.ts'
import { sortedRules } from './facts.ts'
import { refuse } from './orders/refusal.ts'
import { cancelWorking } from './phases.ts'
import type { AccountState } from './state.ts'
import { type Turn, write } from './turn.ts'
import type { Answer } from './types.ts'

/** When a pause ends by itself; null: none runs. */
export const pauseEnd = ({ pauses }: AccountState): number | null => pauses.until

export function pauseAssessment(turn: Turn): Answer {
  const { state } = turn
  const { max_pauses, max_pause_days } = turn.compiled.spec
  if (state.status === 'paused') return refuse('assessment_paused', 'The assessment is paused already.')
  const bar = pauseBar(state, max_pauses)
  if (bar) return bar
  const left = max_pause_days * DAY - state.pauses.total
  if (left <= 0) return refuse('pause_not_allowed', `The ${max_pause_days} days of pause are used.`)
  cancelWorking(turn, 'paused')
  state.status = 'paused'
  // a clock that stands still keeps what it has left, and starts again with it
  for (const { kind, index } of sortedRules(state, turn.compiled).clocks) {
    const rule = state.rules[index]!
    if (!kind.pauses || rule.due === null) continue
    rule.left = rule.due - turn.at
    rule.due = null
  }
  state.pauses = { ...state.pauses, count: state.pauses.count + 1, since: turn.at, until: turn.at + left }
  write(turn, { kind: 'pause', phase: state.phase, paused: true, count: state.pauses.count })
  return { ok: true, status: 'paused' }
}
function pauseBar(state: AccountState, maxPauses: number): Answer | null {
  if (state.status === 'created') return refuse('assessment_not_started', 'Start the assessment first.')
  if (state.status !== 'started') return refuse('assessment_ended', `The assessment has ended: ${state.status}.`)
  if (maxPauses === 0) return refuse('pause_not_allowed', 'This assessment may not be paused.')
  if (state.pauses.count >= maxPauses)
    return refuse('pause_not_allowed', `At most ${maxPauses} pauses are allowed; all of them are used.`)
  if (state.book.positions.length > 0)
    return refuse('pause_not_allowed', 'Close all positions first: a pause needs a flat account.')
  return null
}

export function resumeAssessment(turn: Turn): Answer {
  const { status } = turn.state
  if (status === 'created') return refuse('assessment_not_started', 'Start the assessment first.')
  if (status === 'started') return refuse('assessment_not_paused', 'The assessment is not paused.')
  if (status !== 'paused') return refuse('assessment_ended', `The assessment has ended: ${status}.`)
  resume(turn)
  return { ok: true, status: 'started' }
}
export function resume(turn: Turn, reason?: string): void {
  const { state } = turn
  for (const rule of state.rules) {
    if (rule.left === null) continue
    rule.due = turn.at + rule.left
    rule.left = null
  }
  state.status = 'started'
  const total = state.pauses.total + turn.at - state.pauses.since!
  state.pauses = { ...state.pauses, total, since: null, until: null }
  write(turn, {
    kind: 'pause',
    phase: state.phase,
    paused: false,
    count: state.pauses.count,
    ...(reason ? { reason } : {}),
  })
}
