import type { TradeTick } from '@assay/core/domain/market/event'
import { add, cmp, type Dec, dec, sign, str, sub } from '@assay/core/domain/money/dec'

interface Touch {
  price: Dec
  size: string
}

/**
 * Quotes of one symbol from its prints: the last taker-buy print is the ask, the last taker-sell print the bid; a
 * print that would cross moves the other side one price tick away; sizes are the prints'. The quote rides on the
 * print: one recorded print is one event. Until both sides were printed a print makes none.
 */
export function quotesFromTrades(priceTick: string): (print: TradeTick) => TradeTick {
  const tick = dec(priceTick)
  let bid: Touch | null = null
  let ask: Touch | null = null
  return (print) => {
    const touch = { price: dec(print.price), size: print.size }
    if (print.side === 'buy') {
      ask = touch
      if (bid && cmp(bid.price, ask.price) > 0) bid = { price: sub(ask.price, tick), size: bid.size }
      if (bid && sign(bid.price) <= 0) bid = null
    } else {
      bid = touch
      if (ask && cmp(bid.price, ask.price) > 0) ask = { price: add(bid.price, tick), size: ask.size }
    }
    if (!bid || !ask) return print
    return {
      ...print,
      bid: str(bid.price),
      bid_size: bid.size,
      ask: str(ask.price),
      ask_size: ask.size,
      synthetic: 'trades',
    }
  }
}
