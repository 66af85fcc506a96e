import { describe, expect, test } from 'bun:test'
import type { Clock } from '../clock/port.ts'
import { DriverSilentError } from './lockstep.ts'
import { createLockstep } from './lockstep-memory.ts'

/** A clock that a test moves. */
function manual(): Clock & { advance(ms: number): void } {
  let time = 0
  let sleepers: { at: number; wake: () => void }[] = []
  return {
    now: () => time,
    monotonic: () => time,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleepers.push({ at: time + ms, wake: () => resolve() })
        signal?.addEventListener('abort', () => reject(signal.reason))
      }),
    advance(ms) {
      time += ms
      const due = sleepers.filter((s) => s.at <= time)
      sleepers = sleepers.filter((s) => s.at > time)
      for (const s of due) s.wake()
    },
  }
}
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false
  const mark = () => {
    done = true
  }
  promise.then(mark, mark)
  await new Promise((resolve) => setImmediate(resolve))
  for (let i = 0; i < 20; i++) await Promise.resolve()
  return done
}

describe('lockstep', () => {
  test('an event is released when every owner applied and every driver finished the one before', async () => {
    const group = createLockstep('main', manual())
    const owner = group.join('owner', 'slot 0')
    const other = group.join('owner', 'slot 1')
    const driver = group.join('driver', 'demo')
    await group.released(1)
    const second = group.released(2)
    owner.report(1)
    driver.report(1)
    expect(await settled(second)).toBe(false)
    other.report(1)
    await second
    expect(group.ceiling()).toBe(2)
  })

  test('what a driver is done with ahead is released together', async () => {
    const group = createLockstep('main', manual())
    const owner = group.join('owner', 'slot 0')
    const driver = group.join('driver', 'backtest')
    driver.report(500)
    expect(group.ceiling()).toBe(500)
    expect(await settled(group.applied(500))).toBe(false)
    owner.report(500)
    await group.applied(500)
    expect(group.ceiling()).toBe(501)
  })

  test('who leaves holds nothing back', async () => {
    const group = createLockstep('main', manual())
    const driver = group.join('driver', 'client')
    const third = group.released(3)
    expect(await settled(third)).toBe(false)
    driver.leave()
    await third
  })

  test('a driver silent for a minute ends the run; an owner never does', async () => {
    const clock = manual()
    const group = createLockstep('main', clock)
    const owner = group.join('owner', 'slot 0')
    const driver = group.join('driver', 'client')
    driver.report(4)
    owner.report(3)
    const held = group.released(7)
    clock.advance(59_999)
    expect(await settled(held)).toBe(false)
    driver.report(5)
    clock.advance(1)
    expect(await settled(held)).toBe(false)
    clock.advance(60_000)
    await expect(held).rejects.toThrow(DriverSilentError)
    driver.report(100)
    const byOwner = group.released(8 + 4096)
    clock.advance(600_000)
    expect(await settled(byOwner)).toBe(true)
  })

  test('a wait ends when its signal aborts', async () => {
    const group = createLockstep('main', manual())
    group.join('owner', 'slot 0')
    const stop = new AbortController()
    const waiting = group.applied(1, stop.signal)
    stop.abort(new Error('stopping'))
    await expect(waiting).rejects.toThrow('stopping')
  })
})
