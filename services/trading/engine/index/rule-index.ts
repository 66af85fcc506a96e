/**
 * Which accounts an event can change: those whose box a price leaves, whose resting order it reaches, who asked for
 * every event of the symbol, and on a change of status all that hold it. One look too many is invisible; one too few
 * is impossible while each armed box is safe. O(log n + k) for k accounts touched, nothing allocated for none.
 */
import type { Compiled } from '@assay/core/domain/engine/compile'
import { type AccountState, isExposed } from '@assay/core/domain/engine/state'
import { type Level, type Limit, type Triggers, triggers } from '@assay/core/domain/engine/triggers'
import { equity, quotesOf } from '@assay/core/domain/engine/valuation'
import type { MarketView } from '@assay/core/domain/engine/view'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { type Dec, gt, gte, lt, lte } from '@assay/core/domain/money/dec'
import { type Band, type Box, chooseBox, type Extremes, extremesOf, isSafe, worstOf } from './box.ts'
import { comingFloor, isQuietReset } from './coming-reset.ts'
import { floatOf, isFloatExactText } from './float.ts'
import { Heaps } from './heaps.ts'
import { bandOf, heapFor, moved, newSymbolIndex, type SymbolIndex, volatilityOf } from './symbol-index.ts'

/** Orders beside each other that may leave together with the nodes of those behind them kept. */
const LEFT_AT_ONCE = 4

/** A working order's place in a heap. */
interface Waiting {
  level: Level
  node: number
}
interface Armed {
  /** of the box */
  nodes: number[]
  /** of working orders, in their order */
  waiting: Waiting[]
  holds: SymbolIndex[]
  always: SymbolIndex[]
  /** of the box: its edges are the nodes' keys */
  box: Extremes | null
  /** equity that changes something from below, when the box was chosen */
  ceiling: Limit | null
  /** the coming reset decides nothing and the box outlives it, wherever prices stand in it by then */
  quiet: boolean
  /** a floor or a day's high follows equity upwards */
  trails: boolean
  state: AccountState
}
/** The invariant, as numbers: what a test compares at every tick. */
export interface BoxCheck extends Extremes {
  equity: Dec
  /** floors and margin; a target that was met when the box was chosen may be crossed both ways inside it */
  isSafe: boolean
}

export class RuleIndex {
  private readonly heaps = new Heaps()
  private readonly symbols = new Map<string, SymbolIndex>()
  private readonly armed: (Armed | undefined)[] = []
  private stamps = new Int32Array(1024)
  /** of owners for whom more than their box was left */
  private stirred = new Int32Array(1024)
  private stamp = 0
  private found: number[] = []
  /** equities computed to choose boxes */
  evaluations = 0

  private readonly volatilityOf = (symbol: string, side: 'bid' | 'ask'): number =>
    volatilityOf(this.symbols.get(symbol), side)

  private at(name: string): SymbolIndex {
    let s = this.symbols.get(name)
    if (!s) {
      s = newSymbolIndex(this.heaps)
      this.symbols.set(name, s)
    }
    return s
  }

