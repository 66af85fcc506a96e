import { type Dec, dec, mul } from '../money/dec.ts'

type Limit = { amount: string } | { pct: string }
interface Parsed {
  amount: Dec | null
  /** pct / 100 */
  share: Dec | null
}
const PERCENT = dec('0.01')
const parsed = new WeakMap<Limit, Parsed>()

/** A rule's limit in numbers, parsed once: rules are looked at far more often than they are made. */
export function limitOf(limit: Limit): Parsed {
  let found = parsed.get(limit)
  if (!found) {
    found =
      'amount' in limit
        ? { amount: dec(limit.amount), share: null }
        : { amount: null, share: mul(dec(limit.pct), PERCENT) }
    parsed.set(limit, found)
  }
  return found
}
