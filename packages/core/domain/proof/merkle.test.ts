import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { MerkleStack, portableHash, proveLeaves, rootFrom } from './merkle.ts'

const leavesOf = (n: number) => Array.from({ length: n }, (_, i) => portableHash.leaf(`leaf ${i}`))

/** The recursive definition of RFC 6962, by another SHA-256. */
function reference(leaves: readonly string[]): Buffer {
  const sha = (...parts: (string | Buffer)[]) => parts.reduce((h, p) => h.update(p), createHash('sha256')).digest()
  if (leaves.length === 0) return sha('')
  if (leaves.length === 1) return sha('\u0000', leaves[0]!)
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return sha('\u0001', reference(leaves.slice(0, k)), reference(leaves.slice(k)))
}

function stackOf(leaves: readonly Uint8Array[]): MerkleStack {
  const stack = new MerkleStack()
  for (const leaf of leaves) stack.append(leaf)
  return stack
}

describe('merkle', () => {
  test('the incremental root is that of RFC 6962 for every size', () => {
    for (let n = 0; n <= 70; n++) {
      const data = Array.from({ length: n }, (_, i) => `leaf ${i}`)
      expect(stackOf(leavesOf(n)).root()).toBe(reference(data).toString('hex'))
    }
  })

  const sizesAndSubsets = fc
    .integer({ min: 1, max: 200 })
    .chain((n) => fc.tuple(fc.constant(n), fc.uniqueArray(fc.integer({ min: 0, max: n - 1 }))))

  test('any subset of leaves and its proof lead to the root', () => {
    fc.assert(
      fc.property(sizesAndSubsets, ([n, indexes]) => {
        const leaves = leavesOf(n)
        const proof = proveLeaves(n, indexes, (i) => leaves[i]!)
        expect(rootFrom(n, new Map(indexes.map((i) => [i, leaves[i]!])), proof)).toBe(stackOf(leaves).root())
      }),
      { numRuns: 60 },
    )
  })

  test('a changed, moved, added or missing leaf or hash never leads to the root', () => {
    fc.assert(
      fc.property(sizesAndSubsets, fc.nat(), fc.nat({ max: 4 }), ([n, indexes], at, what) => {
        const leaves = leavesOf(n)
        const root = stackOf(leaves).root()
        const included = new Map(indexes.map((i) => [i, leaves[i]!]))
        const proof = proveLeaves(n, indexes, (i) => leaves[i]!)
        const victim = indexes[at % Math.max(1, indexes.length)]
        if (what === 0 && victim !== undefined) included.set(victim, portableHash.leaf('other'))
        else if (what === 1 && victim !== undefined) included.delete(victim)
        else if (what === 2 && proof.length > 0) proof.splice(at % proof.length, 1)
        else if (what === 3 && proof.length > 0) proof[at % proof.length] = '00'.repeat(32)
        else proof.push('00'.repeat(32))
        expect(rootFrom(n, included, proof)).not.toBe(root)
      }),
      { numRuns: 80 },
    )
  })

  test('a proof of the wrong form answers null', () => {
    const leaf = portableHash.leaf('x')
    expect(rootFrom(1, new Map([[1, leaf]]), [])).toBeNull()
    expect(rootFrom(2, new Map([[0, leaf]]), ['not hex'])).toBeNull()
    expect(rootFrom(-1, new Map(), [])).toBeNull()
    expect(rootFrom(1.5, new Map(), [])).toBeNull()
  })
})
