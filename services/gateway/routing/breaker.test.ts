import { expect, test } from 'bun:test'
import { Breaker, type CallOutcome } from './breaker.ts'

/** One call from its pass to its outcome; false: it was not let through. */
function call(breaker: Breaker, outcome: CallOutcome, now: number): boolean {
  const pass = breaker.enter(now)
  if (pass === 'refused') return false
  breaker.leave(pass, outcome, now)
  return true
}
function opened(now = 0): Breaker {
  const breaker = new Breaker()
  for (let n = 0; n < 5; n++) call(breaker, 'failed', now)
  return breaker
}

test('five failures in 10 s open it when they are half of the calls; fewer, older or rarer ones do not', () => {
  expect(opened().state(0)).toBe('open')
  const few = new Breaker()
  for (let n = 0; n < 4; n++) call(few, 'failed', 0)
  expect(few.state(0)).toBe('closed')
  const old = new Breaker()
  for (let n = 0; n < 20; n++) call(old, 'failed', n * 3_000)
  expect(old.state(60_000)).toBe('closed')
  const rare = new Breaker()
  for (let n = 0; n < 100; n++) call(rare, n % 5 === 0 ? 'failed' : 'answered', n)
  expect(rare.state(100)).toBe('closed')
})
test('open it lets nothing through; after a second one trial at a time, whose success closes it', () => {
  const breaker = opened()
  expect(breaker.enter(999)).toBe('refused')
  expect(breaker.waitMs(600)).toBe(400)
  expect(breaker.state(1_000)).toBe('half-open')
  expect([breaker.enter(1_000), breaker.enter(1_000)]).toEqual(['trial', 'refused'])
  breaker.leave('trial', 'answered', 1_010)
  expect(breaker.state(1_010)).toBe('closed')
  expect(call(breaker, 'failed', 1_020)).toBe(true)
  expect(breaker.state(1_020)).toBe('closed')
})
test('each trial that fails doubles the time, up to 5 s; one that nobody waited for decides nothing', () => {
  const breaker = opened()
  const times: number[] = []
  let now = 0
  for (let n = 0; n < 4; n++) {
    now += breaker.waitMs(now)
    call(breaker, 'failed', now)
    times.push(breaker.waitMs(now))
  }
  expect(times).toEqual([2_000, 4_000, 5_000, 5_000])
  now += breaker.waitMs(now)
  call(breaker, 'unknown', now)
  expect([breaker.state(now), breaker.enter(now)]).toEqual(['half-open', 'trial'])
})
test('a health check that passes again allows the trial at once; what was under way when it opened decides nothing', () => {
  const breaker = opened()
  breaker.leave('normal', 'answered', 10)
  expect(breaker.state(10)).toBe('open')
  breaker.mayBeBack(20)
  expect(breaker.enter(20)).toBe('trial')
})
