import type { AccountState } from '../../domain/engine/state.ts'
import type { Answer, JournalRecord, OrderView, Rule } from '../../domain/engine/types.ts'
import type { Account, Decision } from './account.ts'
import type { Names } from './names.ts'
import { ONE, text } from './number.ts'

/** What both sides say, in the same words. */
type Words = Record<string, string | number | boolean | bigint | null | undefined>
export interface Differing {
  what: string
  engine: string
  oracle: string
}
export function firstDifference(engine: Words, oracle: Words): Differing | null {
  for (const what in engine) {
    if (engine[what] !== oracle[what]) return { what, engine: show(engine[what]), oracle: show(oracle[what]) }
  }
  for (const what in oracle) {
    if (!(what in engine)) return { what, engine: 'undefined', oracle: show(oracle[what]) }
  }
  return null
}
const show = (value: unknown): string => (typeof value === 'bigint' ? text(value) : String(value))
export const line = (decision: object): string =>
  JSON.stringify(decision, (_, value) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
/** Per kind, in order: the specification orders fills, not floors against fills. */
export function byKind(decisions: Decision[]): Words {
  const words: Words = {}
  for (const { reason, ...rest } of decisions) {
    const decision: Decision = { ...rest, kind: rest.kind as string, ...(rest.kind === 'pause' ? {} : { reason }) }
    words[decision.kind] = `${words[decision.kind] ?? ''}${line(decision)}\n`
  }
  return words
}
export function decided(records: JournalRecord[], account: string, names: Names): Words {
  for (const record of records) if (record.kind === 'command') names.learn(account, record.command, record.answer)
  return byKind(records.flatMap((record) => decisionOf(record, (order) => names.of(account, order)) ?? []))
}
function decisionOf(r: JournalRecord, name: (order: string) => string): Decision | null {
  switch (r.kind) {
    case 'fill':
      return {
        kind: 'fill',
        phase: r.phase,
        symbol: r.symbol,
        side: r.side,
        quantity: r.quantity,
        price: r.price,
        liquidity: r.liquidity,
        result: r.result?.booked ?? '0',
        fee: r.fee?.booked ?? '0',
        id: name(r.position.id),
        position: r.position.quantity,
        cost: r.position.cost,
        order: name(r.order),
      }
    case 'order':
      return {
        kind: 'order',
        phase: r.phase,
        order: name(r.order),
        status: r.status,
        filled: r.filled,
        ...(r.view
          ? {
              type: r.view.type,
              quantity: r.view.quantity,
              price: r.view.price,
              stop: r.status === 'triggered' ? undefined : r.view.stop_price,
            }
          : { reason: reasonOf(r.reason) }),
      }
    case 'carry':
      return {
        kind: 'carry',
        phase: r.phase,
        what: r.what,
        position: name(r.position),
        symbol: r.symbol,
        quantity: r.quantity,
        rate: r.rate,
        booked: r.booked.booked,
      }
    case 'stop_out':
      return {
        kind: 'stop_out',
        phase: r.phase,
        position: name(r.position),
        symbol: r.symbol,
        equity: r.equity,
        used: r.used,
        level: r.level,
      }
    case 'lock':
      return { kind: 'lock', phase: r.phase, index: r.index, until: r.until }
    case 'warning':
      return { kind: 'warning', phase: r.phase, index: r.index, fraction: r.fraction, value: r.value, limit: r.limit }
    case 'pause':
      return { kind: 'pause', phase: r.phase, paused: r.paused, count: r.count }
    case 'day':
      return { kind: 'day', phase: r.phase, at: r.mts, day: r.day, k: r.k, balance: r.balance, equity: r.equity }
    case 'target':
      return { kind: 'target', phase: r.phase, index: r.index, reached: r.reached }
    case 'violation':
      return {
        kind: 'violation',
        phase: r.phase,
        index: r.index,
        value: r.value,
        limit: r.limit,
        equity: r.equity,
        provisional: r.provisional,
        at: r.dated?.mts ?? r.mts,
        crossed: r.crossed
          .map((c) => `${c.index} ${c.value} ${c.limit}`)
          .sort()
          .join(),
      }
    case 'withdrawn':
      return { kind: 'withdrawn', phase: r.phase }
    case 'verdict':
      return {
        kind: 'verdict',
        verdict: r.verdict,
        phase: r.phase,
        rule: r.rule,
        value: r.value,
        limit: r.limit,
        equity: r.equity,
        balance: r.balance,
      }
    case 'phase':
      return { kind: 'phase', phase: r.phase, status: r.status, balance: r.balance }
    default:
      return null
  }
}
/** The reasons that the specification or the shared decisions name. */
const REASONS = ['no_liquidity', 'oco', 'bracket_exited', 'nothing_to_reduce', 'settled', 'news_window']
const reasonOf = (reason?: string) => (reason !== undefined && REASONS.includes(reason) ? reason : undefined)
/** The field of a refusal is compared where the specification names it. */
export function answerOf(answer: Answer, account: string, names: Names, withField: boolean): string {
  if (!answer.ok) return line({ ok: false, code: answer.code, field: withField ? answer.field : undefined })
  const view = (order: OrderView) => ({
    id: names.of(account, order.id),
    type: order.type,
    quantity: order.quantity,
    filled: order.filled,
    ...(order.quantity === '0' ? {} : { status: order.status, reason: reasonOf(order.reason) }),
    expires: order.expires_at ?? null,
  })
  if (answer.order) {
    return line({
      ok: true,
      order: view(answer.order),
      legs: (answer.legs ?? []).map(view).filter(({ id }) => id !== names.of(account, answer.order!.id)),
    })
  }
  if (answer.cancelled) return line({ ok: true, cancelled: answer.cancelled.map((id) => names.of(account, id)).join() })
  return line({ ok: true, status: answer.status })
}
const POWERS = Array.from({ length: 73 }, (_, scale) => ONE / 10n ** BigInt(scale))
const exact = (dec: { n: bigint; s: number } | null): bigint | null => (dec === null ? null : dec.n * POWERS[dec.s]!)
/** Clocks that run from the phase's start. */
const runs = (rule: Rule): boolean => rule.rule === 'time_limit' && rule.from === 'start' && rule.unit === 'calendar'
export function stateOf(state: AccountState, rules: Rule[], name: (id: string) => string): Words {
  const words: Words = { status: state.status, phase: state.phase, provisional: state.provisional !== null }
  if (state.status === 'none' || state.status === 'created') return words
  for (const book of state.closing) {
    words[`closing ${book.phase}`] = exact(book.balance)
    for (const { id, quantity } of book.positions) words[`closing ${book.phase} ${name(id)}`] = exact(quantity)
  }
  if ((state.status !== 'started' && state.status !== 'paused') || !state.day) return words
  words.balance = exact(state.book.balance)
  for (const { id, symbol, quantity, cost } of state.book.positions) {
    const key = `${symbol} ${name(id)}`
    words[`position ${key}`] = exact(quantity)
    words[`cost ${key}`] = exact(cost)
  }
  words.orders = state.orders.map((o) => name(o.id)).join()
  for (const o of state.orders) {
    const id = name(o.id)
    words[`filled ${id}`] = exact(o.filled)
    words[`quantity ${id}`] = exact(o.quantity)
    words[`expires ${id}`] = o.expiresAt
    if (o.trailing) words[`best ${id}`] = exact(o.trailing.best)
    if (o.ahead !== null) words[`ahead ${id}`] = exact(o.ahead)
  }
  const { day } = state
  words.day = day.k
  words.next = day.next
  words.day_balance = exact(day.balance)
  words.day_equity = exact(day.equity)
  words.opened = day.opened
  words.opened_and_closed = day.openedAndClosed
  words.accepted = day.orders
  words.lock = state.lock?.until ?? null
  for (const d of state.provisional?.later ?? []) words[`doubt ${d.rule} ${d.at}`] = exact(d.gap)
  words.pauses = state.pauses.count
  words.paused_until = state.pauses.until
  for (const [i, rule] of state.rules.entries()) {
    const rulename = rules[i]!.rule
    if (rulename !== 'max_open_loss') words[`floor ${i}`] = exact(rule.floor)
    words[`reached ${i}`] = rule.reachedAt
    if (rules[i]!.rule !== 'time_limit') words[`days ${i}`] = rule.days
    if (runs(rules[i]!)) words[`due ${i}`] = rule.due
    words[`allowed ${i}`] = exact(rule.allowed)
  }
  return words
}
export function accountOf(account: Account): Words {
  const rules = account.spec.phases[account.phase]!.rules
  const words: Words = { status: account.status, phase: account.phase, provisional: account.provisional !== null }
  if (account.status === 'none' || account.status === 'created') return words
  for (const book of account.closing) {
    words[`closing ${book.phase}`] = book.balance
    for (const { id, quantity } of book.positions) words[`closing ${book.phase} ${id}`] = quantity
  }
  if (account.status !== 'started' && account.status !== 'paused') return words
  words.balance = account.book.balance
  for (const { id, symbol, quantity, cost } of account.book.positions) {
    words[`position ${symbol} ${id}`] = quantity
    words[`cost ${symbol} ${id}`] = cost
  }
  words.orders = account.orders.map((o) => o.id).join()
  for (const order of account.orders) {
    const { id } = order
    words[`filled ${id}`] = order.filled
    words[`quantity ${id}`] = order.quantity
    words[`expires ${id}`] = order.expiresAt
    if (order.trail) words[`best ${id}`] = order.best
    if (order.ahead !== null) words[`ahead ${id}`] = order.ahead
  }
  const { day } = account
  words.day = day.k
  words.next = day.next
  words.day_balance = day.balance
  words.day_equity = day.equity
  words.opened = day.opened
  words.opened_and_closed = day.openedAndClosed
  words.accepted = day.orders
  words.lock = account.lock?.until ?? null
  for (const d of account.provisional?.later ?? []) words[`doubt ${d.index} ${d.at}`] = d.gap
  words.pauses = account.pauses.count
  words.paused_until = account.pauses.until
  for (const [i, rule] of account.rules.entries()) {
    const name = rules[i]!.rule
    if (name !== 'max_open_loss') words[`floor ${i}`] = rule.floor
    words[`reached ${i}`] = rule.reachedAt
    if (rules[i]!.rule !== 'time_limit') words[`days ${i}`] = rule.days
    if (runs(rules[i]!)) words[`due ${i}`] = rule.due
    words[`allowed ${i}`] = rule.allowed
  }
  return words
}
