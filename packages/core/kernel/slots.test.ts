import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { NamedSlots, Slots } from './slots.ts'

describe('slots', () => {
  test('what was put is taken once, by the number it was given; numbers are used again', () => {
    const slots = new Slots<{ name: string }>()
    const [a, b] = [slots.put({ name: 'a' }), slots.put({ name: 'b' })]
    expect(slots.at(a)).toEqual({ name: 'a' })
    expect(slots.take(a)).toEqual({ name: 'a' })
    expect(slots.take(a)).toBeUndefined()
    expect(slots.at(a)).toBeUndefined()
    expect(slots.put({ name: 'c' })).toBe(a)
    expect(slots.take(99)).toBeUndefined()
    expect(slots.values()).toEqual([{ name: 'c' }, { name: 'b' }])
    expect(slots.take(b)).toEqual({ name: 'b' })
  })
  test('by name they do what a Map does, whatever comes and goes', () => {
    const step = fc.tuple(fc.constantFrom('put', 'take', 'at'), fc.constantFrom('a', 'b', 'c', 'd'))
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const [ours, map] = [new NamedSlots<{ n: number }>(), new Map<string, { n: number }>()]
        for (const [n, [what, name]] of steps.entries()) {
          const before = map.get(name)
          if (what === 'put') {
            ours.put(name, { n })
            map.set(name, { n })
          } else if (what === 'take') {
            expect(ours.take(name)).toEqual(before as never)
            map.delete(name)
          }
          for (const each of ['a', 'b', 'c', 'd']) expect(ours.at(each)).toEqual(map.get(each) as never)
        }
      }),
    )
  })
})
