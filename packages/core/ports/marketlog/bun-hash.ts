import type { TreeHash } from '../../domain/proof/merkle.ts'

/** The tree hash of the hot path: one native hasher reused, 0.3 us a leaf. */
export function bunHash(): TreeHash {
  const hasher = new Bun.CryptoHasher('sha256')
  const digest = new Uint8Array(64) // Bun asks for 64 bytes whatever the algorithm
  const node = new Uint8Array(65)
  node[0] = 1
  const finish = () => {
    hasher.digest(digest)
    return digest.slice(0, 32)
  }
  return {
    leaf(data) {
      hasher.update(`\u0000${data}`)
      return finish()
    },
    node(left, right) {
      node.set(left, 1)
      node.set(right, 33)
      hasher.update(node)
      return finish()
    },
    text(text) {
      hasher.update(text)
      return finish()
    },
  }
}
