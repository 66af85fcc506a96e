import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { NamedPlaces, Places } from './places.ts'

describe('places', () => {
  test('what was put is taken once, by the number it was given; numbers are used again', () => {
    const places = new Places<{ name: string }>()
    const [a, b] = [places.put({ name: 'a' }), places.put({ name: 'b' })]
    expect(places.at(a)).toEqual({ name: 'a' })
    expect(places.take(a)).toEqual({ name: 'a' })
    expect(places.take(a)).toBeUndefined()
    expect(places.at(a)).toBeUndefined()
    expect(places.put({ name: 'c' })).toBe(a)
    expect(places.take(99)).toBeUndefined()
    expect(places.values()).toEqual([{ name: 'c' }, { name: 'b' }])
    expect(places.take(b)).toEqual({ name: 'b' })
  })
  test('by name they do what a Map does, whatever comes and goes', () => {
    const step = fc.tuple(fc.constantFrom('put', 'take', 'at'), fc.constantFrom('a', 'b', 'c', 'd'))
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const [ours, map] = [new NamedPlaces<{ n: number }>(), new Map<string, { n: number }>()]
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
