import { describe, expect, test } from 'bun:test'
import { spec, World } from '../../testing/world.ts'
import type { AccountSpec, Rule } from './types.ts'

const at = (time: string): string => `2024-03-${time}Z`
const inactivity: Rule = { rule: 'inactivity', days: 3, effect: 'hard' }
const limit: Rule = { rule: 'time_limit', days: 3, unit: 'calendar', from: 'start', effect: 'hard' }
const target: Rule = {
  rule: 'profit_target',
  amount: '1000',
  basis: 'balance',
  require_flat: true,
  sticky: false,
  effect: 'gate',
}
function world(rules: Rule[], more: Partial<AccountSpec> = {}): World {
  const w = new World(spec([...rules, target], { max_pauses: 2, max_pause_days: 2, ...more }))
  w.start(at('04T08:00:00')).quote(at('04T08:00:01'), '100.00', '100.00')
  return w
}
const pause = (w: World) => w.command({ op: 'pause' })
const resume = (w: World) => w.command({ op: 'resume' })

test('a pause with open positions is refused', () => {
  const w = world([])
  w.buy('10')
  expect(pause(w)).toMatchObject({ ok: false, code: 'pause_not_allowed' })
  expect(w.state.status).toBe('started')
})
test('a pause cancels working orders and refuses new ones; resets go on', () => {
  const w = world([])
  w.order({ price: '90.00' })
  expect(pause(w)).toEqual({ ok: true, status: 'paused' })
  expect(w.ended).toEqual(['#1 cancelled paused'])
  expect(w.buy('10')).toMatchObject({ ok: false, code: 'assessment_paused' })
  w.clock(at('04T23:00:00'))
  expect(w.of('day')).toHaveLength(1)
  expect(resume(w)).toEqual({ ok: true, status: 'started' })
  expect(w.buy('10')).toMatchObject({ ok: true })
})
for (const [name, rule] of [
  ['inactivity', inactivity],
  ['time_limit', limit],
] as const) {
  test(`a pause stops the clock of ${name}: it is due later by as much`, () => {
    const w = world([rule])
    w.clock(at('05T08:00:00'))
    pause(w)
    w.clock(at('06T10:00:00'))
    resume(w)
    w.clock(at('08T09:59:59'))
    expect(w.state.status).toBe('started')
    w.clock(at('08T10:00:00'))
    expect(w.state.status).toBe(name === 'inactivity' ? 'failed' : 'expired')
    expect(w.of('verdict')[0]).toMatchObject({ rule: name, mts: Date.parse(at('08T10:00:00')) })
  })
}
describe('the tier bounds pauses', () => {
  test('none are allowed', () => {
    expect(pause(world([], { max_pauses: 0 }))).toMatchObject({ ok: false, code: 'pause_not_allowed' })
  })
  test('no more than max_pauses', () => {
    const w = world([])
    for (let i = 0; i < 2; i++) {
      pause(w)
      resume(w)
    }
    expect(pause(w)).toMatchObject({ ok: false, code: 'pause_not_allowed' })
  })
  test('after max_pause_days in all it resumes by itself, at that instant', () => {
    const w = world([])
    w.clock(at('04T10:00:00'))
    pause(w)
    w.clock(at('05T10:00:00'))
    resume(w)
    w.clock(at('06T12:00:00'))
    pause(w)
    w.clock(at('07T11:59:59'))
    expect(w.state.status).toBe('paused')
    w.clock(at('07T13:00:00'))
    expect(w.state.status).toBe('started')
    expect(w.of('pause').at(-1)).toMatchObject({ paused: false, mts: Date.parse(at('07T12:00:00')) })
  })
})
test('a paused assessment can be abandoned, and nothing else is resumed', () => {
  const w = world([])
  expect(resume(w)).toMatchObject({ ok: false, code: 'assessment_not_paused' })
  pause(w)
  expect(w.command({ op: 'abandon' })).toEqual({ ok: true, status: 'abandoned' })
})
