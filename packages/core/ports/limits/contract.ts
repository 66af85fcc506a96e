import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Gcra } from './gcra.ts'
import type { Decision, Limit, Limits } from './port.ts'

export interface LimitsUnderTest {
  limits: Limits
  /** the time that decisions are made at, ms; the suite moves it */
  time: { now: number }
}
const limit: Limit = { name: 'default', points: 5, windowMs: 10_000 }

/** What every keeper of limits guarantees. */
export function limitsContract(open: () => Promise<LimitsUnderTest>): void {
  let limits: Limits
  let time: LimitsUnderTest['time']
  beforeAll(async () => {
    ;({ limits, time } = await open())
  })
  afterAll(() => limits.close())
  let clients = 0
  const client = () => `client ${++clients}`
  const take = async (who: string, asked: Limit = limit): Promise<Decision> => (await limits.take(who, [asked]))[0]!

  test('an idle client uses all its points at once, then waits exactly until the next one', async () => {
    const who = client()
    for (let left = 4; left >= 0; left--) expect(await take(who)).toMatchObject({ allowed: true, remaining: left })
    expect(await take(who)).toEqual({ allowed: false, remaining: 0, retryAfterMs: 2_000, resetMs: 10_000 })
    time.now += 1_999
    expect((await take(who)).allowed).toBe(false)
    time.now += 1
    expect((await take(who)).allowed).toBe(true)
    expect((await take(client())).allowed).toBe(true)
  })
  test('each of several limits decides for itself', async () => {
    const who = client()
    const hour = { name: 'hour', points: 1, windowMs: 3_600_000 }
    const decisions = async () => (await limits.take(who, [limit, hour])).map(({ allowed }) => allowed)
    expect([await decisions(), await decisions()]).toEqual([
      [true, true],
      [true, false],
    ])
    expect(await take(who)).toMatchObject({ remaining: 2 })
  })
  test('of many requests at once exactly as many are allowed as there are points', async () => {
    const who = client()
    const all = await Promise.all(Array.from({ length: 50 }, () => take(who)))
    expect(all.filter(({ allowed }) => allowed)).toHaveLength(5)
  })
  test('a refunded request can be made again, a forgotten client begins anew', async () => {
    const who = client()
    for (let i = 0; i < 5; i++) await take(who)
    await limits.refund(who, limit)
    expect([(await take(who)).allowed, (await take(who)).allowed]).toEqual([true, false])
    await limits.forget(who, limit)
    expect(await take(who)).toMatchObject({ allowed: true, remaining: 4 })
    await limits.refund(client(), limit)
  })
  test('every sequence of requests and pauses is decided as the algorithm in memory decides it', async () => {
    const step = fc.record({
      gapMs: fc.oneof(fc.constant(0), fc.nat(4_000), fc.double({ min: 0, max: 50, noNaN: true })),
      refund: fc.boolean(),
    })
    const bounds = fc.record({ points: fc.integer({ min: 1, max: 7 }), windowMs: fc.integer({ min: 1, max: 20_000 }) })
    await fc.assert(
      fc.asyncProperty(bounds, fc.array(step, { maxLength: 30 }), async (bound, steps) => {
        const who = client()
        const asked = { name: 'any', ...bound }
        const model = new Gcra()
        for (const { gapMs, refund } of steps) {
          time.now += gapMs
          expect(await take(who, asked)).toEqual(model.take(who, asked, time.now))
          if (!refund) continue
          await limits.refund(who, asked)
          model.refund(who, asked)
        }
      }),
      { numRuns: 60 },
    )
  })
}
