/** One market event, one evaluation point: carry, ended phases, stops, resting limits, then mark and rules. */
import type { MarketEvent } from '../market/event.ts'
import { isValuedBy } from './breach.ts'
import { settleSymbol, takeRate } from './carry.ts'
import { evaluate } from './evaluate.ts'
import { gapsWith } from './facts.ts'
import { liquidate } from './lock.ts'
import { isTrading } from './orders/market-bar.ts'
import { cancelIdle } from './orders/reducing.ts'
import { fillResting } from './orders/rest.ts'
import { stirs } from './orders/stirs.ts'
import { triggerStops } from './orders/trigger.ts'
import { closeBook } from './phases.ts'
import { settleProvisional } from './provisional.ts'
import type { AccountState } from './state.ts'
import { own, type Turn } from './turn.ts'
import { quotesBefore } from './valuation.ts'

type SymbolEvent = Extract<MarketEvent, { symbol: string }>

export function takeEvent(turn: Turn, event: MarketEvent, before: AccountState): void {
  if (event.kind === 'rate') takeRate(turn, event)
  if (event.kind === 'symbol_state') settleSymbol(turn, event)
  if ('symbol' in event) {
    closeEnded(turn, event)
    if (turn.state.liquidations.some((l) => l.symbol === event.symbol)) liquidate(turn, event.symbol)
    tradeOrders(turn, event)
  }
  if (turn.owned) cancelIdle(turn)
  if (turn.state.provisional) {
    own(turn)
    settleProvisional(turn)
  }
  const moved = turn.records.length > 0 || !('symbol' in event) || isValuedBy(turn.state, turn.compiled, event.symbol)
  if (moved) evaluate(turn, 'every', gapsWith(before, turn, quotesBefore(turn.view)))
}

/** What phases that ended could not close yet. */
function closeEnded(turn: Turn, event: SymbolEvent): void {
  if (turn.state.closing.length === 0) return
  const state = own(turn)
  for (const book of state.closing) closeBook(turn, book, event.symbol)
  state.closing = state.closing.filter((b) => b.positions.length > 0)
}

function tradeOrders(turn: Turn, event: SymbolEvent): void {
  const { status, orders } = turn.state
  const market = turn.compiled.markets.get(event.symbol)
  if (!market || status !== 'started' || orders.length === 0) return
  if (!isTrading(turn, market) || !stirs(turn, event, market)) return
  own(turn)
  triggerStops(turn, event, market)
  fillResting(turn, event, market)
}