  /** Places an account after each change; a box that still holds stays. */
  arm(owner: number, state: AccountState, compiled: Compiled, view: MarketView, known: Dec | null = null): void {
    const before = this.armed[owner]
    if (!isExposed(state) && !state.provisional) {
      this.disarm(owner)
      return
    }
    const t = triggers(state, compiled, view, known)
    if (known === null && t.equity) this.evaluations++
    const waiting = this.wait(owner, before?.waiting ?? [], t.orders)
    if (before && this.stillHolds(before, state, t)) {
      this.follow(owner, before, t.symbols)
      before.waiting = waiting
      before.state = state
      before.ceiling = t.ceiling
      before.trails = t.high !== null
      before.quiet = isQuietInside(before.box!, state, compiled)
      return
    }
    const armed =
      before && isPlain(before.state, before.always) && isPlain(state, t.always) && hasSameLegs(before.state, state)
        ? this.lift(before, state)
        : this.enter(owner, state, t)
    armed.waiting = waiting
    if ((t.floorAt(null) || t.ceiling || t.stopsOut || t.parts) && t.legs.length > 0)
      this.armBox(owner, armed, t, compiled, view)
    armed.trails = t.high !== null
    for (const s of armed.always) s.always.add(owner)
  }
  /** Places what orders wait for. Nodes of those that stay as they were stay: orders leave anywhere and come at the end. */
  private wait(owner: number, before: readonly Waiting[], levels: readonly Level[]): Waiting[] {
    const waiting: Waiting[] = []
    let next = 0
    for (const level of levels) {
      const last = Math.min(next + LEFT_AT_ONCE, before.length - 1)
      let same = next
      while (same <= last && !this.isSame(before[same]!, level)) same++
      if (same > last) {
        const [heap, key] = heapFor(this.at(level.symbol), level.waits, floatOf(level.price))
        waiting.push({ level, node: this.heaps.add(heap, key, owner) })
        continue
      }
      for (; next < same; next++) this.heaps.release(before[next]!.node)
      waiting.push(before[next++]!)
    }
    for (; next < before.length; next++) this.heaps.release(before[next]!.node)
    return waiting
  }
  /** A node that fired is out: it is placed anew. */
  private isSame({ level: a, node }: Waiting, b: Level): boolean {
    const isAtPrice = a.price === b.price || (a.price.n === b.price.n && a.price.s === b.price.s)
    return isAtPrice && a.symbol === b.symbol && a.waits === b.waits && this.heaps.isLinked(node)
  }
  private enter(owner: number, state: AccountState, t: Triggers): Armed {
    this.takeOff(owner)
    const at = (name: string): SymbolIndex => this.at(name)
    const armed: Armed = {
      nodes: [],
      waiting: [],
      holds: t.symbols.map(at),
      always: t.always.map(at),
      box: null,
      ceiling: null,
      quiet: false,
      trails: false,
      state,
    }
    this.armed[owner] = armed
    for (const s of armed.holds) s.holders.add(owner)
    return armed
  }
  /** Orders come in other symbols and leave them. */
  private follow(owner: number, armed: Armed, symbols: readonly string[]): void {
    const holds = symbols.map((name) => this.at(name))
    for (const s of armed.holds) if (!holds.includes(s)) s.holders.delete(owner)
    for (const s of holds) s.holders.add(owner)
    armed.holds = holds
  }
  /** The same symbols as before: only the box is taken off. */
  private lift(armed: Armed, state: AccountState): Armed {
    for (const node of armed.nodes) this.heaps.release(node)
    armed.nodes.length = 0
    armed.box = null
    armed.quiet = false
    armed.state = state
    return armed
  }
  /**
   * A box around the prices of now for an account of which they left the old one; false, and all stands as it was,
   * where there is none or a floor or ceiling was reached: something may be decided.
   */
  boxAnew(owner: number, state: AccountState, compiled: Compiled, view: MarketView): boolean {
    const armed = this.armed[owner]
    if (!armed?.box || armed.always.length > 0) return false
    const t = triggers(state, compiled, view)
    if (t.always.length > 0 || (armed.ceiling && isBeyond(t.equity!, armed.ceiling))) return false
    const floor = t.floorAt(null)
    if (floor && isBelow(t.equity!, floor)) return false
    const box = this.chooseBox(t, state, compiled, view)
    if (!box) return false
    this.enclose(owner, this.lift(armed, state), box, t, compiled)
    return true
  }

  private armBox(owner: number, armed: Armed, t: Triggers, compiled: Compiled, view: MarketView): void {
    const box = this.chooseBox(t, armed.state, compiled, view)
    if (box) this.enclose(owner, armed, box, t, compiled)
    else armed.always = armed.holds
  }
  private chooseBox(t: Triggers, state: AccountState, compiled: Compiled, view: MarketView): Box | null {
    const { box, evaluations } = chooseBox(t, comingFloor(state, compiled), state.book, compiled, {
      quoteOf: quotesOf(view),
      volatilityOf: this.volatilityOf,
    })
    this.evaluations += evaluations
    return box
  }
  private enclose(owner: number, armed: Armed, box: Box, t: Triggers, compiled: Compiled): void {
    armed.box = box.extremes
    armed.ceiling = t.ceiling
    armed.trails = t.high !== null
    armed.quiet = isQuietInside(box.extremes, armed.state, compiled)
    for (const { symbol, bid, ask } of box.bands) {
      const s = this.at(symbol)
      if (bid.lo) armed.nodes.push(this.heaps.add(s.bidLo, -floatOf(bid.lo), owner))
      if (bid.hi) armed.nodes.push(this.heaps.add(s.bidHi, floatOf(bid.hi), owner))
      if (ask.lo) armed.nodes.push(this.heaps.add(s.askLo, -floatOf(ask.lo), owner))
      if (ask.hi) armed.nodes.push(this.heaps.add(s.askHi, floatOf(ask.hi), owner))
    }
  }

