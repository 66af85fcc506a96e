import { expect, test } from 'bun:test'
import { ManualClock } from '../../testing/clock.ts'
import { systemClock } from './system.ts'

const reasonOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (reason) => reason,
  )

test('an aborted sleep rejects with the reason, on both clocks, before or while it sleeps', async () => {
  for (const clock of [systemClock, new ManualClock()]) {
    const reason = new Error('closing')
    const abort = new AbortController()
    const sleeping = reasonOf(clock.sleep(60_000, abort.signal))
    abort.abort(reason)
    expect(await sleeping).toBe(reason)
    expect(await reasonOf(clock.sleep(60_000, abort.signal))).toBe(reason)
  }
})

test('the system clock sleeps at least as long as asked, and its monotonic time does not fall', async () => {
  const before = systemClock.monotonic()
  await systemClock.sleep(10)
  expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(9)
})

test('a manual clock wakes sleepers in the order of their times, and a jump of the wall clock wakes nobody', async () => {
  const clock = new ManualClock(1_000)
  const woken: [string, number][] = []
  const sleep = (name: string, ms: number) => clock.sleep(ms).then(() => woken.push([name, clock.monotonic()]))
  const all = [sleep('late', 30), sleep('early', 10)]
  clock.set(5_000)
  await clock.advance(20)
  expect(woken).toEqual([['early', 10]])
  await clock.advance(20)
  await Promise.all(all)
  expect([woken.length, clock.now(), clock.monotonic()]).toEqual([2, 5_040, 40])
})
