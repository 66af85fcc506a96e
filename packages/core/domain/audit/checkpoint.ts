import { canonical, parseCanonical } from '../journal/canonical.ts'
import { isHash, sha256Hex } from '../journal/hash.ts'
import { isValidAt, type JournalKey, verifySignature } from '../journal/keys.ts'

export interface ChainHead {
  seq: number
  /** hash of the row of that seq */
  hash: string
}
/** Where chains stood at a moment: those that grew since the checkpoint before. */
export interface Checkpoint {
  v: 1
  number: number
  /** wall clock, ms */
  at: number
  /** `checkpointHash` of the one before; null for the first */
  previous: string | null
  heads: Record<string, ChainHead>
}
export interface Signer {
  kid: string
  sign(text: string): string
}

/** The text that is kept: canonical JSON of the checkpoint, the key's id and its Ed25519 signature over the former. */
export function signCheckpoint(checkpoint: Checkpoint, { kid, sign }: Signer): string {
  return canonical({ checkpoint, kid, signature: sign(canonical(checkpoint)) })
}
/** Names a checkpoint's text. */
export const checkpointHash = (text: string): string => sha256Hex(text)

/** The checkpoint of a text, or why it proves nothing. */
export function readCheckpoint(text: string, keys: ReadonlyMap<string, JournalKey>): Checkpoint | string {
  const signed = parsed(text)
  if (!signed) return 'is not a signed checkpoint'
  const { checkpoint, kid, signature } = signed
  const key = keys.get(kid)
  if (!key) return `is signed by the unknown key ${kid}`
  if (!verifySignature(key.public_key, canonical(checkpoint), signature)) return 'has a wrong signature'
  if (!isValidAt(key, checkpoint.at)) return `is signed by ${kid} outside its time`
  return checkpoint
}

interface Signed {
  checkpoint: Checkpoint
  kid: string
  signature: string
}
function parsed(text: string): Signed | null {
  try {
    const signed = parseCanonical(text) as Signed
    const { v, number, at, previous, heads } = signed.checkpoint
    const isWhole = v === 1 && [number, at].every(Number.isSafeInteger) && (previous === null || isHash(previous))
    const isHead = ({ seq, hash }: ChainHead) => Number.isSafeInteger(seq) && isHash(hash)
    return isWhole && Object.values(heads).every(isHead) ? signed : null
  } catch {
    return null
  }
}
