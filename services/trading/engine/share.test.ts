import { expect, test } from 'bun:test'
import { dueTo, type SlotRow } from './share.ts'

const rows = (owners: readonly (string | null)[]): SlotRow[] => owners.map((owner, slot) => ({ slot, owner }))
const free = rows(Array.from({ length: 64 }, () => null))

/** Everybody acts on the same rows until nobody has anything to do; how many rounds that took. */
function settle(owners: readonly string[], slots: SlotRow[]): { slots: SlotRow[]; rounds: number } {
  for (let rounds = 0; ; rounds++) {
    const due = owners.map((name) => ({ name, ...dueTo(name, owners, slots) }))
    if (due.every(({ take, surplus }) => take.length + surplus.length === 0)) return { slots, rounds }
    slots = slots.map(({ slot, owner }) => {
      const takers = due.filter(({ take }) => take.includes(slot))
      expect(takers.length).toBeLessThanOrEqual(1)
      if (due.some(({ surplus }) => surplus.includes(slot))) return { slot, owner: null }
      return { slot, owner: takers[0]?.name ?? owner }
    })
  }
}
const counts = (slots: readonly SlotRow[]) => {
  const held: Record<string, number> = {}
  for (const { owner } of slots) held[owner ?? 'free'] = (held[owner ?? 'free'] ?? 0) + 1
  return held
}

test('one owner takes everything', () => {
  expect(dueTo('a', ['a'], free)).toEqual({ take: free.map((s) => s.slot), surplus: [] })
})
test('free slots are dealt to all at once, and no slot to two', () => {
  const { slots, rounds } = settle(['a', 'b', 'c'], free)
  expect(counts(slots)).toEqual({ a: 22, b: 21, c: 21 })
  expect(rounds).toBe(1)
})
test('who comes later gets its share from those who have more, and nothing else moves', () => {
  const alone = settle(['b'], free).slots
  const { slots } = settle(['a', 'b', 'c'], alone)
  expect(counts(slots)).toEqual({ a: 22, b: 21, c: 21 })
  const again = settle(['a', 'b', 'c', 'd'], slots)
  expect(counts(again.slots)).toEqual({ a: 16, b: 16, c: 16, d: 16 })
  for (const [n, { owner }] of again.slots.entries()) expect([slots[n]!.owner, 'd']).toContain(owner)
})
test('who drains gives all, and the others share it', () => {
  const { slots } = settle(['a', 'b', 'c'], free)
  expect(dueTo('c', ['a', 'b'], slots)).toEqual({
    take: [],
    surplus: slots.filter((s) => s.owner === 'c').map((s) => s.slot),
  })
  const left = slots.map((s) => (s.owner === 'c' ? { ...s, owner: null } : s))
  expect(counts(settle(['a', 'b'], left).slots)).toEqual({ a: 32, b: 32 })
})
test('where nobody can take them, the last one that drains keeps its slots', () => {
  const { slots } = settle(['a'], free)
  expect(dueTo('a', [], slots)).toEqual({ take: [], surplus: [] })
})
test('a slot whose owner is not among the living is nobody’s to take before its lease ends', () => {
  const slots = rows(Array.from({ length: 64 }, (_, n) => (n < 10 ? 'gone' : null)))
  expect(counts(settle(['a', 'b'], slots).slots)).toEqual({ gone: 10, a: 32, b: 22 })
})
