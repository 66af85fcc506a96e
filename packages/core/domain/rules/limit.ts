import { type Dec, dec, mul } from '../money/dec.ts'

type Limit = { amount: string } | { pct: string } | { ratio: string }
interface Parsed {
  amount: Dec | null
  /** pct / 100 */
  share: Dec | null
  /** of a high-water mark */
  ratio: Dec | null
}
const PERCENT = dec('0.01')
const NOTHING: Parsed = { amount: null, share: null, ratio: null }
const parsed = new WeakMap<Limit, Parsed>()

export const percent = (pct: string): Dec => mul(dec(pct), PERCENT)

function parse(limit: Limit): Parsed {
  if ('amount' in limit) return { ...NOTHING, amount: dec(limit.amount) }
  if ('pct' in limit) return { ...NOTHING, share: percent(limit.pct) }
  return { ...NOTHING, ratio: dec(limit.ratio) }
}
/** A rule's limit in numbers, parsed once: rules are looked at far more often than they are made. */
export function limitOf(limit: Limit): Parsed {
  let found = parsed.get(limit)
  if (!found) {
    found = parse(limit)
    parsed.set(limit, found)
  }
  return found
}
