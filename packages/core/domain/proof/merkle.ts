/**
 * Merkle trees in the shape of RFC 6962: leaf = H(0x00 || data), node = H(0x01 || left || right), split at the
 * largest power of two below n. H is SHA-256. The root of no leaves is H of nothing.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'

export interface TreeHash {
  /** H(0x00 || UTF-8 of data) */
  leaf(data: string): Uint8Array
  /** H(0x01 || left || right) */
  node(left: Uint8Array, right: Uint8Array): Uint8Array
  /** H(UTF-8 of text) */
  text(text: string): Uint8Array
}

const encoder = new TextEncoder()

/** Portable: the same bytes in Bun, Node and a browser. */
export const portableHash: TreeHash = {
  leaf: (data) => sha256(encoder.encode(`\u0000${data}`)),
  node: (left, right) => sha256(Uint8Array.of(1, ...left, ...right)),
  text: (text) => sha256(encoder.encode(text)),
}

const EMPTY_ROOT = bytesToHex(sha256(new Uint8Array(0)))

/** Leaves appended one by one: O(1) amortised, O(log n) memory; the root at any time. */
export class MerkleStack {
  count = 0
  /** roots of the complete subtrees, largest first; their sizes are the bits of `count` */
  private readonly peaks: Uint8Array[] = []

  constructor(private readonly hash: TreeHash = portableHash) {}

  append(leaf: Uint8Array): void {
    let node = leaf
    for (let bits = this.count; bits & 1; bits >>>= 1) node = this.hash.node(this.peaks.pop()!, node)
    this.peaks.push(node)
    this.count++
  }

  root(): string {
    if (this.count === 0) return EMPTY_ROOT
    let node = this.peaks.at(-1)!
    for (let i = this.peaks.length - 2; i >= 0; i--) node = this.hash.node(this.peaks[i]!, node)
    return bytesToHex(node)
  }
}

/** The largest power of two below n, for n >= 2. */
const split = (n: number): number => 2 ** (31 - Math.clz32(n - 1))

/** Whether a sorted list has a member in [from, to). */
function touches(sorted: readonly number[], from: number, to: number): boolean {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < from) low = middle + 1
    else high = middle
  }
  return low < sorted.length && sorted[low]! < to
}

const ascending = (indexes: Iterable<number>): number[] => [...indexes].sort((a, b) => a - b)

/** What is needed beside the included leaves to compute the root of n leaves: one hash for each largest range without any, left to right. */
export function proveLeaves(
  n: number,
  included: Iterable<number>,
  leafAt: (index: number) => Uint8Array,
  hash: TreeHash = portableHash,
): string[] {
  const sorted = ascending(included)
  const proof: string[] = []
  const subtree = (from: number, size: number): Uint8Array => {
    if (size === 1) return leafAt(from)
    const left = split(size)
    return hash.node(subtree(from, left), subtree(from + left, size - left))
  }
  const walk = (from: number, size: number): void => {
    if (!touches(sorted, from, from + size)) proof.push(bytesToHex(subtree(from, size)))
    else if (size > 1) {
      const left = split(size)
      walk(from, left)
      walk(from + left, size - left)
    }
  }
  if (n > 0) walk(0, n)
  return proof
}

const HASH = /^[0-9a-f]{64}$/

/**
 * The root that the included leaves and the proof lead to; null when the proof has another shape than n and the
 * indexes ask for. A root does not commit to n: whoever signs the root signs the count beside it.
 */
export function rootFrom(
  n: number,
  included: ReadonlyMap<number, Uint8Array>,
  proof: readonly string[],
  hash: TreeHash = portableHash,
): string | null {
  if (!Number.isSafeInteger(n) || n < 0 || n > 2 ** 31) return null
  const sorted = ascending(included.keys())
  if (sorted.some((i) => !Number.isInteger(i) || i < 0 || i >= n)) return null
  if (!proof.every((h) => HASH.test(h))) return null
  if (n === 0) return proof.length === 0 ? EMPTY_ROOT : null
  let used = 0
  const walk = (from: number, size: number): Uint8Array | null => {
    if (!touches(sorted, from, from + size)) {
      const given = proof[used++]
      return given === undefined ? null : hexToBytes(given)
    }
    if (size === 1) return included.get(from)!
    const cut = split(size)
    const left = walk(from, cut)
    const right = left && walk(from + cut, size - cut)
    return left && right ? hash.node(left, right) : null
  }
  const root = walk(0, n)
  return root && used === proof.length ? bytesToHex(root) : null
}
