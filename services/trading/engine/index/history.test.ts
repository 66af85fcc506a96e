import { expect, test } from 'bun:test'
import { type Dec, dec, gt, lt, str } from '@assay/core/domain/money/dec'
import { randomOf } from '@assay/core/testing/random-world'
import { History } from './history.ts'

const quoteOf = (mseq: number, bid: string, ask: string) => {
  const level = (price: string) => ({ price: dec(price), size: null, since: mseq })
  return { mseq, ts: mseq, venue: 'test', synthetic: null, bid: level(bid), ask: level(ask) }
}
/** Cents, tiny prices, and prices of more digits than a double keeps. */
const priceOf = (random: () => number): string =>
  random() < 0.2
    ? `1.${'0'.repeat(16)}${Math.floor(random() * 9) + 1}`
    : (random() * 2).toFixed(random() < 0.5 ? 2 : 12)

test('the best bid and ask of any stretch are those of a look at each quote, to the last digit, also after old quotes were forgotten', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomOf(seed)
    const history = new History()
    const quotes: { mseq: number; bid: Dec; ask: Dec }[] = []
    let mseq = 0
    let forgotten = 0
    for (let i = 0; i < 2000; i++) {
      mseq += 1 + Math.floor(random() * 12)
      const quote = quoteOf(mseq, priceOf(random), priceOf(random))
      history.add(quote)
      quotes.push({ mseq, bid: quote.bid.price, ask: quote.ask.price })
      if (random() < 0.003) {
        forgotten = Math.max(forgotten, Math.floor(mseq - random() * 3000))
        history.forget(forgotten)
      }
      if (random() > 0.05) continue
      const first = Math.max(forgotten, quotes[0]!.mseq) + 1 + Math.floor(random() * 400)
      if (first > mseq) continue
      const found = { bid: 0, ask: 0, bidAt: 0, askAt: 0 }
      history.best(found, first, mseq)
      const standing = quotes.findLast((q) => q.mseq < first)!
      const seen = [standing, ...quotes.filter((q) => q.mseq >= first)]
      const bid = seen.reduce((best, q) => (gt(q.bid, best) ? q.bid : best), standing.bid)
      const ask = seen.reduce((best, q) => (lt(q.ask, best) ? q.ask : best), standing.ask)
      expect([str(history.bidAt(found.bidAt)), str(history.askAt(found.askAt))]).toEqual([str(bid), str(ask)])
    }
  }
})
