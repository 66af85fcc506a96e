/**
 * The pure engine: one account, one input, the market as it stood -> the account after it and what is written down.
 * Order of work (trading.md, Fills): deadlines up to the event first, instant by instant, with the marks before the
 * event (deadlines.ts); then the event (take-event.ts), or a command at its stamp (take-command.ts).
 */
import type { MarketEvent } from '../market/event.ts'
import type { Dec } from '../money/dec.ts'
import type { Compiled } from './compile.ts'
import { followExposure, passDeadlines } from './deadlines.ts'
import { settle } from './settle.ts'
import type { AccountState } from './state.ts'
import { takeCommand } from './take-command.ts'
import { takeEvent } from './take-event.ts'
import { type FloorNote, newTurn, own, type Turn, write } from './turn.ts'
import type { Answer, Command, JournalRecord } from './types.ts'
import type { MarketView } from './view.ts'

export { nextDeadline } from './deadlines.ts'
export { HOUR, settle, stateHash } from './settle.ts'

export type Input =
  /** deadlines due up to `mts`, before the event at `mts` is applied to the view */
  | { kind: 'deadline'; mts: number }
  /** the event that was just applied to the view */
  | { kind: 'event'; event: MarketEvent }
  /** a command at its stamp (the view's mseq and mts) */
  | { kind: 'command'; command: Command; cseq: number; docs?: Record<string, string> }
  /** a segment ended: verdicts up to `last` cite its head */
  | { kind: 'segment'; head: string; last: number }
export interface StepResult {
  state: AccountState
  records: JournalRecord[]
  /** commands only */
  answer?: Answer
  notes: FloorNote[]
  /** equity as the rules saw it, where nothing was booked after them; null: not computed */
  equity: Dec | null
}

const equityKnown = ({ valued, records, view, at }: Turn): Dec | null =>
  valued && valued.records === records.length && at === view.mts ? valued.equity : null

export function step(before: AccountState, input: Input, view: MarketView, compiled: Compiled): StepResult {
  const turn = newTurn(settle(before, view), view, compiled)
  // an event owns what it changes: most change nothing
  if (input.kind !== 'event') own(turn)
  let answer: Answer | undefined
  switch (input.kind) {
    case 'deadline':
      passDeadlines(turn, input.mts)
      break
    case 'event':
      takeEvent(turn, input.event, before)
      break
    case 'command':
      answer = takeCommand(turn, input, before)
      break
    case 'segment':
      for (const u of turn.state.unsealed) {
        if (u.mseq <= input.last) write(turn, { kind: 'sealed', verdict_aseq: u.aseq, log_head: input.head })
      }
      turn.state.unsealed = turn.state.unsealed.filter((u) => u.mseq > input.last)
      break
  }
  followExposure(turn)
  return {
    state: turn.state,
    records: turn.records,
    ...(answer ? { answer } : {}),
    notes: turn.notes,
    equity: equityKnown(turn),
  }
}
