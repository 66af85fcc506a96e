import type { Instrument, SwapSchedule } from '../../domain/instruments/instrument.ts'
import type { MarketEvent } from '../../domain/market/event.ts'
import { byId, type Desk, instrumentOf, type Order, opposite, type Position } from './account.ts'
import { datePlus, instantOn, localDay, weekDay } from './clocks.ts'
import { bookFill } from './fill.ts'
import { abs, bpsOf, mul, num, text } from './number.ts'
import { booked, markOf, marksOf } from './value.ts'
import { endOrder } from './working.ts'

const HOUR = 3_600_000

/** The first instant after `from` at which something is booked on what is held in this instrument. */
export function nextCarry({ funding, swap }: Instrument, from: number): number | null {
  const next: number[] = []
  if (funding) next.push(nextFunding(funding.every_hours, from))
  if (swap) next.push(nextSwap(swap, from))
  return next.length > 0 ? Math.min(...next) : null
}
/** Hours of each UTC day, from its midnight. */
function nextFunding(hours: number, from: number): number {
  const midnight = from - (from % (24 * HOUR))
  for (let at = midnight; ; at += hours * HOUR) {
    if (at - midnight >= 24 * HOUR) return midnight + 24 * HOUR
    if (at > from) return at
  }
}
function nextSwap(swap: SwapSchedule, from: number): number {
  for (let date = localDay('UTC', from - 2 * 24 * HOUR); ; date = datePlus(date, 1)) {
    if (swap.days && !swap.days.includes(weekDay(date))) continue
    const at = instantOn(swap.zone, date, swap.time)
    if (at > from) return at
  }
}
function isFunding({ funding }: Instrument, at: number): boolean {
  return funding !== null && nextFunding(funding.every_hours, at - 1) === at
}
const isSwap = ({ swap }: Instrument, at: number): boolean => swap !== null && nextSwap(swap, at - 1) === at

/** What is due at this instant on every position: funding, then swap. */
export function bookCarry(desk: Desk): void {
  const { account, market, at } = desk
  const positions = account.book.positions.toSorted(byId)
  for (const position of positions) {
    const instrument = instrumentOf(account.spec, position.symbol)
    if (isFunding(instrument, at)) {
      fund(desk, position, market.of(position.symbol).funding?.rate ?? num(instrument.funding!.rate))
    }
  }
  for (const position of positions) {
    const instrument = instrumentOf(account.spec, position.symbol)
    if (isSwap(instrument, at)) swap(desk, position, instrument)
  }
}

function swap(desk: Desk, position: Position, instrument: Instrument): void {
  const { swap: schedule } = instrument
  const { account, market, at } = desk
  const { quantity, symbol } = position
  const given = market.of(symbol).swap ?? { long: num(schedule!.long), short: num(schedule!.short) }
  const rate = quantity > 0n ? given.long : given.short
  const units = mul(abs(quantity), num(instrument.contract_size))
  const night =
    schedule!.unit === 'points'
      ? mul(units, rate)
      : bpsOf(mul(units, markOf(instrument, quantity, marksOf(desk))), rate)
  const nights = weekDay(localDay(schedule!.zone, at)) === schedule!.triple ? 3n : 1n
  bookIt(desk, position, 'swap', night * nights, rate)
  void account
}
function fund(desk: Desk, position: Position, rate: bigint): void {
  const { quantity, symbol } = position
  const instrument = instrumentOf(desk.account.spec, symbol)
  const notional = mul(mul(quantity, num(instrument.contract_size)), markOf(instrument, quantity, marksOf(desk)))
  bookIt(desk, position, 'funding', -mul(notional, rate), rate)
}
function bookIt(desk: Desk, position: Position, what: 'swap' | 'funding', amount: bigint, rate: bigint): void {
  const { account } = desk
  const instrument = instrumentOf(account.spec, position.symbol)
  const value = booked(account.spec, instrument, amount, marksOf(desk))
  account.book.balance += value
  const trade = account.trades.find((t) => t.position === position.id)
  if (trade) trade.net += value
  for (const idea of account.ideas) {
    const isIts = idea.symbol === position.symbol && (idea.side === 'buy') === position.quantity > 0n
    if (isIts && idea.flatSince === null) idea.realised += value
  }
  desk.said.push({
    kind: 'carry',
    phase: account.phase,
    what,
    position: position.id,
    symbol: position.symbol,
    quantity: text(position.quantity),
    rate: text(rate),
    booked: text(value),
  })
}

/** What the event itself books: funding without a schedule, and the settlement of its symbol. */
export function carryOf(desk: Desk, event: MarketEvent): void {
  const { account } = desk
  if (event.kind === 'rate' && event.what === 'funding') {
    const instrument = account.spec.instruments.find((i) => i.symbol === event.symbol)
    if (instrument?.funding !== null) return
    for (const p of account.book.positions.toSorted(byId))
      if (p.symbol === event.symbol) fund(desk, p, num(event.rate!))
  }
}
/** A symbol that ends with a price ends every position in it, of phases that are over too. */
export function settle(desk: Desk, event: MarketEvent): void {
  if (event.kind === 'symbol_state' && event.state === 'settled') settleSymbol(desk, event.symbol, event.price)
}
function settleSymbol(desk: Desk, symbol: string, price?: string): void {
  const { account } = desk
  if (price === undefined) return
  for (const order of account.orders.filter((o) => o.symbol === symbol)) endOrder(desk, order, 'cancelled', 'settled')
  for (const book of [account.book, ...account.closing]) {
    for (const position of book.positions.filter((p) => p.symbol === symbol).toSorted(byId)) {
      const order = closing(position, 'settlement')
      bookFill(desk, book, order, { price: num(price), quantity: order.quantity, liquidity: 'taker', free: true })
    }
  }
}
/** An order of the house that closes a position whole. */
export function closing(position: Position, id: string): Order {
  return {
    id,
    symbol: position.symbol,
    side: opposite(position.quantity > 0n ? 'buy' : 'sell'),
    type: 'market',
    tif: 'ioc',
    quantity: abs(position.quantity),
    filled: 0n,
    price: null,
    stop: null,
    trail: null,
    activation: null,
    best: null,
    reduceOnly: false,
    postOnly: false,
    expiresAt: null,
    arrivesAt: null,
    ahead: null,
    exits: null,
    parent: null,
    partner: null,
    ticket: position.id,
    status: 'working',
  }
}
