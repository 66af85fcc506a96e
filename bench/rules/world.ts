import type { Command } from '@assay/core/domain/engine/types'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { randomOf } from '@assay/core/testing/random-world'
import { Book } from '../../services/trading/engine/book.ts'
import type { Hosted } from '../../services/trading/engine/hosted.ts'
import { host } from './accounts.ts'
import { SYMBOLS, type TickSource, tickSource } from './market.ts'

const START = Date.parse('2024-03-04T17:01:00Z')

/** Drift of a rising market, in standard deviations of a tick. */
const RISE = 0.5
/** A few: a tick that comes due meanwhile waits for them. */
const IDLE_STEPS = 8

/** One engine core with its accounts: index and step, no store. A failed account is replaced by a fresh one at once. */
export class RulesWorld {
  readonly source: TickSource
  readonly book: Book
  /** holders of each symbol: what a scan would evaluate at one of its ticks */
  private readonly holders = new Map<string, number>()
  private readonly random = randomOf(11)
  private ended: Hosted[] = []
  private born = 0
  private readonly hosted: Hosted[] = []
  breaches = 0
  scanned = 0

  constructor(
    accounts: number,
    volatility: number,
    private readonly rising = false,
  ) {
    this.source = tickSource(7, volatility, 10_000, rising ? RISE : 0)
    this.book = new Book({ from: 1, carry: [], head: null }, (h, { records }) => {
      if (records.some((r) => r.kind === 'verdict')) this.ended.push(h)
    })
    for (let i = 0; i < 2 * SYMBOLS.length; i++) this.feed(this.source.next(START))
    for (let i = 0; i < accounts; i++) this.add()
    this.scanned = 0
  }
  get mts(): number {
    return START + Math.floor(this.source.mseq / 10)
  }
  get evaluations(): number {
    return this.book.evaluations
  }

  private add(): void {
    const h = host(this.book, `a${String(this.born++).padStart(8, '0')}`, this.random, this.rising)
    this.hosted.push(h)
    this.count(h, 1)
  }
  private count(h: Hosted, by: number): void {
    const symbols = new Set<string>()
    for (const p of h.state.book.positions) {
      symbols.add(p.symbol)
      for (const leg of h.compiled.markets.get(p.symbol)!.path!) symbols.add(leg.symbol)
    }
    for (const s of symbols) this.holders.set(s, (this.holders.get(s) ?? 0) + by)
  }
  feed(event: MarketEvent): void {
    this.book.feed({ events: [event], ended: [] })
    if ('symbol' in event) this.scanned += this.holders.get(event.symbol) ?? 0
  }
  tick(): void {
    this.feed(this.source.next(this.mts))
  }
  /** Fresh accounts in the place of those that failed. */
  replace(): number {
    const gone = this.ended.filter((h) => h.state.status === 'failed')
    this.ended = []
    for (const h of gone) {
      this.book.drop(h)
      this.add()
    }
    this.breaches += gone.length
    return gone.length
  }
  /** What is put off is worked off between ticks. */
  idle(): void {
    this.book.workOff(IDLE_STEPS)
  }
  /** Everything that was put off. */
  settle(): void {
    this.book.workOff()
  }
  /** A small order of a random account. */
  order(): void {
    const h = this.hosted[Math.floor(this.random() * this.hosted.length)]!
    if (h.state.status !== 'started' || !this.book.hosted.has(h.account)) return
    const [position] = h.state.book.positions
    if (!position) return
    const side = this.random() < 0.5 ? 'buy' : 'sell'
    const command: Command = { op: 'order', symbol: position.symbol, side, type: 'market', quantity: '0.01' }
    this.book.take(h, { kind: 'command', command, cseq: h.state.cseq + 1 })
  }
}
