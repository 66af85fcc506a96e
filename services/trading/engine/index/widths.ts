import type { Leg, Triggers } from '@assay/core/domain/engine/triggers'
import type { QuoteOf } from '@assay/core/domain/instruments/convert'
import { floatOf } from './float.ts'

/** Shares of the price by which one side of a quote may fall and rise; infinite: as it likes. */
export interface SideWidth {
  down: number
  up: number
}
export interface Width {
  bid: SideWidth
  ask: SideWidth
}
const OPEN = Number.POSITIVE_INFINITY

/**
 * Splits the room between equity, floor and ceiling over the legs in equal shares. A position moves with the side that
 * marks it; a conversion with both, as a loss converts at the other side than a gain. Nothing rests on this being right.
 */
export function chooseWidths(t: Triggers, equity: number, quoteOf: QuoteOf): Map<string, Width> {
  const down = t.floor ? Math.max(0, equity - floatOf(t.floor.value)) : OPEN
  const up = t.ceiling ? Math.max(0, floatOf(t.ceiling.value) - equity) : OPEN
  const results = new Map<string, number>()
  const values = t.legs.map((leg) => {
    const rate = rateOf(leg, quoteOf)
    const worth = floatOf(leg.quantity) * floatOf(quoteOf(leg.symbol)![leg.side].price)
    const result = Math.abs(worth - floatOf(leg.cost)) * rate
    for (const c of leg.path) if (!c.peg) results.set(c.symbol, (results.get(c.symbol) ?? 0) + result)
    return Math.abs(worth) * rate
  })
  const terms = t.legs.length + results.size
  const widths = new Map<string, Width>()
  t.legs.forEach((leg, i) => {
    const against = down / terms / (values[i]! || Number.MIN_VALUE)
    const towards = up / terms / (values[i]! || Number.MIN_VALUE)
    if (leg.side === 'bid') narrow(widthOf(widths, leg.symbol).bid, against, towards)
    else narrow(widthOf(widths, leg.symbol).ask, towards, against)
  })
  for (const [symbol, result] of results) {
    // the result may itself grow by the room while the rate moves
    const against = share(down, terms, result)
    const towards = share(up, terms, result)
    narrow(widthOf(widths, symbol).bid, against, towards)
    narrow(widthOf(widths, symbol).ask, towards, against)
  }
  return widths
}
const share = (room: number, terms: number, result: number): number =>
  room === OPEN ? OPEN : room / terms / (result + room || Number.MIN_VALUE)

function widthOf(widths: Map<string, Width>, symbol: string): Width {
  let width = widths.get(symbol)
  if (!width) {
    width = { bid: { down: OPEN, up: OPEN }, ask: { down: OPEN, up: OPEN } }
    widths.set(symbol, width)
  }
  return width
}
function narrow(side: SideWidth, down: number, up: number): void {
  side.down = Math.min(side.down, down)
  side.up = Math.min(side.up, up)
}
function rateOf(leg: Leg, quoteOf: QuoteOf): number {
  let rate = 1
  for (const c of leg.path) {
    if (c.peg) continue
    const price = floatOf(quoteOf(c.symbol)!.bid.price)
    rate = c.direct ? rate * price : rate / price
  }
  return rate
}
