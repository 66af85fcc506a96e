/**
 * A second trading core, written from the specification alone: slow and obvious. Every account looks at everything
 * it has at every event and every command; nothing is indexed, remembered or left out. It shares no code with the
 * engine, only the shapes of what both are told.
 */
import type { AccountSpec, Command } from '../../domain/engine/types.ts'
import type { MarketEvent } from '../../domain/market/event.ts'
import { type Account, type Book, type Decision, type Order, phaseOf, rulesOf } from './account.ts'
import { decideOrder } from './command.ts'
import { fillMarketable, fillResting, forgetTaken } from './fill.ts'
import { type Newest, OracleMarket } from './market.ts'
import { max, num, percentOf, text } from './number.ts'
import { localDay, resetAfter } from './resets.ts'
import { type Crossed, counts, crossedIn, floorOf, inOrderCrossed, isFloorRule, measure } from './rules.ts'
import { equityOf, isUnknown } from './value.ts'

export interface Told {
  answer: Record<string, unknown>
  decisions: Decision[]
}
interface Ending {
  at: number
  balance: bigint
  equity: bigint
  first?: Crossed
}
const initialOf = (account: Account): bigint => num(account.spec.initial_balance)

export class Oracle {
  readonly market = new OracleMarket()
  readonly accounts = new Map<string, Account>()
  private said: Decision[] = []
  private readonly marks = (symbol: string): Newest => this.market.of(symbol)

  add(id: string, spec: AccountSpec): void {
    this.accounts.set(id, {
      id,
      spec,
      status: 'none',
      phase: 0,
      book: { phase: 0, balance: 0n, positions: [], taken: [] },
      orders: [],
      day: { k: 0, next: 0, balance: 0n, equity: 0n, high: 0n, opened: false, openedAndClosed: false },
      rules: [],
      gaps: [],
      provisional: null,
      closing: [],
    })
  }

  /** Every account's deadlines with the marks before the event, then the event: one evaluation point. */
  event(event: MarketEvent): Map<string, Decision[]> {
    const decisions = new Map<string, Decision[]>()
    for (const account of this.accounts.values()) {
      this.said = []
      while (account.status === 'started' && account.day.next <= event.mts) this.reset(account)
      decisions.set(account.id, this.said)
    }
    this.market.apply(event)
    for (const account of this.accounts.values()) {
      this.said = decisions.get(account.id)!
      this.meet(account, event)
    }
    return decisions
  }

  private meet(account: Account, event: MarketEvent): void {
    for (const book of [account.book, ...account.closing]) forgetTaken(account, book, this.market)
    for (const book of account.closing) this.closePositions(account, book)
    account.closing = account.closing.filter((book) => book.positions.length > 0)
    if (account.status !== 'started') return
    const print =
      event.kind === 'trade' ? { symbol: event.symbol, price: num(event.price), left: num(event.size) } : null
    for (const order of [...account.orders]) {
      const isHere = 'symbol' in event && event.symbol === order.symbol
      if (!isHere || this.market.of(order.symbol).state !== 'open') continue
      this.said.push(...fillResting(account, order, print, this.market))
      if (order.filled === order.quantity) this.end(account, order, 'filled')
    }
    this.evaluate(account, this.market.mts)
  }

  command(id: string, command: Command): Told {
    const account = this.accounts.get(id)!
    this.said = []
    return { answer: this.obey(account, command), decisions: this.said }
  }
  private obey(account: Account, command: Command): Record<string, unknown> {
    const refuse = (code: string) => ({ ok: false, code })
    if (command.op === 'create') {
      if (account.status !== 'none') return refuse('conflict')
      account.status = 'created'
      return { ok: true, status: 'created' }
    }
    if (command.op === 'start') {
      if (account.status === 'started') return refuse('assessment_already_started')
      if (account.status !== 'created') return refuse('assessment_ended')
      account.status = 'started'
      this.open(account, 0, this.market.mts)
      return { ok: true, status: 'started' }
    }
    if (command.op === 'abandon' && (account.status === 'created' || account.status === 'started')) {
      const { balance } = account.book
      this.finish(account, 'abandoned', {
        at: this.market.mts,
        balance,
        equity: equityOf(account.spec, account.book, this.marks),
      })
      return { ok: true, status: 'abandoned' }
    }
    if (command.op === 'cancel_all' && account.status !== 'started') return { ok: true, cancelled: '' }
    if (account.status === 'none' || account.status === 'created') return refuse('assessment_not_started')
    if (account.status !== 'started') return refuse('assessment_ended')
    if (command.op === 'order') {
      const { refusal, order, waits } = decideOrder(account, command, this.market)
      if (refusal) return refuse(refusal)
      if (!waits) this.said.push(...fillMarketable(account, account.book, order!, this.market))
      if (order!.filled === order!.quantity) this.end(account, order!, 'filled')
      else if (order!.lasting) account.orders.push(order!)
      else this.end(account, order!, 'cancelled', 'no_liquidity')
      const { filled, status, reason } = order!
      const answer = { ok: true, filled: text(filled), status, reason }
      this.evaluate(account, this.market.mts)
      return answer
    }
    if (command.op !== 'cancel' && command.op !== 'cancel_all') return refuse('assessment_ended')
    const named = account.orders.filter((order) =>
      command.op === 'cancel'
        ? `client:${order.id}` === command.order
        : command.symbol === undefined || command.symbol === order.symbol,
    )
    if (command.op === 'cancel' && named.length === 0) return refuse('order_not_working')
    for (const order of named) this.end(account, order, 'cancelled')
    this.evaluate(account, this.market.mts)
    return { ok: true, cancelled: named.map((order) => order.id).join() }
  }

