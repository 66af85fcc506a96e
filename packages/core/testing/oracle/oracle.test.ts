import { expect, test } from 'bun:test'
import { compare } from './compare.ts'
import { shrink } from './shrink.ts'
import { worldOf } from './worlds.ts'

const ACCOUNTS = 50
const EVENTS = 1000
const WORLDS = 20

test('a slow, separate implementation decides the same over a million pairs of event and account', () => {
  let pairs = 0
  const decided = new Map<string, number>()
  for (let seed = 1; seed <= WORLDS; seed++) {
    const world = worldOf(seed, { accounts: ACCOUNTS, events: EVENTS })
    const result = compare(world)
    pairs += result.pairs
    for (const [kind, n] of result.coverage) decided.set(kind, (decided.get(kind) ?? 0) + n)
    if (result.difference) {
      const { world: least, difference } = shrink(world, result.difference)
      console.log(`seed ${seed}, the shortest case:`)
      for (const item of least.items) console.log(JSON.stringify(item))
      expect(difference).toBeNull()
    }
  }
  console.log(`seeds 1 to ${WORLDS}: ${pairs} pairs; ${[...decided].map(([kind, n]) => `${n} ${kind}`).join(', ')}`)
  expect(pairs).toBeGreaterThanOrEqual(1_000_000)
  for (const kind of ['fill', 'order', 'day', 'verdict', 'violation', 'target'])
    expect([kind, (decided.get(kind) ?? 0) > 0]).toEqual([kind, true])
}, 120_000)
