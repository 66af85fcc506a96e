import { compileSpec } from '../../domain/engine/compile.ts'
import { Replay } from '../../domain/engine/replay.ts'
import type { AccountState } from '../../domain/engine/state.ts'
import type { Answer, Command, JournalRecord, OrderView, Rule } from '../../domain/engine/types.ts'
import type { MarketEvent } from '../../domain/market/event.ts'
import type { Account, Decision, Order } from './account.ts'
import { abs, ONE, text } from './number.ts'
import { Oracle } from './oracle.ts'
import { stopOf } from './value.ts'
import type { Item, OracleWorld } from './worlds.ts'

export interface Difference {
  step: number
  account: string
  what: string
  engine: string
  oracle: string
}
export interface Comparison {
  pairs: number
  /** how often each kind of thing was decided: what the worlds cover */
  coverage: Map<string, number>
  difference: Difference | null
}

/** One world through the engine and through the oracle, side by side; stops at the first difference. */
export function compare(world: OracleWorld): Comparison {
  const oracle = new Oracle()
  const records = new Map<string, JournalRecord[]>()
  const replay = new Replay(undefined, (account, result) => records.get(account)!.push(...result.records))
  const names = new Names()
  const coverage = new Map<string, number>()
  const note = (what: string) => coverage.set(what, (coverage.get(what) ?? 0) + 1)
  let pairs = 0
  let mseq = 0
  let cseq = 0
  for (const { account, spec } of world.accounts) {
    oracle.add(account, spec)
    replay.add(account, compileSpec(spec))
    records.set(account, [])
  }
  const differs = (step: number, account: string, mine: Decision[]): Difference | null => {
    const theirs = records.get(account)!
    const { state } = replay.accounts.get(account)!
    const own = oracle.accounts.get(account)!
    if (theirs.length > 0) records.set(account, [])
    for (const decision of mine) for (const what of covers(decision, own)) note(what)
    const difference =
      (theirs.length + mine.length > 0 && firstDifference(decided(theirs, account, names), byKind(mine))) ||
      firstDifference(
        stateOf(state, own.spec.phases[state.phase]!.rules, (id) => names.of(account, id)),
        accountOf(own),
      )
    return difference ? { step, account, ...difference } : null
  }
  for (const [step, item] of world.items.entries()) {
    if ('tick' in item) {
      mseq += 1
      const event = { ...item.tick, mseq, mts: Math.max(replay.view.mts, item.tick.ts) } as MarketEvent
      const mine = oracle.event(event)
      replay.event(event)
      for (const [account, said] of mine) {
        pairs += 1
        const difference = differs(step, account, said)
        if (difference) return { pairs, coverage, difference }
      }
      continue
    }
    const { account } = item
    const command = resolve(item, oracle.accounts.get(account)!)
    const theirs = command && names.resolve(account, command)
    if (!theirs) continue
    cseq += 1
    const mine = oracle.command(account, named(command))
    const answer = replay.command(account, theirs, cseq).answer!
    names.learn(account, command, answer)
    note(
      `answer ${command.op}${command.op === 'order' ? ` ${command.type}` : ''} ${answer.ok ? (answer.order?.status ?? 'ok') : answer.code}`,
    )
    const difference =
      firstDifference(
        { answer: answerOf(answer, account, names, 'field' in mine.answer && !!mine.answer.field) },
        { answer: line(mine.answer) },
      ) ?? differs(step, account, mine.decisions)
    if (difference) return { pairs, coverage, difference: { step, account, ...difference } }
  }
  return { pairs, coverage, difference: null }
}

/** What the world asks for as things are: null when there is no such order or position. */
function resolve(item: Exclude<Item, { tick: unknown }>, { orders, book }: Account): Command | null {
  const held = (n: number) => book.positions.toSorted((a, b) => (a.id < b.id ? -1 : 1))[n % book.positions.length]
  if ('flatten' in item) {
    const position = held(item.flatten)
    if (!position) return null
    return {
      op: 'order',
      symbol: position.symbol,
      side: position.quantity > 0n ? 'sell' : 'buy',
      type: 'market',
      quantity: text(abs(position.quantity)),
      client_order_id: item.id,
    }
  }
  const command = { ...item.command } as Record<string, unknown>
  if (typeof command.order === 'string' && command.order.startsWith('?')) {
    const order = orders[Number(command.order.slice(1)) % orders.length]
    if (!order) return null
    command.order = `@${order.id}`
  }
  if (typeof command.position === 'string' && command.position.startsWith('?')) {
    const position = held(Number(command.position.slice(1)))
    if (!position) return null
    command.position = `@${position.id}`
  }
  return command as unknown as Command
}

