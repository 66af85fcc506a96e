import type { JournalRecord } from '../engine/types.ts'
import { canonical } from './canonical.ts'
import { sha256Hex } from './hash.ts'

/** What stands before record 0. */
export const GENESIS = '0'.repeat(64)

/** hash(n) = SHA-256 over the UTF-8 of: hash(n - 1) as 64 hex digits, then the record in canonical JSON. */
export const linkText = (previous: string, record: JournalRecord): string => previous + canonical(record)

/** Hashes of records that follow `previous` (GENESIS before record 0). A hot path plugs its runtime's `hash`. */
export function chain(
  previous: string,
  records: readonly JournalRecord[],
  hash: (text: string) => string = sha256Hex,
): string[] {
  let last = previous
  return records.map((record) => {
    last = hash(linkText(last, record))
    return last
  })
}
