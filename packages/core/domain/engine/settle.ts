/** Bringing a state to a place of the market without deciding anything. */
import { canonical } from '../journal/canonical.ts'
import { sha256Hex } from '../journal/hash.ts'
import { settleTaken } from '../matching/depth.ts'
import type { AccountState } from './state.ts'
import { encodeDeciding } from './stored-state.ts'
import type { MarketView } from './view.ts'

export const HOUR = 3_600_000

/** Brings what lapses by itself to the view's place; nothing else of a state changes without `step`. */
export function settle(state: AccountState, view: MarketView): AccountState {
  const s = { ...state, mseq: view.mseq, mts: view.mts }
  const at = (symbol: string) => view.symbol(symbol)
  if (s.book.taken.length > 0) s.book = { ...s.book, taken: settleTaken(s.book.taken, at) }
  if (s.closing.length > 0) s.closing = s.closing.map((b) => ({ ...b, taken: settleTaken(b.taken, at) }))
  return s
}
/** Hash of what decides: equal for every way of getting to one (mseq, cseq). */
export const stateHash = (state: AccountState, hash: (text: string) => string = sha256Hex): string =>
  hash(canonical(encodeDeciding(state)))
