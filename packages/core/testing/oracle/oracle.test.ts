import { expect, test } from 'bun:test'
import { compare } from './compare.ts'
import { keep, keptCases } from './kept.ts'
import { shrink } from './shrink.ts'
import { FEATURES, worldOf } from './worlds.ts'

/** Few worlds of many accounts, and many of few that trade all the time. */
const WORLDS = [
  { seeds: 5, size: { accounts: 500, events: 336 } },
  { seeds: 27, size: { accounts: 20, events: 300 } },
]
/** Nothing here may stay at nought: the worlds meet every kind of order, fill, rule and effect. */
const COVERED = [
  'fill maker',
  'fill taker',
  'fill close',
  'fill lock',
  'fill stop_out',
  'order working',
  'order triggered',
  'order amended',
  'order filled',
  'order cancelled no_liquidity',
  'order cancelled oco',
  'order cancelled nothing_to_reduce',
  'order expired',
  'carry swap',
  'carry funding',
  'verdict failed',
  'verdict expired',
  'verdict abandoned',
  'unlock',
  'pause',
  'day',
  'target',
]

test.each(keptCases())('a case that once differed does so no more: $name', ({ world }) => {
  expect(compare(world).difference).toBeNull()
})

test('a slow, separate implementation decides the same over a million pairs of event and account', () => {
  let pairs = 0
  const coverage = new Map<string, number>()
  const worlds = WORLDS.flatMap(({ seeds, size }) => Array.from({ length: seeds }, (_, i) => ({ seed: i + 1, size })))
  for (const { seed, size } of worlds) {
    const world = worldOf(seed, { ...size, features: FEATURES })
    const result = compare(world)
    pairs += result.pairs
    for (const [what, n] of result.coverage) coverage.set(what, (coverage.get(what) ?? 0) + n)
    if (result.difference) {
      const least = shrink(world, result.difference)
      console.log(`seed ${seed}: the shortest case is kept in ${keep(least)}`)
      expect(least.difference).toBeNull()
    }
  }
  const table = [...coverage]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, n]) => `${String(n).padStart(8)} ${what}`)
  console.log(`${worlds.length} worlds: ${pairs} pairs\n${table.join('\n')}`)
  expect(pairs).toBeGreaterThanOrEqual(1_000_000)
  expect(COVERED.filter((what) => !coverage.has(what))).toEqual([])
}, 240_000)