  // ---- rules ----------------------------------------------------------------------------------------------------

  /** One reset: what is tested at it with the ending day's floors, then the snapshot, new floors, compare. */
  private reset(account: Account): void {
    const { day, book, spec } = account
    const at = day.next
    const equity = equityOf(spec, book, this.marks)
    if (!account.provisional) this.test(account, 'reset', at, equity)
    if (account.status !== 'started') return
    rulesOf(account).forEach((rule, i) => {
      if (rule.rule === 'min_trading_days' && counts(rule, day, book.balance, initialOf(account))) {
        account.rules[i]!.days += 1
      }
    })
    account.day = {
      k: day.k + 1,
      next: resetAfter(spec.reset_zone, spec.reset_time, at),
      balance: book.balance,
      equity,
      high: equity,
      opened: false,
      openedAndClosed: false,
    }
    this.said.push({
      kind: 'day',
      phase: account.phase,
      at,
      day: localDay(spec.reset_zone, at),
      k: day.k + 1,
      balance: text(book.balance),
      equity: text(equity),
    })
    this.evaluate(account, at)
  }

  /** Mark equity, ratchet floors, compare; a breach wins over a target. */
  private evaluate(account: Account, at: number): void {
    if (account.status !== 'started') return
    const equity = equityOf(account.spec, account.book, this.marks)
    account.day.high = max(account.day.high, equity)
    this.setFloors(account)
    if (account.provisional) this.settle(account)
    if (account.status === 'started' && !account.provisional) {
      this.test(account, 'always', at, equity)
      if (account.status === 'started' && !account.provisional) this.judgeTargets(account, at, equity)
    }
    if (account.status === 'started') account.gaps = this.gapsOf(account, equity)
  }
  private setFloors(account: Account): void {
    rulesOf(account).forEach((rule, i) => {
      if (isFloorRule(rule)) account.rules[i]!.floor = floorOf(rule, initialOf(account), account.day)
    })
  }
  private gapsOf(account: Account, equity: bigint): bigint[] {
    return rulesOf(account).map((rule, i) =>
      isFloorRule(rule) ? measure(rule.metric, account.book.balance, equity) - account.rules[i]!.floor! : 0n,
    )
  }
  private test(account: Account, tested: 'always' | 'reset', at: number, equity: bigint): void {
    const { book, spec } = account
    const test = { tested, floors: account.rules.map(({ floor }) => floor), before: account.gaps }
    const crossed = crossedIn(rulesOf(account), test, book.balance, equity)
    if (crossed.length === 0) return
    const isProvisional = book.positions.some((p) => isUnknown(spec, p.symbol, this.marks))
    const first = this.sayViolation(account, at, crossed, equity, isProvisional)
    if (!isProvisional) {
      this.finish(account, 'failed', { at, balance: book.balance, equity, first })
      return
    }
    for (const order of [...account.orders]) this.end(account, order, 'cancelled')
    const marks = spec.instruments.map(({ symbol }) => [symbol, structuredClone(this.market.of(symbol))] as const)
    account.provisional = { at, book: copy(book), test, marks: new Map(marks) }
  }
  /** One violation: the first limit crossed, and every other. */
  private sayViolation(
    account: Account,
    at: number,
    crossed: Crossed[],
    equity: bigint,
    provisional: boolean,
  ): Crossed {
    const value = (c: Crossed) => text(c.floor + c.after)
    const [first, ...others] = inOrderCrossed(account, crossed) as [Crossed, ...Crossed[]]
    this.said.push({
      kind: 'violation',
      phase: account.phase,
      index: first.index,
      value: value(first),
      limit: text(first.floor),
      equity: text(equity),
      provisional,
      at,
      crossed: others
        .map((c) => `${c.index} ${value(c)} ${text(c.floor)}`)
        .sort()
        .join(),
    })
    return first
  }
  /** Each lost feed's first mark since stands in; with the last of them the breach's own instant is computed again. */
  private settle(account: Account): void {
    const { at, book, test, marks } = account.provisional!
    for (const [symbol, then] of marks) {
      const isMarked = (this.market.of(symbol).quote?.mseq ?? 0) > (then.quote?.mseq ?? 0)
      if (then.state === 'unknown' && isMarked) marks.set(symbol, structuredClone(this.market.of(symbol)))
    }
    const then = (symbol: string): Newest => marks.get(symbol)!
    if (book.positions.some((p) => isUnknown(account.spec, p.symbol, then))) return
    const equity = equityOf(account.spec, book, then)
    const crossed = crossedIn(rulesOf(account), test, book.balance, equity)
    account.provisional = null
    if (crossed.length === 0) {
      this.said.push({ kind: 'withdrawn', phase: account.phase })
      return
    }
    const first = this.sayViolation(account, at, crossed, equity, false)
    this.finish(account, 'failed', { at, balance: account.book.balance, equity, first })
  }

