/**
 * The pure engine: one account, one input, the market as it stood -> the account after it and what is written down.
 * Order of work (trading.md, Fills): deadlines up to the event first, instant by instant, with the marks before the
 * event; then the event: book, resting limits by arrival, mark, rules, targets and gates.
 */
import { canonical } from '../journal/canonical.ts'
import { sha256Hex } from '../journal/hash.ts'
import type { MarketEvent } from '../market/event.ts'
import { settleTaken, take } from '../matching/depth.ts'
import { restingFill } from '../matching/resting.ts'
import { add, type Dec, dec, eq, str, sub, ZERO } from '../money/dec.ts'
import { kindOf } from '../rules/table.ts'
import { localDate, nextReset } from '../time/zone.ts'
import { isValuedBy } from './breach.ts'
import type { Compiled } from './compile.ts'
import { evaluate } from './evaluate.ts'
import { factsOf, type Gaps, gapsOf, rulesOf, setFloors, writeFloor } from './facts.ts'
import { cancelWorking, closeBook, endPhase, openPhase } from './phases.ts'
import { placeOrder } from './place-order.ts'
import { settleProvisional } from './provisional.ts'
import { type AccountState, encodeDeciding, isExposed } from './state.ts'
import { bookSource, type FloorNote, fill, newTurn, own, type Turn, write } from './turn.ts'
import type { Answer, Command, JournalRecord } from './types.ts'
import { quotesBefore } from './valuation.ts'
import type { MarketView } from './view.ts'

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
}
export const HOUR = 3_600_000

/** Brings what lapses by itself to the view's place; nothing else of a state changes without `step`. */
export function settle(state: AccountState, view: MarketView): AccountState {
  const s = { ...state, mseq: view.mseq, mts: view.mts }
  const at = (symbol: string) => view.symbol(symbol)
  if (s.book.taken.length > 0) s.book = { ...s.book, taken: settleTaken(s.book.taken, at) }
  if (s.closing.length > 0) s.closing = s.closing.map((b) => ({ ...b, taken: settleTaken(b.taken, at) }))
  return s
}
/** Hash of what decides: equal for every way of getting to one (mseq, cseq). */
export const stateHash = (state: AccountState, hash: (text: string) => string = sha256Hex): string =>
  hash(canonical(encodeDeciding(state)))

/** When time alone changes something next: the day's reset, an hourly checkpoint; null: never. */
export function nextDeadline(state: AccountState): number | null {
  const reset = state.status === 'started' ? state.day!.next : null
  if (reset === null || state.checkpoint === null) return reset ?? state.checkpoint
  return Math.min(reset, state.checkpoint)
}

export function step(before: AccountState, input: Input, view: MarketView, compiled: Compiled): StepResult {
  const turn = newTurn(settle(before, view), view, compiled)
  if (input.kind !== 'event' || trades(before, input.event)) own(turn)
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
  return { state: turn.state, records: turn.records, ...(answer ? { answer } : {}), notes: turn.notes }
}

/** More than a look at the rules: something closes, rests or waits for a mark. */
const trades = (s: AccountState, event: MarketEvent): boolean =>
  s.closing.length > 0 ||
  s.provisional !== null ||
  ('symbol' in event && s.orders.some((o) => o.symbol === event.symbol))

function followExposure(turn: Turn): void {
  const s = turn.state
  if (!isExposed(s)) s.checkpoint = null
  else s.checkpoint ??= Math.floor(turn.at / HOUR) * HOUR + HOUR
}

function gapsWith(state: AccountState, turn: Turn, quoteOf = turn.quoteOf): () => Gaps {
  let gaps: Gaps | undefined
  return () => {
    gaps ??= state.day ? gapsOf(state, turn.compiled, factsOf(state, turn.compiled, quoteOf, turn.at)) : new Map()
    return gaps
  }
}

// ---- time ------------------------------------------------------------------------------------------------------
function passDeadlines(turn: Turn, mts: number): void {
  for (let due = nextDeadline(turn.state); due !== null && due <= mts; due = nextDeadline(turn.state)) {
    turn.at = due
    if (turn.state.day?.next === due) passReset(turn)
    followExposure(turn)
    if (turn.state.checkpoint === due) {
      turn.state.checkpoint += HOUR
      write(turn, { kind: 'checkpoint', state_hash: stateHash(turn.state, turn.compiled.hash) })
    }
  }
  turn.at = turn.view.mts
}

