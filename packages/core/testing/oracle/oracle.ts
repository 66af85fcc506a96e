/**
 * A second trading core, written from the specification alone: slow and obvious. Every account looks at everything
 * it has at every event and every command; nothing is indexed, remembered or left out. It shares no code with the
 * engine, only the shapes of what both are told.
 */
import type { AccountSpec, Command } from '../../domain/engine/types.ts'
import type { MarketEvent } from '../../domain/market/event.ts'
import { type Account, type Decision, type Desk, heldIn } from './account.ts'
import { bookCarry, carryOf, closing, settle } from './carry.ts'
import { nextInstant } from './clockwork.ts'
import { isTradeHeldBack, tradesNow } from './command.ts'
import { expire, overdue } from './deadlines.ts'
import { fillMarketable, forgetTaken } from './fill.ts'
import { cancelLate, flatten, late } from './flats.ts'
import { OracleMarket } from './market.ts'
import { obey } from './obey.ts'
import { resume } from './pauses.ts'
import { blank, closePositions } from './phases.ts'
import { evaluate, point } from './point.ts'
import { reset } from './reset.ts'
import { isOpen } from './value.ts'
import { arrive, endOrder, meetOrders, noteArrival, sayStanding, takesNow } from './working.ts'

export interface Told {
  answer: Record<string, unknown>
  decisions: Decision[]
}

export class Oracle {
  readonly market = new OracleMarket()
  readonly accounts = new Map<string, Account>()

  add(id: string, spec: AccountSpec): void {
    this.accounts.set(id, blank(id, spec))
  }

  /** Every account's deadlines with the marks before the event, then the event: one evaluation point. */
  event(event: MarketEvent): Map<string, Decision[]> {
    const decisions = new Map<string, Decision[]>()
    for (const account of this.accounts.values()) {
      const said: Decision[] = []
      this.settle(account, event.mts, said)
      decisions.set(account.id, said)
    }
    this.market.apply(event)
    for (const account of this.accounts.values()) {
      const desk = { account, market: this.market, at: event.mts, said: decisions.get(account.id)! }
      meet(desk, event)
      account.settledTo = event.mts
    }
    return decisions
  }
  command(id: string, command: Command): Told {
    const account = this.accounts.get(id)!
    const desk: Desk = { account, market: this.market, at: this.market.mts, said: [] }
    const answer = obey(desk, command)
    return { answer, decisions: desk.said }
  }
  private settle(account: Account, upTo: number, said: Decision[]): void {
    for (;;) {
      const at = nextInstant(account)
      if (at === null || at > upTo) return
      instant({ account, market: this.market, at, said })
      account.settledTo = at
    }
  }
}

/** Funding and swap; expiry; flats; the reset; clocks; the end of a pause; arrivals. */
export function instant(desk: Desk): void {
  const { account, at } = desk
  if (account.status === 'started') bookCarry(desk)
  for (const order of [...account.orders]) if (order.expiresAt === at) endOrder(desk, order, 'expired')
  const { phase } = account
  const { facts, positions } = late(desk)
  if (facts.length > 0) evaluate(desk, facts)
  if (account.phase === phase) {
    cancelLate(desk)
    flatten(desk, positions)
  }
  if (account.day.next === at) reset(desk)
  point(desk, [])
  const clocks = overdue(desk)
  if (clocks.length > 0) point(desk, clocks)
  expire(desk)
  if (account.pauses.until === at) {
    resume(desk, 'max_pause_days')
    point(desk, [])
  }
  const arriving = account.orders.filter((o) => o.arrivesAt === at)
  for (const order of arriving) {
    if (order.status !== 'pending') continue
    account.orders = [...account.orders.filter((o) => o !== order), order]
    order.status = 'working'
    order.arrivesAt = null
    if (takesNow(desk, order)) {
      endOrder(desk, order, 'cancelled')
      continue
    }
    if (isOpen(desk, order.symbol) && tradesNow(desk, [order]) && isTradeHeldBack(desk, order)) {
      const partner = account.orders.find((o) => o.id === order.partner)
      for (const leg of partner ? [order, partner] : [order]) endOrder(desk, leg, 'cancelled', 'news_window')
      continue
    }
    sayStanding(desk, order, 'working')
    const held = heldIn(account.book, order.symbol)
    const { filled } = order
    arrive(desk, order)
    noteArrival(desk, order, { filled, held })
  }
  if (arriving.length > 0) point(desk, [])
}
function meet(desk: Desk, event: MarketEvent): void {
  const { account, market } = desk
  for (const book of [account.book, ...account.closing]) forgetTaken(account, book, market)
  if (account.status === 'started') carryOf(desk, event)
  settle(desk, event)
  const symbol = 'symbol' in event ? event.symbol : null
  for (const book of account.closing) closePositions(desk, book, symbol)
  account.closing = account.closing.filter((book) => book.positions.length > 0)
  if (account.status !== 'started') return
  liquidate(desk, symbol)
  meetOrders(desk, event)
  point(desk, [])
}
function liquidate(desk: Desk, heard: string | null): void {
  const { account } = desk
  for (const { position, symbol, order } of account.liquidations) {
    if (symbol !== heard) continue
    const held = account.book.positions.find((p) => p.id === position)
    if (held) fillMarketable(desk, account.book, closing(held, order))
  }
  account.liquidations = account.liquidations.filter((l) => account.book.positions.some((p) => p.id === l.position))
}