  /** A deadline that decided nothing was taken: nodes and box stand. */
  keep(owner: number, state: AccountState): void {
    const armed = this.armed[owner]
    if (armed) armed.state = state
  }
  /** True is a proof that a reset at the view's place decides nothing and leaves the box safe. */
  isQuietAtReset(owner: number, state: AccountState, compiled: Compiled, view: MarketView): boolean {
    const { balance, positions } = state.book
    if (positions.length === 0)
      return isQuietReset(state, compiled, { least: balance, most: balance, highest: balance })
    const armed = this.armed[owner]
    if (!armed?.box) return false
    if (armed.quiet) return true
    this.evaluations++
    const { emin, emax } = armed.box
    if (!emin) return false
    return isQuietReset(state, compiled, { least: emin, most: equity(state, compiled, view), highest: emax })
  }

  disarm(owner: number): void {
    for (const { node } of this.armed[owner]?.waiting ?? []) this.heaps.release(node)
    this.takeOff(owner)
  }
  /** All but the nodes of orders. */
  private takeOff(owner: number): void {
    const armed = this.armed[owner]
    if (!armed) return
    for (const node of armed.nodes) this.heaps.release(node)
    for (const s of armed.holds) s.holders.delete(owner)
    for (const s of armed.always) s.always.delete(owner)
    this.armed[owner] = undefined
  }

  /** Nothing was booked, no edge was crossed, and the box is safe under the floors and ceilings of now: a reset costs one comparison. */
  private stillHolds(armed: Armed, state: AccountState, t: Triggers): boolean {
    if (!armed.box || t.parts || armed.always.length > 0 || t.always.length > 0) return false
    const [a, b] = [armed.state, state]
    if (a.book.balance !== b.book.balance) return false
    if (a.closing.length !== b.closing.length || !hasSameLegs(a, b)) return false
    const { emax, room } = armed.box
    if (((t.ceiling || t.trails) && emax === null) || (t.stopsOut && room === null)) return false
    return armed.nodes.every((node) => this.heaps.isLinked(node)) && isSafe(armed.box, t)
  }

  /** Owners that an event, just applied to the view, can change; valid until the next call. `changed`: the symbol's status did. */
  touched(event: MarketEvent, changed: boolean): readonly number[] {
    this.found.length = 0
    this.stamp++
    if (event.kind === 'gap') {
      for (const [name, s] of this.symbols)
        if (event.symbols === null || event.symbols.includes(name)) this.markAll(s.holders)
      return this.found
    }
    if (!('symbol' in event)) return this.found
    const s = this.symbols.get(event.symbol)
    if (!s) return this.found
    this.markAll(s.always)
    if (changed || event.kind === 'symbol_state' || event.kind === 'source_changed' || event.kind === 'rate')
      this.markAll(s.holders)
    if (event.kind !== 'quote' && event.kind !== 'trade') return this.found
    let low = event.kind === 'trade' ? Number(event.price) : Number.POSITIVE_INFINITY
    let high = event.kind === 'trade' ? low : Number.NEGATIVE_INFINITY
    let [rising, falling] = [high, low]
    if (event.bid !== undefined) {
      const bid = Number(event.bid)
      const ask = Number(event.ask)
      moved(s.bid, bid)
      moved(s.ask, ask)
      if (!isFloatExactText(event.bid) || !isFloatExactText(event.ask!)) this.markAll(s.holders)
      this.below(s.bidLo, -bid)
      this.below(s.bidHi, bid)
      this.below(s.askLo, -ask)
      this.below(s.askHi, ask)
      if (ask < low) low = ask
      if (bid > high) high = bid
      if (ask > rising) rising = ask
      if (bid < falling) falling = bid
    }
    this.upTo(s.buys, -low)
    this.upTo(s.sells, high)
    this.upTo(s.stopBuys, rising)
    this.upTo(s.stopSells, -falling)
    return this.found
  }

