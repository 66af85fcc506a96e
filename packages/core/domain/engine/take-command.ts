/** One command at its stamp, one evaluation point: answered, journalled, refusals too. */
import { ZERO } from '../money/dec.ts'
import { evaluate } from './evaluate.ts'
import { factsOf, gapsWith } from './facts.ts'
import { amendOrder } from './orders/amend.ts'
import { cancelAll, cancelOne } from './orders/cancel.ts'
import { closePosition } from './orders/close.ts'
import { placeOrder } from './orders/place-order.ts'
import { pauseAssessment, resumeAssessment } from './pause.ts'
import { endPhase, openPhase } from './phases.ts'
import { type AccountState, isRunning } from './state.ts'
import type { Input } from './step.ts'
import { type Turn, write } from './turn.ts'
import type { Answer, Command, JournalRecord } from './types.ts'

export function takeCommand(turn: Turn, input: Extract<Input, { kind: 'command' }>, before: AccountState): Answer {
  const { state } = turn
  const { command } = input
  state.cseq = input.cseq
  if (command.op === 'create') {
    if (state.status === 'none') writeHeader(turn, input.docs ?? {})
  }
  const record = write(turn, { kind: 'command', command, answer: { ok: true } }) as Extract<
    JournalRecord,
    { kind: 'command' }
  >
  record.answer = answerCommand(turn, command, `o${record.aseq}`)
  if (record.answer.ok) evaluate(turn, 'every', gapsWith(before, turn))
  return record.answer
}

function writeHeader(turn: Turn, docs: Record<string, string>): void {
  const { spec } = turn.compiled
  write(turn, {
    kind: 'header',
    engine: spec.engine,
    docs,
    currency: spec.currency,
    initial_balance: spec.initial_balance,
    leverage: spec.leverage,
    position_mode: spec.position_mode,
    stop_out: spec.stop_out,
    queue_model: spec.queue_model,
    latency_ms: spec.latency_ms,
    max_pauses: spec.max_pauses,
    max_pause_days: spec.max_pause_days,
    warnings: spec.warnings,
    reset_zone: spec.reset_zone,
    reset_time: spec.reset_time,
    phases: spec.phases,
    group: spec.group,
    seeds: [],
  })
}

function answerCommand(turn: Turn, command: Command, id: string): Answer {
  const { state } = turn
  switch (command.op) {
    case 'create':
      if (state.status !== 'none') return { ok: false, code: 'conflict', detail: 'The assessment exists already.' }
      state.status = 'created'
      return { ok: true, status: 'created' }
    case 'start':
      if (isRunning(state))
        return { ok: false, code: 'assessment_already_started', detail: 'The assessment was started before.' }
      if (state.status !== 'created')
        return { ok: false, code: 'assessment_ended', detail: `The assessment has ended: ${state.status}.` }
      state.status = 'started'
      openPhase(turn, 0)
      return { ok: true, status: 'started' }
    case 'abandon':
      if (state.status !== 'created' && !isRunning(state))
        return { ok: false, code: 'assessment_ended', detail: `The assessment has ended: ${state.status}.` }
      if (state.status === 'created') state.book.phase = 0
      endPhase(turn, 'abandoned', {
        rule: null,
        value: null,
        limit: null,
        equity: state.day ? factsOf(state, turn.compiled, turn.quoteOf, turn.at).equity : ZERO,
      })
      return { ok: true, status: 'abandoned' }
    case 'order':
      return placeOrder(turn, command, id)
    case 'cancel':
      return cancelOne(turn, command.order)
    case 'cancel_all':
      return cancelAll(turn, command.symbol)
    case 'amend':
      return amendOrder(turn, command.order, command)
    case 'close':
      return closePosition(turn, command, id)
    case 'pause':
      return pauseAssessment(turn)
    case 'resume':
      return resumeAssessment(turn)
  }
}
