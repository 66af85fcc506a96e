/**
 * Built-in strategies for the tour and for backtests: pure functions of what a trader could see, so that a run
 * repeats. They are examples, not advice.
 */
import type { OrderBody } from '../engine/types.ts'
import { abs, add, type Dec, dec, div, floorTo, gt, gte, isZero, lt, min, mul, sub, ZERO } from '../money/dec.ts'

/** The account and one symbol as of one event, decimals exact, money in account currency = the symbol's quote currency. */
export interface Sight {
  symbol: string
  mts: number
  bid: Dec
  ask: Dec
  bidSize: Dec
  askSize: Dec
  initial: Dec
  balance: Dec
  equity: Dec
  freeMargin: Dec
  position: Dec
  /** profit target in money; null when the tier has none */
  target: Dec | null
  step: Dec
  minQuantity: Dec
  tick: Dec
  takerBps: Dec
}
/** At most one order for one event. */
export interface Strategy {
  name: string
  summary: string
  decide(sight: Sight): OrderBody | null
}

const BPS = dec('0.0001')
const market = (sight: Sight, side: 'buy' | 'sell', quantity: Dec): OrderBody | null =>
  lt(quantity, sight.minQuantity) || isZero(quantity)
    ? null
    : { symbol: sight.symbol, side, type: 'market', quantity: toText(quantity) }
const toText = (d: Dec): string => {
  const text = d.n.toString().padStart(d.s + 1, '0')
  return d.s === 0 ? text : `${text.slice(0, -d.s)}.${text.slice(-d.s)}`.replace(/\.?0+$/, '')
}

/** What can be bought with the free margin at the ask, fee and a tick of safety included. */
function affordable(sight: Sight): Dec {
  const price = mul(add(sight.ask, sight.tick), add(dec('1'), mul(sight.takerBps, dec('0.0003'))))
  return gt(sight.freeMargin, ZERO) ? floorTo(div(sight.freeMargin, price), sight.step) : ZERO
}

/** Buys what the book shows until the balance is invested, holds, sells out when closing would reach the target. */
function buyAndHold(): Strategy {
  let leaving = false
  let invested = false
  return {
    name: 'buy-and-hold',
    summary: 'buys up to the balance as the book allows, sells out when the target is reached after costs',
    decide(sight) {
      const closing = mul(mul(abs(sight.position), sight.bid), mul(add(sight.takerBps, dec('2')), BPS))
      const reached = sight.target !== null && gte(sub(sub(sight.equity, sight.initial), closing), sight.target)
      if (reached && gt(sight.position, ZERO)) leaving = true
      if (leaving) return market(sight, 'sell', min(sight.position, floorTo(sight.bidSize, sight.step)))
      if (invested) return null
      const most = affordable(sight)
      if (lt(mul(most, sight.ask), mul(sight.initial, dec('0.002')))) {
        invested = true
        return null
      }
      return market(sight, 'buy', min(most, floorTo(sight.askSize, sight.step)))
    },
  }
}

/** Buys all it can, sells all it has, and again: fees and spread do the rest. For showing a breach. */
function churn(): Strategy {
  let selling = false
  return {
    name: 'churn',
    summary: 'turns the whole balance over and over until costs breach a limit',
    decide(sight) {
      if (selling && isZero(sight.position)) selling = false
      if (!selling) {
        const most = affordable(sight)
        if (gte(mul(most, sight.ask), mul(sight.initial, dec('0.01'))))
          return market(sight, 'buy', min(most, floorTo(sight.askSize, sight.step)))
        selling = true
      }
      return market(sight, 'sell', min(sight.position, floorTo(sight.bidSize, sight.step)))
    },
  }
}

export const STRATEGIES: Readonly<Record<string, () => Strategy>> = { 'buy-and-hold': buyAndHold, churn }
