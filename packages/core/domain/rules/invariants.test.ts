/** What holds for every account whatever the market does, through the engine. */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { spec, World } from '../../testing/world.ts'
import { liveView } from '../engine/live.ts'
import { add, type Dec, dec, lte, str } from '../money/dec.ts'
import type { Anchor, Compare, Metric, Rule } from './types.ts'

const START = Date.parse('2024-03-04T08:00:00Z')
const MINUTE = 60_000

const MODES = ['static', 'eod_balance', 'eod_equity', 'closed_balance', 'intraday_equity'] as const

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
  .record({
    mode: fc.constantFrom(...MODES),
    limit: fc.oneof(amount, fc.constantFrom({ pct: '3' }, { ratio: '0.03' })),
    lock: fc.constantFrom(null, { at: 'initial' as const, offset: '100' }, { at: 'target' as const }),
    metric,
    compare,
  })
  .map((more): Rule => ({ rule: 'max_loss', effect: 'hard', ...more }))
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

/** A position whose cost does not end: the day's high, the floor below it and the equity are each rounded when served. */
const THIRDS: [Rule[], Move[]] = [
  [
    {
      rule: 'max_daily_loss',
      effect: 'hard',
      anchor: 'day_high',
      limit: { amount: '5000' },
      metric: 'equity',
      compare: 'lt',
      tested: 'always',
    },
  ],
  [
    { by: 0, trade: 'buy', minutes: 1 },
    { by: 121, trade: 'buy', minutes: 1 },
    { by: 0, trade: 'buy', minutes: 1 },
    { by: 0, trade: 'sell', minutes: 1 },
    { by: -1, trade: '', minutes: 1 },
    { by: 0, trade: 'sell', minutes: 1 },
    ...Array.from({ length: 5 }, () => ({ by: 0, trade: '', minutes: 1 })),
  ],
]

test('floor + permitted loss = metric, at every point', () => {
  fc.assert(
    fc.property(rules, moves, (list, path) => {
      play(list, path, (w) => {
        for (const { value, limit, permitted_loss } of served(w))
          expect(str(add(dec(limit), dec(permitted_loss!)))).toBe(str(dec(value)))
      })
    }),
    { numRuns: 50, examples: [THIRDS] },
  )
})

/** The floor of each rule at each point, by its place, and whether a new day had begun. */
function floorsOf(list: readonly Rule[], path: readonly Move[]): { rule: Rule; floors: Dec[]; fresh: boolean[] }[] {
  const seen = list.map((rule) => ({ rule, floors: [] as Dec[], fresh: [] as boolean[] }))
  let day = 0
  play(list, path, (w) => {
    const now = w.state.day?.k ?? day
    for (const { index, limit } of served(w)) {
      seen[index]!.floors.push(dec(limit))
      seen[index]!.fresh.push(now !== day)
    }
    day = now
  })
  return seen
}

test('a static floor is constant, a trailing one never falls and never passes its lock', () => {
  fc.assert(
    fc.property(rules, moves, (list, path) => {
      const goal = list.find((rule) => rule.rule === 'profit_target') as Extract<Rule, { rule: 'profit_target' }>
      for (const { rule, floors } of floorsOf(list, path)) {
        if (rule.rule !== 'max_loss') continue
        const { mode, lock } = rule
        for (const [i, floor] of floors.entries()) {
          if (mode === 'static') expect(str(floor)).toBe(str(floors[0]!))
          if (i > 0) expect(lte(floors[i - 1]!, floor)).toBe(true)
          const above = lock && (lock.at === 'initial' ? lock.offset : goal.amount!)
          if (above) expect(lte(floor, add(dec('100000'), dec(above)))).toBe(true)
        }
      }
    }),
    { numRuns: 50 },
  )
})

test('a daily floor moves at a reset, or up with the high of the day', () => {
  fc.assert(
    fc.property(rules, moves, (list, path) => {
      for (const { rule, floors, fresh } of floorsOf(list, path)) {
        if (rule.rule !== 'max_daily_loss') continue
        for (const [i, floor] of floors.entries()) {
          if (i === 0 || fresh[i]) continue
          if (rule.anchor === 'day_high') expect(lte(floors[i - 1]!, floor)).toBe(true)
          else expect(str(floor)).toBe(str(floors[i - 1]!))
        }
      }
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