  private judgeTargets(account: Account, at: number, equity: bigint): void {
    const { book, orders } = account
    const initial = initialOf(account)
    let passes = phaseOf(account).kind === 'evaluation' && rulesOf(account).some((rule) => rule.effect === 'gate')
    rulesOf(account).forEach((rule, i) => {
      const state = account.rules[i]!
      if (rule.rule === 'profit_target') {
        const target = rule.amount !== undefined ? num(rule.amount) : percentOf(initial, num(rule.pct!))
        const gained = (rule.basis === 'equity' ? equity : book.balance) - initial >= target
        const met = gained && (!rule.require_flat || (book.positions.length === 0 && orders.length === 0))
        if (met && state.reachedAt === null) {
          state.reachedAt = at
          this.said.push({ kind: 'target', phase: account.phase, index: i, reached: true })
        }
        if (!(rule.sticky ? state.reachedAt !== null : met)) passes = false
      }
      if (rule.rule === 'min_trading_days') {
        // a day's result is known when it ends; that something was opened stands at once
        const isKnown = rule.counts === 'opened' || rule.counts === 'opened_and_closed'
        const today = isKnown && counts(rule, account.day, book.balance, initial) ? 1 : 0
        if (state.days + today < rule.n) passes = false
      }
    })
    if (passes) this.finish(account, 'passed', { at, balance: book.balance, equity })
  }

  // ---- phases ---------------------------------------------------------------------------------------------------

  private open(account: Account, phase: number, at: number): void {
    const initial = initialOf(account)
    const { reset_zone, reset_time } = account.spec
    account.phase = phase
    account.book = { phase, balance: initial, positions: [], taken: [] }
    account.day = {
      k: 0,
      next: resetAfter(reset_zone, reset_time, at),
      balance: initial,
      equity: initial,
      high: initial,
      opened: false,
      openedAndClosed: false,
    }
    account.rules = rulesOf(account).map(() => ({ floor: null, reachedAt: null, days: 0 }))
    this.setFloors(account)
    account.gaps = this.gapsOf(account, initial)
    this.said.push({ kind: 'phase', phase, status: 'opened', balance: text(initial) })
  }
  /** Working orders are cancelled, positions closed at once; what cannot be closed now is closed when it can. */
  private finish(
    account: Account,
    verdict: 'passed' | 'failed' | 'abandoned',
    { at, balance, equity, first }: Ending,
  ): void {
    const { phase } = account
    account.provisional = null
    const next = account.spec.phases[phase + 1]
    if (verdict !== 'passed' || next?.kind !== 'evaluation') {
      this.said.push({
        kind: 'verdict',
        verdict,
        phase,
        balance: text(balance),
        equity: text(equity),
        rule: first ? rulesOf(account)[first.index]!.rule : null,
        value: first ? text(first.floor + first.after) : null,
        limit: first ? text(first.floor) : null,
      })
    }
    for (const order of [...account.orders]) this.end(account, order, 'cancelled')
    this.closePositions(account, account.book)
    if (account.book.positions.length > 0) account.closing.push(account.book)
    if (verdict !== 'abandoned') {
      this.said.push({ kind: 'phase', phase, status: verdict, balance: text(account.book.balance) })
    }
    if (verdict === 'passed' && next) this.open(account, phase + 1, at)
    else account.status = verdict
  }
  private closePositions(account: Account, book: Book): void {
    for (const { symbol, quantity } of book.positions.toSorted((a, b) => (a.symbol < b.symbol ? -1 : 1))) {
      this.said.push(
        ...fillMarketable(
          account,
          book,
          {
            id: 'close',
            symbol,
            side: quantity > 0n ? 'sell' : 'buy',
            type: 'market',
            lasting: false,
            quantity: quantity > 0n ? quantity : -quantity,
            filled: 0n,
            price: null,
            status: 'working',
          },
          this.market,
        ),
      )
    }
  }
  private end(account: Account, order: Order, status: 'filled' | 'cancelled', reason?: string): void {
    order.status = status
    order.reason = reason
    account.orders = account.orders.filter((o) => o !== order)
    this.said.push({ kind: 'order', order: order.id, status, filled: text(order.filled), reason })
  }
}
const copy = (book: Book): Book => ({ ...book, positions: book.positions.map((p) => ({ ...p })), taken: [] })