  /** An edge of a box was crossed. */
  private below(heap: number, price: number): void {
    while (this.heaps.least(heap) < price) this.mark(this.take(heap))
  }
  /** What an order waits for has come. */
  private upTo(heap: number, price: number): void {
    while (this.heaps.size(heap) > 0 && this.heaps.least(heap) <= price) this.stir(this.take(heap))
  }
  /** A node that fired is out until its account is armed again. */
  private take(heap: number): number {
    const owner = this.heaps.ownerOfLeast(heap)
    this.heaps.popLeast(heap)
    return owner
  }
  private markAll(owners: Set<number>): void {
    for (const owner of owners) this.stir(owner)
  }
  private stir(owner: number): void {
    this.mark(owner)
    this.stirred[owner] = this.stamp
  }
  private mark(owner: number): void {
    if (owner >= this.stamps.length) {
      const size = Math.max(owner + 1, this.stamps.length * 2)
      this.stamps = widened(this.stamps, size)
      this.stirred = widened(this.stirred, size)
    }
    if (this.stamps[owner] === this.stamp) return
    this.stamps[owner] = this.stamp
    this.found.push(owner)
  }
  /** Of an owner that the last event touched: did it only leave its box? */
  isOnlyMoved(owner: number): boolean {
    return this.stirred[owner] !== this.stamp
  }

  /** Emin <= E <= Emax and floorSup <= Emin, computed anew from the bands that stand; null: no box, every event touches. `state`: with every deadline passed. */
  checkBox(owner: number, state: AccountState, compiled: Compiled, view: MarketView): BoxCheck | null {
    const armed = this.armed[owner]
    if (!armed?.box) return null
    const t = triggers(state, compiled, view)
    const bands = this.bandsOf(armed)
    const extremes = extremesOf(bands, t, state.book, compiled, quotesOf(view))
    return {
      ...extremes,
      equity: equity(state, compiled, view),
      isSafe: isSafe(extremes, { ...t, ceiling: null }) && !isParted(bands, t, view),
    }
  }
  /** The bands that an account's nodes stand for. */
  private bandsOf({ nodes }: Armed): Band[] {
    return [...this.symbols].flatMap(([symbol, s]) => bandOf(symbol, s, nodes, this.heaps) ?? [])
  }
  /** Can equity have been above `high` while nobody looked? */
  mayHaveRisen(owner: number, high: Dec): boolean {
    const emax = this.armed[owner]?.box?.emax
    return !emax || gt(emax, high)
  }
  trails(owner: number): boolean {
    return this.armed[owner]?.trails ?? false
  }
}
function widened(old: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(size)
  wider.set(old)
  return wider
}
const isBeyond = (equity: Dec, { value, strict }: Limit): boolean => (strict ? gt(equity, value) : gte(equity, value))
const isBelow = (equity: Dec, { value, strict }: Limit): boolean => (strict ? lt(equity, value) : lte(equity, value))
function isQuietInside({ emin, emax }: Extremes, state: AccountState, compiled: Compiled): boolean {
  return emin !== null && isQuietReset(state, compiled, { least: emin, most: emax, highest: emax })
}
/** Only positions and their conversions count: nothing rests or waits. */
const isPlain = (state: AccountState, always: readonly unknown[]): boolean =>
  always.length === 0 && state.orders.length === 0 && state.closing.length === 0 && !state.provisional
const isParted = (bands: readonly Band[], { parts }: Triggers, view: MarketView): boolean =>
  parts?.isCrossedAt(worstOf(bands, quotesOf(view))) ?? false
function hasSameLegs({ book: a }: AccountState, { book: b }: AccountState): boolean {
  if (a === b) return true
  if (a.positions.length !== b.positions.length) return false
  for (let i = 0; i < a.positions.length; i++) {
    const [p, q] = [a.positions[i]!, b.positions[i]!]
    if (p.symbol !== q.symbol || p.quantity !== q.quantity || p.cost !== q.cost) return false
  }
  return true
}
