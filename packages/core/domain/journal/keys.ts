import { ed25519 } from '@noble/curves/ed25519.js'
import { canonical } from './canonical.ts'
import { bytesToHex, hexToBytes, sha256Hex, utf8ToBytes } from './hash.ts'

/** A public key that signs journals. Times are wall clock, ms; `valid_to` null: still in use. Hex, lower case. */
export interface JournalKey {
  kid: string
  alg: 'Ed25519'
  public_key: string
  valid_from: number
  valid_to: number | null
  /** the key it replaced, which signed `rotationText`; null for a first key */
  signed_by: string | null
  signature: string | null
}
/** Served at /.well-known/assay-journal-keys.json, oldest key first. */
export interface JournalKeys {
  v: 1
  keys: JournalKey[]
}

/** First 16 hex digits of SHA-256 over the 32 key bytes. */
export const kidOf = (publicKey: string): string => sha256Hex(hexToBytes(publicKey)).slice(0, 16)

/** What the replaced key signs to vouch for the new one. */
export const rotationText = (key: Pick<JournalKey, 'kid' | 'public_key' | 'valid_from'>, signedBy: string): string =>
  canonical({ v: 1, kid: key.kid, public_key: key.public_key, valid_from: key.valid_from, signed_by: signedBy })

/** Ed25519 over the UTF-8 of a text, key and signature in hex. A tool may plug its runtime's own. */
export type VerifySignature = (publicKey: string, text: string, signature: string) => boolean
/** Portable, as RFC 8032 has it; false for anything malformed. */
export const verifySignature: VerifySignature = (publicKey, text, signature) => {
  if (!/^[0-9a-f]{64}$/.test(publicKey) || !/^[0-9a-f]{128}$/.test(signature)) return false
  try {
    return ed25519.verify(hexToBytes(signature), utf8ToBytes(text), hexToBytes(publicKey), { zip215: false })
  } catch {
    return false
  }
}
/** Portable signing, for tools and tests; services sign with the runtime's own Ed25519. */
export const signWith = (secretKey: Uint8Array, text: string): string =>
  bytesToHex(ed25519.sign(utf8ToBytes(text), secretKey))
export const publicKeyOf = (secretKey: Uint8Array): string => bytesToHex(ed25519.getPublicKey(secretKey))

/**
 * Trusted keys, with those added that a trusted key vouched for: an archive's own keys count only through such a
 * chain. Entries whose kid is not that of their key are dropped.
 */
export function trustedKeys(
  trusted: readonly JournalKey[],
  offered: readonly JournalKey[] = [],
): Map<string, JournalKey> {
  const known = new Map<string, JournalKey>()
  for (const key of trusted) if (isConsistent(key)) known.set(key.kid, key)
  for (let grew = true; grew; ) {
    grew = false
    for (const key of offered) {
      if (known.has(key.kid) || !isConsistent(key)) continue
      const by = key.signed_by === null ? undefined : known.get(key.signed_by)
      if (!by || key.signature === null || !verifySignature(by.public_key, rotationText(key, by.kid), key.signature))
        continue
      known.set(key.kid, key)
      grew = true
    }
  }
  return known
}
const isConsistent = (key: JournalKey): boolean =>
  /^[0-9a-f]{64}$/.test(key.public_key) && key.kid === kidOf(key.public_key)

/** Whether the key was in use at the wall time of signing. */
export const isValidAt = (key: JournalKey, signedAt: number): boolean =>
  signedAt >= key.valid_from && (key.valid_to === null || signedAt <= key.valid_to)