// ---- names -------------------------------------------------------------------------------------------------------
/** The engine names an order by its record, the oracle by the client's id: `@c5.tp` in a command is either's own name. */
class Names {
  private readonly clients = new Map<string, string>()
  private readonly orders = new Map<string, string>()

  learn(account: string, command: Command, answer: Answer): void {
    if (!answer.ok || !answer.order) return
    if (command.op !== 'order' && command.op !== 'close') return
    this.clients.set(`${account} ${answer.order.id}`, command.client_order_id!)
    this.orders.set(`${account} ${command.client_order_id}`, answer.order.id)
  }
  of(account: string, order: string): string {
    const [id, ...rest] = order.split('.')
    const known = this.clients.get(`${account} ${id}`)
    return known === undefined ? order : [known, ...rest].join('.')
  }
  private order(account: string, name: string): string | undefined {
    const [id, ...rest] = name.slice(1).split('.')
    const known = this.orders.get(`${account} ${id}`)
    return known === undefined ? undefined : [known, ...rest].join('.')
  }
  /** Null: it names what never was. */
  resolve(account: string, command: Command): Command | null {
    const copy = { ...command } as Record<string, unknown>
    for (const key of ['order', 'position']) {
      const name = copy[key]
      if (typeof name !== 'string' || !name.startsWith('@')) continue
      copy[key] = this.order(account, name)
      if (copy[key] === undefined) return null
    }
    return copy as unknown as Command
  }
}
function named(command: Command): Command {
  const copy = { ...command } as Record<string, unknown>
  for (const key of ['order', 'position']) {
    if (typeof copy[key] === 'string') copy[key] = (copy[key] as string).replace(/^(@|client:)/, '')
  }
  return copy as unknown as Command
}

// ---- both sides in the same words -------------------------------------------------------------------------------
type Words = Record<string, string | number | boolean | bigint | null | undefined>
function firstDifference(engine: Words, oracle: Words): Pick<Difference, 'what' | 'engine' | 'oracle'> | null {
  for (const what in engine) {
    if (engine[what] !== oracle[what]) return { what, engine: show(engine[what]), oracle: show(oracle[what]) }
  }
  for (const what in oracle) {
    if (!(what in engine)) return { what, engine: 'undefined', oracle: show(oracle[what]) }
  }
  return null
}
const show = (value: unknown): string => (typeof value === 'bigint' ? text(value) : String(value))
const line = (decision: object): string =>
  JSON.stringify(decision, (_, value) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )

/** Per kind, in order: the specification orders fills, not floors against fills. */
function byKind(decisions: Decision[]): Words {
  const words: Words = {}
  for (const { reason, ...rest } of decisions) {
    const decision: Decision = { ...rest, kind: rest.kind as string, ...(rest.kind === 'pause' ? {} : { reason }) }
    words[decision.kind] = `${words[decision.kind] ?? ''}${line(decision)}\n`
  }
  return words
}
function decided(records: JournalRecord[], account: string, names: Names): Words {
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
function answerOf(answer: Answer, account: string, names: Names, withField: boolean): string {
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
function stateOf(state: AccountState, rules: Rule[], name: (id: string) => string): Words {
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
function accountOf(account: Account): Words {
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

// ---- coverage -----------------------------------------------------------------------------------------------------
function covers(decision: Decision, account: Account): string[] {
  const rules = account.spec.phases[decision.phase as number]?.rules ?? []
  const rule = typeof decision.index === 'number' ? rules[decision.index] : undefined
  switch (decision.kind) {
    case 'fill': {
      const id = String(decision.order)
      const house = ['close', 'lock', 'flat', 'stop_out', 'settlement'].includes(id) ? id : ''
      return [`fill ${house || decision.liquidity}`]
    }
    case 'order':
      return [`order ${decision.status}${decision.reason ? ` ${decision.reason}` : ''}`]
    case 'violation':
      return [`violation ${rule!.rule} ${rule!.effect}${decision.provisional ? ' provisional' : ''}`]
    case 'warning':
      return [`warning ${rule!.rule}`]
    case 'verdict':
      return [`verdict ${decision.verdict}`]
    case 'carry':
      return [`carry ${decision.what}`]
    case 'lock':
      return [decision.index === null ? 'unlock' : `lock ${rule!.rule}`]
    default:
      return [decision.kind]
  }
}
export const stopText = (order: Order): string | null => {
  const stop = stopOf(order)
  return stop === null ? null : text(stop)
}
