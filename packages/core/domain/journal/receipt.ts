import { canonical } from './canonical.ts'
import { bytesToHex, hexToBytes, isHash, type Sha256, sha256 } from './hash.ts'
import { isValidAt, type JournalKey, type VerifySignature, verifySignature } from './keys.ts'

/** A place in one assessment's chain: what a signature vouches for. */
export interface Link {
  assessment: string
  aseq: number
  hash: string
}
/** Who signed, and when (wall clock, ms). */
export interface Signed {
  kid: string
  signed_at: number
  /** Ed25519, 128 hex digits */
  signature: string
}
/** The Merkle path from a link to the root of its commit: position, leaves in the commit, siblings from the leaf up. */
export interface CommitPath {
  index: number
  count: number
  hashes: string[]
}
/** Verdicts, payouts, checkpoints: the link itself is signed. */
export type SignedLink = Link & Signed
/** What a trader keeps of an order's answer: signed alone, or with a path to its commit's signed root. */
export type Receipt = SignedLink & { path?: CommitPath }

/** The text that is signed for one link. */
export const linkSigningText = (link: Link, signedAt: number): string =>
  canonical({ assessment: link.assessment, aseq: link.aseq, hash: link.hash, signed_at: signedAt })
/** The text that is signed for a commit of several links. */
export const rootSigningText = (root: string, count: number, signedAt: number): string =>
  canonical({ commit: root, count, signed_at: signedAt })

const join = (hash: Sha256, tag: number, ...parts: Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(1 + parts.reduce((n, p) => n + p.length, 0))
  bytes[0] = tag
  let at = 1
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return hash(bytes)
}
const encoder = new TextEncoder()
const leafOf = (link: Link, hash: Sha256): Uint8Array =>
  join(hash, 0, encoder.encode(canonical({ assessment: link.assessment, aseq: link.aseq, hash: link.hash })))

/** The tree over a commit's links (RFC 6962 shape): its root, and the path of each. */
export function commitTree(links: readonly Link[], hash: Sha256 = sha256): { root: string; paths: CommitPath[] } {
  const siblings: string[][] = links.map(() => [])
  let level = links.map((link) => leafOf(link, hash))
  let width = 1
  while (level.length > 1) {
    const next: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i]!
      const right = level[i + 1]
      if (!right) {
        next.push(left)
        continue
      }
      for (let k = i * width; k < Math.min((i + 1) * width, links.length); k++) siblings[k]!.push(bytesToHex(right))
      for (let k = (i + 1) * width; k < Math.min((i + 2) * width, links.length); k++)
        siblings[k]!.push(bytesToHex(left))
      next.push(join(hash, 1, left, right))
    }
    level = next
    width *= 2
  }
  return {
    root: level[0] ? bytesToHex(level[0]) : '',
    paths: siblings.map((hashes, index) => ({ index, count: links.length, hashes })),
  }
}

/** The root that a link and its path lead to; null when the path does not fit its position. */
export function rootOfPath(link: Link, path: CommitPath, hash: Sha256 = sha256): string | null {
  if (!Number.isSafeInteger(path.index) || path.index < 0 || path.index >= path.count || path.count > 2 ** 20)
    return null
  let node = leafOf(link, hash)
  let index = path.index
  let last = path.count - 1
  let used = 0
  for (; last > 0; index >>= 1, last >>= 1) {
    // a node without a sibling moves up unchanged
    if (index === last && index % 2 === 0) continue
    const sibling = path.hashes[used++]
    if (!isHash(sibling)) return null
    node = index % 2 === 0 ? join(hash, 1, node, hexToBytes(sibling)) : join(hash, 1, hexToBytes(sibling), node)
  }
  return used === path.hashes.length ? bytesToHex(node) : null
}

/** Signs one link, or all links of a commit with one signature. */
export function issueReceipts(
  links: readonly Link[],
  signer: { kid: string; sign: (text: string) => string },
  signedAt: number,
  hash: Sha256 = sha256,
): Receipt[] {
  if (links.length === 1) {
    const link = links[0]!
    return [{ ...link, kid: signer.kid, signed_at: signedAt, signature: signer.sign(linkSigningText(link, signedAt)) }]
  }
  if (links.length === 0) return []
  const { root, paths } = commitTree(links, hash)
  const signature = signer.sign(rootSigningText(root, links.length, signedAt))
  return links.map((link, i) => ({ ...link, kid: signer.kid, signed_at: signedAt, signature, path: paths[i]! }))
}

export type SignatureVerdict = 'valid' | 'unknown_key' | 'not_valid_then' | 'broken'
/** Whether a trusted key signed this link at a time when it was valid. */
export function checkReceipt(
  receipt: Receipt,
  trusted: ReadonlyMap<string, JournalKey>,
  verify: VerifySignature = verifySignature,
): SignatureVerdict {
  const key = trusted.get(receipt.kid)
  if (!key) return 'unknown_key'
  if (!isValidAt(key, receipt.signed_at)) return 'not_valid_then'
  let text: string
  if (receipt.path) {
    const root = rootOfPath(receipt, receipt.path)
    if (root === null) return 'broken'
    text = rootSigningText(root, receipt.path.count, receipt.signed_at)
  } else {
    text = linkSigningText(receipt, receipt.signed_at)
  }
  return verify(key.public_key, text, receipt.signature) ? 'valid' : 'broken'
}
