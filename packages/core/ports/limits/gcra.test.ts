import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Gcra } from './gcra.ts'
import type { Limit } from './port.ts'

const limit: Limit = { name: 'default', points: 5, windowMs: 10_000 }

test('an idle client may use all its points at once, then waits exactly until the next one', () => {
  const gcra = new Gcra()
  for (let left = 4; left >= 0; left--)
    expect(gcra.take('a', limit, 1_000)).toMatchObject({ allowed: true, remaining: left })
  expect(gcra.take('a', limit, 1_000)).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 2_000 })
  expect(gcra.take('a', limit, 2_999).allowed).toBe(false)
  expect(gcra.take('a', limit, 3_000).allowed).toBe(true)
})

test('clients do not share points', () => {
  const gcra = new Gcra()
  for (let i = 0; i < 5; i++) gcra.take('a', limit, 0)
  expect(gcra.take('a', limit, 0).allowed).toBe(false)
  expect(gcra.take('b', limit, 0).allowed).toBe(true)
})

test('in no window of any trace is more than twice the limit allowed, nor more than the long-run rate and one burst', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 200 }), (gaps) => {
      const gcra = new Gcra()
      let now = 0
      const allowed: number[] = []
      for (const gap of gaps) {
        now += gap
        if (gcra.take('a', limit, now).allowed) allowed.push(now)
      }
      for (const [index, start] of allowed.entries()) {
        const inWindow = allowed.slice(index).filter((at) => at < start + limit.windowMs).length
        expect(inWindow).toBeLessThan(2 * limit.points)
      }
      expect(allowed.length).toBeLessThanOrEqual(limit.points + (now * limit.points) / limit.windowMs)
    }),
  )
})

test('a refunded request can be made again', () => {
  const gcra = new Gcra()
  for (let i = 0; i < 5; i++) gcra.take('a', limit, 0)
  gcra.refund('a', limit)
  expect(gcra.take('a', limit, 0).allowed).toBe(true)
  expect(gcra.take('a', limit, 0).allowed).toBe(false)
})

test('clients that went idle are dropped, and their number is bounded', () => {
  const gcra = new Gcra(1_000)
  for (let i = 0; i < 5_000; i++) gcra.take(`c${i}`, limit, 0)
  expect(gcra.size).toBe(1_000)
  for (let i = 0; i < 2_000; i++) gcra.take('busy', { ...limit, points: 1e6 }, 60_000)
  expect(gcra.size).toBe(1)
})
