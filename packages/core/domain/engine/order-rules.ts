/** What rules refuse before an order is accepted, and what a news window holds back. */
import type { Market } from './compile.ts'
import type { Refusal } from './orders/refusal.ts'
import type { Order } from './state.ts'
import type { Turn } from './turn.ts'

/** Null: no rule is against it. The order is not among the working ones yet. */
export function refuseByRules(_turn: Turn, _order: Order, _market: Market): Refusal | null {
  return null
}
/** activation: an entry that waited would trade now; stop_trigger: an exit would. */
export function isHeldBack(_turn: Turn, _order: Order, _what: 'activation' | 'stop_trigger'): boolean {
  return false
}
/** An act that a news window may forbid has happened. */
export function noteAct(_turn: Turn, _what: 'open' | 'close' | 'activation' | 'stop_trigger', _symbol: string): void {}
