import { compileSpec } from '../../domain/engine/compile.ts'
import { Replay } from '../../domain/engine/replay.ts'
import type { AccountState } from '../../domain/engine/state.ts'
import type { Answer, Command, JournalRecord } from '../../domain/engine/types.ts'
import type { MarketEvent } from '../../domain/market/event.ts'
import { type Account, type Decision, positionOf } from './account.ts'
import { abs, ONE, text } from './number.ts'
import { Oracle } from './oracle.ts'
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
  decisions: Map<string, number>
  difference: Difference | null
}

/** One world through the engine and through the oracle, side by side; stops at the first difference. */
export function compare(world: OracleWorld): Comparison {
  const oracle = new Oracle()
  const records = new Map<string, JournalRecord[]>()
  const replay = new Replay(undefined, (account, result) => records.get(account)!.push(...result.records))
  const names = new Map<string, string>()
  const decisions = new Map<string, number>()
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
    records.set(account, [])
    for (const { kind } of mine) decisions.set(kind, (decisions.get(kind) ?? 0) + 1)
    const { state } = replay.accounts.get(account)!
    const difference =
      (theirs.length + mine.length > 0 && firstDifference(decided(theirs, account, names), byKind(mine))) ||
      firstDifference(stateOf(state), accountOf(oracle.accounts.get(account)!))
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
        if (difference) return { pairs, decisions, difference }
      }
      continue
    }
    const command = resolve(item, oracle)
    if (!command) continue
    cseq += 1
    const mine = oracle.command(item.account, command)
    const answer = replay.command(item.account, command, cseq).answer!
    if (answer.ok && answer.order) names.set(`${item.account} ${answer.order.id}`, answer.order.client_order_id!)
    const difference =
      firstDifference({ answer: answerOf(answer, item.account, names) }, { answer: line(mine.answer) }) ??
      differs(step, item.account, mine.decisions)
    if (difference) return { pairs, decisions, difference: { step, account: item.account, ...difference } }
  }
  return { pairs, decisions, difference: null }
}

/** `flatten` asks for what would close the position as it is now: nothing when there is none. */
function resolve(item: Exclude<Item, { tick: unknown }>, oracle: Oracle): Command | null {
  if ('command' in item) return item.command
  const held = positionOf(oracle.accounts.get(item.account)!.book, item.flatten)?.quantity ?? 0n
  if (held === 0n) return null
  return {
    op: 'order',
    symbol: item.flatten,
    side: held > 0n ? 'sell' : 'buy',
    type: 'market',
    quantity: text(abs(held)),
    client_order_id: item.id,
  }
}

// ---- both sides in the same words -------------------------------------------------------------------------------
type Words = Record<string, string | number | boolean | bigint | null | undefined>
function firstDifference(engine: Words, oracle: Words): Pick<Difference, 'what' | 'engine' | 'oracle'> | null {
  for (const what of new Set([...Object.keys(engine), ...Object.keys(oracle)])) {
    if (engine[what] !== oracle[what]) return { what, engine: show(engine[what]), oracle: show(oracle[what]) }
  }
  return null
}
const show = (value: unknown): string => (typeof value === 'bigint' ? text(value) : String(value))
const line = (decision: object): string => JSON.stringify(decision, Object.keys(decision).sort())

/** Per kind, in order: the specification orders fills, not floors against fills. */
function byKind(decisions: Decision[]): Words {
  const words: Words = {}
  for (const decision of decisions) words[decision.kind] = `${words[decision.kind] ?? ''}${line(decision)}\n`
  return words
}
function decided(records: JournalRecord[], account: string, names: Map<string, string>): Words {
  for (const record of records) {
    if (record.kind === 'command' && record.answer.ok && record.answer.order?.client_order_id) {
      names.set(`${account} ${record.answer.order.id}`, record.answer.order.client_order_id)
    }
  }
  const name = (order: string) => names.get(`${account} ${order}`) ?? 'close'
  return byKind(records.flatMap((record) => decisionOf(record, name) ?? []))
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
        position: r.position.quantity,
        cost: r.position.cost,
        order: name(r.order),
      }
    case 'order': {
      const order = name(r.order)
      if (order === 'close') return null
      return { kind: 'order', order, status: r.status, filled: r.filled, reason: named(r.reason) }
    }
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
/** The one reason that the specification names. */
const named = (reason?: string) => (reason === 'no_liquidity' ? reason : undefined)
function answerOf(answer: Answer, account: string, names: Map<string, string>): string {
  if (!answer.ok) return line({ ok: false, code: answer.code })
  if (answer.order) {
    const { filled, status, reason } = answer.order
    return line({ ok: true, filled, status, reason })
  }
  if (answer.cancelled)
    return line({ ok: true, cancelled: answer.cancelled.map((id) => names.get(`${account} ${id}`)).join() })
  return line({ ok: true, status: answer.status })
}

const POWERS = Array.from({ length: 73 }, (_, scale) => ONE / 10n ** BigInt(scale))
const exact = (dec: { n: bigint; s: number } | null): bigint | null => (dec === null ? null : dec.n * POWERS[dec.s]!)
function stateOf(state: AccountState): Words {
  const words: Words = { status: state.status, phase: state.phase, provisional: state.provisional !== null }
  if (state.status === 'none' || state.status === 'created') return words
  for (const book of state.closing) {
    words[`closing ${book.phase}`] = exact(book.balance)
    for (const { symbol, quantity } of book.positions) words[`closing ${book.phase} ${symbol}`] = exact(quantity)
  }
  if (state.status !== 'started' || !state.day) return words
  words.balance = exact(state.book.balance)
  for (const { symbol, quantity, cost } of state.book.positions) {
    words[`position ${symbol}`] = exact(quantity)
    words[`cost ${symbol}`] = exact(cost)
  }
  words.orders = state.orders.map((o) => o.clientId).join()
  for (const { clientId, filled } of state.orders) words[`filled ${clientId}`] = exact(filled)
  words.day = state.day.k
  words.next = state.day.next
  words.day_balance = exact(state.day.balance)
  words.day_equity = exact(state.day.equity)
  words.opened = state.day.opened
  words.opened_and_closed = state.day.openedAndClosed
  for (const [i, rule] of state.rules.entries()) {
    words[`floor ${i}`] = exact(rule.floor)
    words[`reached ${i}`] = rule.reachedAt
    words[`days ${i}`] = rule.days
  }
  return words
}
function accountOf(account: Account): Words {
  const words: Words = { status: account.status, phase: account.phase, provisional: account.provisional !== null }
  if (account.status === 'none' || account.status === 'created') return words
  for (const book of account.closing) {
    words[`closing ${book.phase}`] = book.balance
    for (const { symbol, quantity } of book.positions) words[`closing ${book.phase} ${symbol}`] = quantity
  }
  if (account.status !== 'started') return words
  words.balance = account.book.balance
  for (const { symbol, quantity, cost } of account.book.positions) {
    words[`position ${symbol}`] = quantity
    words[`cost ${symbol}`] = cost
  }
  words.orders = account.orders.map((o) => o.id).join()
  for (const { id, filled } of account.orders) words[`filled ${id}`] = filled
  const { day } = account
  words.day = day.k
  words.next = day.next
  words.day_balance = day.balance
  words.day_equity = day.equity
  words.opened = day.opened
  words.opened_and_closed = day.openedAndClosed
  for (const [i, rule] of account.rules.entries()) {
    words[`floor ${i}`] = rule.floor
    words[`reached ${i}`] = rule.reachedAt
    words[`days ${i}`] = rule.days
  }
  return words
}
