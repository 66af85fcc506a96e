/** Whether a market trades: by its calendar, its status and the age of its quote. */
import { isSessionOpen } from '../../calendars/sessions.ts'
import type { Market } from '../compile.ts'
import type { Turn } from '../turn.ts'
import { type Refusal, refuse } from './refusal.ts'

/** What an event or a deadline may trade against: the session runs and nothing says otherwise. */
export const isTrading = (turn: Turn, market: Market): boolean => {
  const view = turn.view.symbol(market.symbol)
  return view?.status === 'open' && view.quote !== null && isSessionOpen(market, turn.at)
}

/** What keeps a symbol from trading now, conversion symbols included; null when it trades. */
export function marketBar(turn: Turn, market: Market): Refusal | null {
  if (!isSessionOpen(market, turn.at))
    return refuse('market_closed', `${market.symbol} is closed.`, { field: 'symbol' })
  const own = symbolBar(turn, market.symbol)
  if (own) return own
  for (const leg of market.path!) {
    const bar = leg.peg ? null : symbolBar(turn, leg.symbol)
    if (bar) return bar
  }
  return null
}
function symbolBar({ view: market, compiled, at }: Turn, symbol: string): Refusal | null {
  const view = market.symbol(symbol)
  const about = { field: 'symbol' }
  if (view?.status === 'closed' || view?.status === 'settled')
    return refuse('market_closed', `${symbol} is closed.`, about)
  if (view?.status === 'halted') return refuse('market_halted', `${symbol} is halted.`, about)
  const limit = compiled.markets.get(symbol)?.staleLimitMs ?? null
  const old = view && limit !== null && at - view.lastMts > limit
  if (!view?.quote || view.status === 'unknown' || old)
    return refuse('market_stale', `There is no valid quote of ${symbol} now.`, { ...about, retryable: true })
  return null
}