/** The reset that ends a day: compare what is tested at reset, snapshot, new floors, compare. */
function passReset(turn: Turn): void {
  const { state, compiled } = turn
  // floors change below, the lines that a breach is attributed by start at the old ones
  const before = gapsWith({ ...state, rules: state.rules.map((r) => ({ ...r })) }, turn)
  evaluate(turn, 'reset', before)
  if (state.status !== 'started' || !state.day) return
  if (state.day.next !== turn.at) return
  const facts = factsOf(state, compiled, turn.quoteOf, turn.at)
  rulesOf(state, compiled).forEach((rule, i) => {
    kindOf(rule).endDay?.(rule, facts, state.rules[i]!)
  })
  state.day = {
    k: state.day.k + 1,
    start: turn.at,
    next: nextReset(compiled.zone, compiled.resetMinutes, turn.at),
    balance: facts.balance,
    equity: facts.equity,
    high: facts.equity,
    opened: false,
    openedAndClosed: false,
  }
  const fresh = { ...facts, day: state.day }
  const anchors: Record<string, string> = {}
  rulesOf(state, compiled).forEach((rule, i) => {
    const anchor = kindOf(rule).anchor?.(rule, fresh)
    if (anchor) anchors[String(i)] = str(anchor)
  })
  write(turn, {
    kind: 'day',
    phase: state.phase,
    day: localDate(compiled.zone, turn.at),
    k: state.day.k,
    balance: str(facts.balance),
    equity: str(facts.equity),
    anchors,
    log_head: turn.view.logHead,
  })
  setFloors(turn, fresh, writeFloor(turn))
  evaluate(turn, 'every', before)
}

// ---- market events ---------------------------------------------------------------------------------------------
function takeEvent(turn: Turn, event: MarketEvent, before: AccountState): void {
  const { state } = turn
  if ('symbol' in event && turn.owned) {
    for (const book of state.closing) closeBook(turn, book, event.symbol)
    state.closing = state.closing.filter((b) => b.positions.length > 0)
    if (state.status === 'started' && turn.view.symbol(event.symbol)!.status === 'open') fillResting(turn, event)
  }
  settleProvisional(turn)
  const moved = turn.records.length > 0 || !('symbol' in event) || isValuedBy(state, turn.compiled, event.symbol)
  if (moved) evaluate(turn, 'every', gapsWith(before, turn, quotesBefore(turn.view)))
}

function fillResting(turn: Turn, event: Extract<MarketEvent, { symbol: string }>): void {
  const { state, view, compiled } = turn
  const market = compiled.markets.get(event.symbol)
  const symbol = view.symbol(event.symbol)!
  if (!market || !symbol.quote) return
  let printLeft: Dec = event.kind === 'trade' ? dec(event.size) : ZERO
  for (const order of state.orders.filter((o) => o.symbol === event.symbol)) {
    const got = restingFill(
      order.side,
      order.price,
      sub(order.quantity, order.filled),
      event,
      printLeft,
      symbol,
      state.book,
      market,
    )
    if (!got) continue
    const opposite = order.side === 'buy' ? 'ask' : 'bid'
    if (got.from === 'trade') printLeft = sub(printLeft, got.quantity)
    for (const { level, quantity } of got.levels)
      take(state.book, event.symbol, opposite, level.price, quantity, view.mseq)
    const source =
      got.from === 'trade' && event.kind === 'trade'
        ? {
            kind: 'trade' as const,
            venue: event.venue,
            mseq: event.mseq,
            price: event.price,
            size: event.size,
            ts: event.ts,
            ...(event.synthetic ? { synthetic: event.synthetic } : {}),
          }
        : bookSource(turn, market, got.levels[0]!.level)
    order.filled = add(order.filled, got.quantity)
    fill(turn, state.book, market, {
      order: order.id,
      side: order.side,
      quantity: got.quantity,
      price: order.price,
      liquidity: 'maker',
      source,
    })
    if (eq(order.filled, order.quantity)) {
      state.orders = state.orders.filter((o) => o !== order)
      write(turn, { kind: 'order', phase: state.phase, order: order.id, status: 'filled', filled: str(order.filled) })
    }
  }
}

// ---- commands --------------------------------------------------------------------------------------------------
function takeCommand(turn: Turn, input: Extract<Input, { kind: 'command' }>, before: AccountState): Answer {
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
      if (state.status === 'started')
        return { ok: false, code: 'assessment_already_started', detail: 'The assessment was started before.' }
      if (state.status !== 'created')
        return { ok: false, code: 'assessment_ended', detail: `The assessment has ended: ${state.status}.` }
      state.status = 'started'
      openPhase(turn, 0)
      return { ok: true, status: 'started' }
    case 'abandon':
      if (state.status !== 'created' && state.status !== 'started')
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
  }
}

function cancelOne(turn: Turn, name: string): Answer {
  const { state } = turn
  const order = state.orders.find((o) => o.id === name || (o.clientId !== null && `client:${o.clientId}` === name))
  if (!order) return { ok: false, code: 'order_not_working', detail: `No working order ${name}.` }
  state.orders = state.orders.filter((o) => o !== order)
  write(turn, {
    kind: 'order',
    phase: state.phase,
    order: order.id,
    status: 'cancelled',
    filled: str(order.filled),
    reason: 'requested',
  })
  return { ok: true, cancelled: [order.id] }
}

function cancelAll(turn: Turn, symbol: string | undefined): Answer {
  const { state } = turn
  const kept = symbol === undefined ? [] : state.orders.filter((o) => o.symbol !== symbol)
  const cancelled = state.orders.filter((o) => !kept.includes(o))
  state.orders = cancelled
  cancelWorking(turn, 'requested')
  state.orders = kept
  return { ok: true, cancelled: cancelled.map((o) => o.id) }
}
