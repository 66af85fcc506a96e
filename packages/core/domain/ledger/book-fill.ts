import type { Market } from '../engine/compile.ts'
import type { Book } from '../engine/state.ts'
import type { Booked, Posting } from '../engine/types.ts'
import { convert, type QuoteOf } from '../instruments/convert.ts'
import type { Side } from '../market/event.ts'
import { abs, add, type Dec, dec, div, isZero, mul, neg, ONE, round, sign, str, sub, ZERO } from '../money/dec.ts'

export interface FillInput {
  /** order that trades: names the position that it opens */
  order: string
  side: Side
  quantity: Dec
  price: Dec
  liquidity: 'maker' | 'taker'
  /** hedging: the ticket that it opens, adds to or reduces; netting: none */
  ticket?: string
  /** trading day and market time of the fill */
  day: number
  at: number
}
export interface FillEffect {
  result: Booked | null
  fee: Booked | null
  postings: Posting[]
  position: { id: string; quantity: string; cost: string }
  /** it opened or added to a position; it closed one that was opened the same trading day */
  opened: boolean
  closedSameDay: boolean
}

const TEN_THOUSANDTH = dec('0.0001')

/** An amount of the quote currency in account currency, by its own sign, rounded once. */
export function booked(amount: Dec, market: Market, scale: number, quoteOf: QuoteOf): { doc: Booked; value: Dec } {
  const c = convert(amount, market.path!, quoteOf)
  if (!c) throw new Error(`no rate for ${market.symbol}`)
  const value = round(c.value, scale)
  // members in the order of canonical JSON, here and below: it copies nothing then
  const doc = {
    amount: str(amount),
    booked: str(value),
    currency: market.doc.quote,
    rate: c.rate,
    rate_mseq: c.mseqs,
  }
  return { doc, value }
}

/** Two postings that move `amount` (account currency, signed for the trader) between cash and a house ledger. */
export function transfer(amount: Dec, house: string): Posting[] {
  if (isZero(amount)) return []
  return [
    { amount: str(amount), ledger: 'account:cash' },
    { amount: str(neg(amount)), ledger: `house:${house}` },
  ]
}

/** What a fill costs in quote currency: of its notional, per lot, and a taker's share of an outcome's variance. */
function feeOf(market: Market, { liquidity, quantity, price }: FillInput, notional: Dec): Dec {
  const bps = liquidity === 'maker' ? market.makerBps : market.takerBps
  const fee = add(mul(mul(notional, bps), TEN_THOUSANDTH), mul(quantity, market.perLot))
  if (liquidity === 'maker' || isZero(market.probabilityRate)) return fee
  return add(fee, mul(mul(quantity, market.probabilityRate), mul(price, sub(ONE, price))))
}

/**
 * Books one fill into the symbol's net position, or into its own ticket: quantity and total cost; a reduction releases
 * cost pro rata (half-even at 18 places), the last one all of it; a reversal is close + open in one fill with one fee.
 * Result and fee are converted by their own sign and rounded once, half-even, to the ledger scale. Changes `book`.
 */
export function bookFill(book: Book, market: Market, fill: FillInput, scale: number, quoteOf: QuoteOf): FillEffect {
  const notional = mul(mul(fill.quantity, market.contract), fill.price)
  const signed = fill.side === 'buy' ? fill.quantity : neg(fill.quantity)
  const cost = feeOf(market, fill, notional)

  const { ticket } = fill
  const at = book.positions.findIndex((p) => (ticket === undefined ? p.symbol === market.symbol : p.id === ticket))
  const held = at < 0 ? null : book.positions[at]!
  let result: ReturnType<typeof booked> | null = null
  let opened = true
  let closedSameDay = false
  let quantity = signed
  let total = fill.side === 'buy' ? notional : neg(notional)
  if (held && sign(held.quantity) !== sign(signed)) {
    const closing = sign(sub(abs(held.quantity), fill.quantity)) <= 0 ? abs(held.quantity) : fill.quantity
    const all = sign(sub(abs(held.quantity), closing)) === 0
    const released = all ? held.cost : div(mul(held.cost, closing), abs(held.quantity))
    const proceeds = mul(mul(closing, market.contract), fill.price)
    // long: proceeds - cost; short: -(cost to buy back) - (negative cost)
    const gain = sign(held.quantity) > 0 ? sub(proceeds, released) : sub(neg(proceeds), released)
    result = booked(gain, market, scale, quoteOf)
    closedSameDay = held.openedDay === fill.day
    quantity = add(held.quantity, signed)
    opened = all && !isZero(quantity)
    total = opened ? mul(mul(quantity, market.contract), fill.price) : sub(held.cost, released)
  } else if (held) {
    quantity = add(held.quantity, signed)
    total = add(held.cost, total)
  }
  const fresh = !held || (result !== null && opened)
  const id = fresh ? (ticket ?? fill.order) : held.id
  if (isZero(quantity)) book.positions.splice(at, 1)
  else if (held) {
    held.quantity = quantity
    held.cost = total
    if (fresh) {
      held.id = id
      held.openedAt = fill.at
      held.openedDay = fill.day
    }
  } else
    book.positions.push({
      id,
      symbol: market.symbol,
      quantity,
      cost: total,
      openedAt: fill.at,
      openedDay: fill.day,
    })

  const fee = isZero(cost) ? null : booked(neg(cost), market, scale, quoteOf)
  const gained = result ? result.value : ZERO
  const paid = fee ? fee.value : ZERO
  book.balance = add(book.balance, add(gained, paid))
  return {
    result: result?.doc ?? null,
    fee: fee?.doc ?? null,
    postings: [...transfer(gained, 'trading'), ...transfer(paid, 'commission')],
    position: { cost: isZero(quantity) ? '0' : str(total), id, quantity: str(quantity) },
    opened,
    closedSameDay,
  }
}
