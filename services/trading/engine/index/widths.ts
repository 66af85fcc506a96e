import type { Leg, Parts, Triggers } from '@assay/core/domain/engine/triggers'
import type { QuoteOf } from '@assay/core/domain/instruments/convert'
import type { Dec } from '@assay/core/domain/money/dec'
import { floatOf } from './float.ts'

/** Shares of the price by which one side of a quote may fall and rise; infinite: as it likes. */
export interface SideWidth {
  down: number
  up: number
}
export interface Width {
  symbol: string
  bid: SideWidth
  ask: SideWidth
}
const OPEN = Number.POSITIVE_INFINITY
/** Of the room above the floor, the share that must lie above the coming one for a box to be worth keeping through a reset. */
const KEPT = 0.25

/** Of the slack above a floor that follows equity upwards, the share that is spent on new highs. */
const UPWARD = 0.3

export interface Split {
  widths: Width[]
  /** the floors that were kept clear of */
  floorAt: Triggers['floorAt']
  /** nothing bounds equity from below: prices may go as they like */
  isOpenBelow: boolean
  /** equity that these widths cannot come near to, where floats can say so; null: it has to be computed */
  under: number | null
  /** what each position is worth, account currency; by leg */
  values: number[]
}
/** How far one side of a symbol's quote moves from quote to quote (standard deviation), as a share; any scale. */
export type VolatilityOf = (symbol: string, side: 'bid' | 'ask') => number
/**
 * Splits the room between equity, floor and ceiling over the legs by what each is worth and how much it moves, to the
 * power of two thirds: that makes the first edge that a price reaches as late as can be. A position moves with the side that
 * marks it; a conversion with both, as a loss converts at the other side than a gain. `coming`: a floor that the next
 * reset is sure to set; with room enough above it that one counts, and the box outlives the reset. A floor that follows
 * equity: part of the slack goes upwards, to new highs that need no look. `margin`: room above the stop-out level,
 * asked for where the margin in use is not small.
 * Nothing rests on this being right.
 */
export function chooseWidths(
  t: Triggers,
  coming: Dec | null,
  quoteOf: QuoteOf,
  volatilityOf: VolatilityOf,
  margin: (values: number[], equity: number) => number,
): Split {
  const widths: Width[] = []
  const converted: { symbol: string; result: number }[] = []
  const values: number[] = []
  const equity = t.equity ? floatOf(t.equity) : 0
  for (const leg of t.legs) {
    const rate = rateOf(leg, quoteOf)
    const worth = floatOf(leg.quantity) * floatOf(quoteOf(leg.symbol)![leg.side].price)
    const result = (worth - floatOf(leg.cost)) * rate
    values.push(Math.abs(worth) * rate)
    for (const c of leg.path) {
      if (c.peg) continue
      const known = converted.find((x) => x.symbol === c.symbol)
      if (known) known.result += Math.abs(result)
      else converted.push({ symbol: c.symbol, result: Math.abs(result) })
    }
  }
  const { floorAt, down: below, up: above } = roomsOf(t, coming, equity)
  const down = Math.min(below, t.stopsOut ? margin(values, equity) : OPEN)
  const ceiling = t.ceiling ? Math.max(0, floatOf(t.ceiling.value) - equity) : OPEN
  // in one currency results add up to what was given out: half of the room is far from all of it
  const isPlain = t.ceiling !== null && !t.trails && converted.length === 0
  const up = Math.min(above, isPlain ? ceiling / 2 : ceiling)
  const weigh = (value: number, moves: number): number => Math.cbrt((value * moves) ** 2) || Number.MIN_VALUE
  const weights = t.legs.map(({ symbol, side }, i) => weigh(values[i]!, volatilityOf(symbol, side)))
  const between = down === OPEN ? up : down
  const rates = converted.map(({ symbol, result }) =>
    weigh(
      result + (between === OPEN ? 0 : between),
      Math.max(volatilityOf(symbol, 'bid'), volatilityOf(symbol, 'ask')),
    ),
  )
  const all = [...weights, ...rates].reduce((a, b) => a + b, 0)
  for (let i = 0; i < t.legs.length; i++) {
    const leg = t.legs[i]!
    const part = weights[i]! / all / (values[i]! || Number.MIN_VALUE)
    const own = t.parts ? within(t.parts, values[i]!) : OPEN
    const [against, towards] = [Math.min(times(down, part), own), times(up, part)]
    if (leg.side === 'bid') narrow(widthOf(widths, leg.symbol).bid, against, towards)
    else narrow(widthOf(widths, leg.symbol).ask, towards, against)
  }
  for (let i = 0; i < converted.length; i++) {
    const { symbol, result } = converted[i]!
    // the result may itself grow by the room while the rate moves
    const own = t.parts ? within(t.parts, result + Math.max(0, floatOf(t.parts.left))) : OPEN
    const against = Math.min(share(down, rates[i]! / all, result), own)
    const towards = share(up, rates[i]! / all, result)
    narrow(widthOf(widths, symbol).bid, against, towards)
    narrow(widthOf(widths, symbol).ask, towards, against)
  }
  return {
    widths,
    floorAt,
    isOpenBelow: down === OPEN && t.parts === null,
    under: isPlain ? equity + ceiling * 0.75 : null,
    values,
  }
}
/** Room below and above equity, in account currency, and the floors that it was measured from. */
function roomsOf(t: Triggers, coming: Dec | null, equity: number): Pick<Split, 'floorAt'> & SideWidth {
  const now = t.floorAt(null)
  const floor = now ? floatOf(now.value) : Number.NEGATIVE_INFINITY
  const down = now ? Math.max(0, equity - floor) : OPEN
  const then = coming ? floatOf(coming) : Number.NEGATIVE_INFINITY
  if (t.trails) {
    const spent = down === OPEN ? 0 : down * UPWARD
    return { floorAt: t.floorAt, down: down - spent, up: Math.max(0, floatOf(t.high!) - equity) + spent }
  }
  if (coming && then > floor && equity - then > (equity - floor) * KEPT)
    return { floorAt: () => ({ value: coming, strict: false }), down: equity - then, up: OPEN }
  return { floorAt: t.floorAt, down, up: OPEN }
}
/** Half of what one limit leaves for a leg, the other half for its rate. */
const within = ({ left }: Parts, value: number): number => Math.max(0, floatOf(left)) / 2 / (value || Number.MIN_VALUE)
const times = (room: number, part: number): number => (room === OPEN ? OPEN : room * part)
const share = (room: number, part: number, result: number): number =>
  room === OPEN ? OPEN : (room * part) / (result + room || Number.MIN_VALUE)

function widthOf(widths: Width[], symbol: string): Width {
  for (const width of widths) if (width.symbol === symbol) return width
  const width = { symbol, bid: { down: OPEN, up: OPEN }, ask: { down: OPEN, up: OPEN } }
  widths.push(width)
  return width
}
function narrow(side: SideWidth, down: number, up: number): void {
  if (down < side.down) side.down = down
  if (up < side.up) side.up = up
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
