import { compileSpec } from '../../domain/engine/compile.ts'
import { Replay } from '../../domain/engine/replay.ts'
import type { Command, JournalRecord } from '../../domain/engine/types.ts'
import type { MarketEvent } from '../../domain/market/event.ts'
import type { Account, Decision } from './account.ts'
import { covers } from './coverage.ts'
import { Names, named } from './names.ts'
import { abs, text } from './number.ts'
import { Oracle } from './oracle.ts'
import { accountOf, answerOf, byKind, type Differing, decided, firstDifference, line, stateOf } from './words.ts'
import type { Item, OracleWorld } from './worlds.ts'

export interface Difference extends Differing {
  step: number
  account: string
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
export function resolve(item: Exclude<Item, { tick: unknown }>, { orders, book }: Account): Command | null {
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
