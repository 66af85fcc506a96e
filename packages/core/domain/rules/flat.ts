/** What the two rules that end exposure at a cut-off share. */
import type { Sessions } from '../calendars/sessions.ts'
import { ofInt, ZERO } from '../money/dec.ts'
import type { Due, Facts, OrderRequest, RuleRefusal, Standing } from './kind.ts'
import { mostOf } from './standing.ts'

/** Sessions of an instrument that closes; null: it is always open. */
export const sessionsOf = (facts: Facts, symbol: string): Sessions | null =>
  facts.compiled.markets.get(symbol)!.sessions
const heldOf = (facts: Facts, closes: (symbol: string) => boolean): number =>
  facts.account.book.positions.filter((p) => closes(p.symbol)).length

/** At the cut-off positions are closed and orders cancelled; a position that stood is a breach. */
export function flatten(facts: Facts, closes: (symbol: string) => boolean): Due {
  const held = heldOf(facts, closes)
  if (held === 0) return { flatten: closes }
  return {
    found: { metric: 'open_positions', value: ofInt(held), limit: ZERO, side: 'above' },
    flatten: closes,
  }
}
/** Between the cut-off and the session's end nothing is opened again. */
export function refuseAfter({ order }: OrderRequest, facts: Facts, cutOff: number | null): RuleRefusal | null {
  if (cutOff === null) return null
  const sessions = sessionsOf(facts, order.symbol)!
  if (!sessions.isOpen(cutOff) || facts.at >= (sessions.nextClose(cutOff) ?? facts.at)) return null
  return { detail: `flat from ${new Date(cutOff).toISOString()} to the session's end`, field: 'symbol' }
}
export const flatStanding = (facts: Facts, closes: (symbol: string) => boolean): Standing => ({
  ...mostOf(ofInt(heldOf(facts, closes)), ZERO, ZERO, 'number'),
  metric: 'open_positions',
  used: { part: ZERO, whole: ofInt(1) },
})
