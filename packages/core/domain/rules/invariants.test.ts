/** What holds for every account whatever the market does, through the engine. */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { spec, World } from '../../testing/world.ts'
import { liveView } from '../engine/live.ts'
import { add, dec, lte, str } from '../money/dec.ts'
import type { Anchor, Compare, Metric, Rule } from './types.ts'

const START = Date.parse('2024-03-04T08:00:00Z')
const MINUTE = 60_000

const compare = fc.constantFrom<Compare>('lt', 'lte')
const metric = fc.constantFrom<Metric>('equity', 'balance', 'min')
const amount = fc.integer({ min: 500, max: 6000 }).map((n) => ({ amount: String(n) }))
const daily = fc
  .record({
    anchor: fc.constantFrom<Anchor>('balance', 'equity', 'max', 'initial', 'day_high'),
    limit: amount,
    metric,
    compare,
    tested: fc.constantFrom('always' as const, 'reset' as const),
  })
  .map((more): Rule => ({ rule: 'max_daily_loss', effect: 'hard', ...more }))
const overall = fc
  .record({ limit: amount, metric, compare })
  .map((more): Rule => ({ rule: 'max_loss', mode: 'static', lock: null, effect: 'hard', ...more }))
const target = fc
  .record({ limit: amount, basis: fc.constantFrom('balance' as const, 'equity' as const), require_flat: fc.boolean() })
  .map(({ limit, ...more }): Rule => ({ rule: 'profit_target', ...limit, sticky: false, effect: 'gate', ...more }))
const rules = fc.tuple(daily, daily, overall, overall, target)

/** A move of the price in cents, what is traded before it, and the minutes it takes. */
const moves = fc.array(
  fc.record({
    by: fc.integer({ min: -300, max: 300 }),
    trade: fc.constantFrom('', 'buy', 'sell', 'buy', 'flatten'),
    minutes: fc.constantFrom(1, 30, 400, 1500),
  }),
  { minLength: 5, maxLength: 25 },
)
type Move = { by: number; trade: string; minutes: number }

function play(list: readonly Rule[], path: readonly Move[], after: (w: World) => void = () => {}): World {
  const w = new World(spec([...list]))
  let at = START
  let cents = 10_000
  const quote = () => {
    const price = str({ n: BigInt(cents), s: 2 })
    w.quote(new Date(at).toISOString(), price, price)
    after(w)
  }
  w.start(new Date(START).toISOString())
  quote()
  for (const { by, trade, minutes } of path) {
    const [held] = w.state.book.positions
    if (trade === 'buy') w.buy('1000')
    if (trade === 'sell') w.sell('1000')
    if (trade === 'flatten' && held) w.command({ op: 'close', position: held.symbol })
    at += minutes * MINUTE
    cents = Math.max(100, cents + by)
    quote()
  }
  return w
}
const served = (w: World) =>
  liveView(w.state, w.compiled, w.replay.view).rules.filter(
    ({ rule }) => rule === 'max_daily_loss' || rule === 'max_loss',
  )
const ended = ({ state, records }: World) => ({
  status: state.status,
  balance: str(state.book.balance),
  at: records.find(({ kind }) => kind === 'verdict')?.mts,
})

test('floor + permitted loss = metric, at every point', () => {
  fc.assert(
    fc.property(rules, moves, (list, path) => {
      play(list, path, (w) => {
        for (const { value, limit, remaining } of served(w))
          expect(str(add(dec(limit), dec(remaining)))).toBe(str(dec(value)))
      })
    }),
    { numRuns: 50 },
  )
})

test('a static floor is constant, and a daily one moves at a reset or with the high of the day alone', () => {
  fc.assert(
    fc.property(rules, moves, (list, path) => {
      let day = -1
      const floors = new Map<number, string>()
      play(list, path, (w) => {
        const fresh = (w.state.day?.k ?? day) !== day
        day = w.state.day?.k ?? day
        for (const { index, rule, limit } of served(w)) {
          const before = floors.get(index)
          floors.set(index, limit)
          if (before === undefined || (rule === 'max_daily_loss' && fresh)) continue
          const own = list[index] as Extract<Rule, { rule: 'max_daily_loss' }>
          if (own.anchor === 'day_high') expect(lte(dec(before), dec(limit))).toBe(true)
          else expect(limit).toBe(before)
        }
      })
    }),
    { numRuns: 50 },
  )
})

test('the verdict does not depend on the order in which a phase lists its rules', () => {
  fc.assert(
    fc.property(
      rules.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
      moves,
      ([list, other], path) => {
        const [one, two] = [play(list, path), play(other, path)]
        expect(ended(two)).toEqual(ended(one))
        // of two rules of one kind that a reset finds crossed alike, the one that is listed first is named
        const kinds = (w: World) => w.of('violation').map(({ rule }) => rule)
        expect(kinds(two)).toEqual(kinds(one))
      },
    ),
    { numRuns: 50 },
  )
})

test('a tick that is no new extreme changes nothing', () => {
  fc.assert(
    fc.property(rules, moves, (list, path) => {
      const twice = path.flatMap((move) => [move, { by: 0, trade: '', minutes: 0 }])
      expect(ended(play(list, twice))).toEqual(ended(play(list, path)))
    }),
    { numRuns: 50 },
  )
})
