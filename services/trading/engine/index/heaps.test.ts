import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Heaps } from './heaps.ts'

test('nodes leave a heap in order of their keys, whatever was added and removed before', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.boolean()), { maxLength: 200 }), (moves) => {
      const heaps = new Heaps()
      const [a, b] = [heaps.create(), heaps.create()]
      const standing: { node: number; key: number }[] = []
      for (const [key, remove] of moves) {
        if (remove && standing.length > 0) heaps.release(standing.splice(Math.abs(key) % standing.length, 1)[0]!.node)
        else standing.push({ node: heaps.add(a, key, key), key })
        heaps.add(b, -key, 0)
      }
      const keys: number[] = []
      while (heaps.size(a) > 0) {
        keys.push(heaps.least(a))
        expect(heaps.ownerOfLeast(a)).toBe(heaps.least(a))
        heaps.popLeast(a)
      }
      expect(keys).toEqual(standing.map((s) => s.key).sort((x, y) => x - y))
    }),
  )
})
