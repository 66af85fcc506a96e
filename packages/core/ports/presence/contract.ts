import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Presence } from './port.ts'

export interface PresenceUnderTest {
  /** of two processes; in memory there is one only, and both are it */
  one: Presence
  two: Presence
}

/** What every presence guarantees. */
export function presenceContract(open: () => Promise<PresenceUnderTest>): void {
  let one: Presence
  let two: Presence
  beforeAll(async () => {
    ;({ one, two } = await open())
  })
  afterAll(() => Promise.all([one.close(), two.close()]))
  let names = 0
  const somebody = () => `somebody ${++names}`

  test('of many that enter at once through two processes exactly as many do as there are seats', async () => {
    const who = somebody()
    const tries = await Promise.all(Array.from({ length: 30 }, (_, i) => (i % 2 ? one : two).enter(who, 7)))
    const seats = tries.filter((seat) => seat !== null)
    expect(seats).toHaveLength(7)
    expect((await one.list(who)).toSorted()).toEqual(seats.map(({ id }) => id).toSorted())
    expect(await two.enter(who, 7)).toBeNull()
  })
  test('a seat that is left is free for anybody, and can be left once only', async () => {
    const who = somebody()
    const first = await one.enter(who, 2)
    await two.enter(who, 2)
    await first!.leave()
    await first!.leave()
    expect(await two.list(who)).toHaveLength(1)
    const third = await two.enter(who, 2)
    expect(third).not.toBeNull()
    await first!.leave()
    expect(await one.list(who)).toHaveLength(2)
    expect(await one.enter(who, 2)).toBeNull()
  })
  test('who has no seat left does not stand in the way of others', async () => {
    const full = somebody()
    await one.enter(full, 1)
    expect(await one.enter(full, 1)).toBeNull()
    expect(await one.enter(somebody(), 1)).not.toBeNull()
    expect(await one.list(somebody())).toEqual([])
  })
  test('a bound that has grown since lets more in, one that has shrunk puts nobody out', async () => {
    const who = somebody()
    await one.enter(who, 1)
    expect(await two.enter(who, 2)).not.toBeNull()
    expect(await one.enter(who, 1)).toBeNull()
    expect(await one.list(who)).toHaveLength(2)
  })
}
