/** What holds for fills and orders in any world: random markets, every order type, both position modes. */
import { beforeAll, expect, test } from 'bun:test'
import { randomCommand, randomMarket, randomOf, randomSpec } from '../../../testing/random-world.ts'
import { World } from '../../../testing/world.ts'
import type { MarketEvent } from '../../market/event.ts'
import { add, type Dec, dec, eq, gt, isZero, lt, lte, sign, str, sub, toNumber, ZERO } from '../../money/dec.ts'
import type { AccountState } from '../state.ts'
import type { JournalRecord } from '../types.ts'
import { touchFor } from './trigger-price.ts'

/** One input: what stood before it, what it wrote, what stands after it. */
interface Seen {
  world: World
  before: AccountState
  after: AccountState
  records: readonly JournalRecord[]
  fills: readonly Extract<JournalRecord, { kind: 'fill' }>[]
  event: MarketEvent | null
}
const WORLDS = 14
const EVENTS = 400

const LAWS: Record<string, (seen: Seen) => boolean> = {
  'never more is filled than was ordered': ({ after, records }) =>
    after.orders.every((o) => lt(o.filled, o.quantity)) &&
    records.every((r) => r.kind !== 'order' || !r.view || lte(dec(r.view.filled), dec(r.view.quantity))),

  'an order that has ended works no more, and ends once': ({ after, records }) => {
    const ended = records.flatMap((r) => (r.kind === 'order' && !r.view ? [r.order] : []))
    return new Set(ended).size === ended.length && !after.orders.some((o) => ended.includes(o.id))
  },

  'a taker never trades better than the touch': ({ world: { replay, compiled }, fills, event }) =>
    fills.every((fill) => {
      // a deadline before the event met the marks before it
      if (fill.liquidity === 'maker' || (event && fill.mts < event.mts)) return true
      const touch = touchFor(fill.side, compiled.markets.get(fill.symbol)!, replay.view)!
      return fill.side === 'buy' ? !lt(dec(fill.price), touch) : !gt(dec(fill.price), touch)
    }),

  'a maker trades at its own price': ({ before, fills }) =>
    fills.every((fill) => {
      const order = fill.liquidity === 'maker' && before.orders.find((o) => o.id === fill.order)
      return !order || eq(order.price!, dec(fill.price))
    }),

  'depth is never used twice: what is taken of a level is at most its size': ({ world: { replay, compiled }, after }) =>
    after.book.taken.every(({ symbol, side, price, size, mseq }) => {
      const view = replay.view.symbol(symbol)!
      const levels = [view.quote![side], ...(side === 'ask' ? view.asks : view.bids)]
      const level = levels.find((l) => eq(l.price, price) && l.since <= mseq)
      return !level || lte(size, level.size ?? compiled.markets.get(symbol)!.clip)
    }),

  'both legs of a pair never fill in one event': ({ before, fills, event }) =>
    !event ||
    before.orders.every((o) => !o.oco || !fills.some((f) => f.order === o.id) || !fills.some((f) => f.order === o.oco)),

  'both legs of a pair have the same left': ({ after: { orders } }) =>
    orders.every((o) => {
      const partner = orders.find((p) => p.id === o.oco)
      return !partner || eq(sub(partner.quantity, partner.filled), sub(o.quantity, o.filled))
    }),

  'reduce-only never opens': ({ before, fills }) =>
    fills.every((fill) => {
      if (!before.orders.some((o) => o.reduceOnly && o.id === fill.order)) return true
      const left = dec(fill.position.quantity)
      return fill.result !== null && (isZero(left) || sign(left) > 0 === (fill.side === 'sell'))
    }),

  'no reducing order is left without a position that it could reduce': ({ after: { orders, book } }) =>
    orders.every(
      (o) =>
        !o.reduceOnly ||
        book.positions.some(
          (p) =>
            (o.position ? p.id === o.position : p.symbol === o.symbol) && sign(p.quantity) > 0 === (o.side === 'sell'),
        ),
    ),

  'cash and house sum to zero in every record': ({ records }) =>
    records.every(
      (r) => !('postings' in r) || isZero(r.postings.reduce<Dec>((sum, p) => add(sum, dec(p.amount)), ZERO)),
    ),

  'netting holds one position a symbol, hedging one ticket an order': ({ world, after: { book } }) =>
    new Set(book.positions.map((p) => (world.compiled.hedging ? p.id : p.symbol))).size === book.positions.length,

  'a refused command changes nothing': ({ before, after, records }) => {
    const command = records.find((r) => r.kind === 'command')
    if (command?.kind !== 'command' || command.answer.ok) return true
    const text = (state: AccountState): string =>
      [...state.book.positions, ...state.orders].map((x) => x.id + str(x.quantity)).join()
    return records.length === 1 && text(before) === text(after) && eq(before.book.balance, after.book.balance)
  },
}
const broken = new Map<string, string[]>()
let looks = 0

function look(seen: Omit<Seen, 'fills'>): void {
  const fills = seen.records.filter((r) => r.kind === 'fill')
  looks += fills.length
  for (const [law, holds] of Object.entries(LAWS)) {
    if (holds({ ...seen, fills })) continue
    const at = `${seen.event?.mseq ?? 'command'}: ${JSON.stringify(seen.records)}`
    broken.set(law, [...(broken.get(law) ?? []), at])
  }
}
function walk(seed: number): void {
  const random = randomOf(seed * 6_700_417)
  const world = new World(randomSpec(random))
  const { replay } = world
  const take = (event: MarketEvent | null, act: () => void): void => {
    const before = world.state
    const from = world.records.length
    act()
    look({ world, before, after: world.state, records: world.records.slice(from), event })
  }
  const mid = (symbol: string): number | null => {
    const quote = replay.view.symbol(symbol)?.quote
    return quote ? toNumber(quote.bid.price) : null
  }
  for (const event of randomMarket(randomOf(seed), EVENTS, { volatility: 0.002, pace: 60_000 })) {
    take(event, () => replay.event(event))
    if (event.mseq === 10) for (const op of ['create', 'start'] as const) world.command({ op })
    if (event.mseq > 10 && random() < 0.3) take(null, () => world.command(randomCommand(random, mid, world.state)))
  }
}

beforeAll(() => {
  for (let seed = 1; seed <= WORLDS; seed++) walk(seed)
  expect(looks).toBeGreaterThan(500)
})
for (const law of Object.keys(LAWS)) test(law, () => expect(broken.get(law) ?? []).toEqual([]))
