import type { QuoteOf } from '../instruments/convert.ts'
import { bookFill } from '../ledger/book-fill.ts'
import type { Side } from '../market/event.ts'
import { take } from '../matching/depth.ts'
import type { Execution } from '../matching/marketable.ts'
import { add, type Dec, dec, mul, neg, str, sub } from '../money/dec.ts'
import type { Crossed } from './breach.ts'
import type { Compiled, Market } from './compile.ts'
import { noteFill } from './note-fill.ts'
import { type AccountState, type Book, copyState } from './state.ts'
import type { Body, FillSource, JournalRecord } from './types.ts'
import { quotesOf } from './valuation.ts'
import type { MarketView } from './view.ts'

/** A floor that moved with a high-water mark: no record says so, a backtest shows it. */
export interface FloorNote {
  rule: string
  index: number
  mts: number
  mseq: number
  floor: string
}

/** One input being decided: the state, and what is written down meanwhile. */
export interface Turn {
  /** its own members may change; what they refer to only once it is `owned` */
  state: AccountState
  owned: boolean
  /** as it came in: what a refusal goes back to */
  origin: AccountState
  view: MarketView
  compiled: Compiled
  quoteOf: QuoteOf
  /** market time of this point */
  at: number
  records: JournalRecord[]
  notes: FloorNote[]
  /** equity of the last evaluation, and how many records stood then */
  valued: { equity: Dec; records: number } | null
  /** breaches by an act or an instant of this point: taken up when it is evaluated */
  acts: Crossed[]
  /** orders that filled, and those that a fill gave birth to, at this input */
  filled: string[]
  born: string[]
}
export const newTurn = (state: AccountState, view: MarketView, compiled: Compiled): Turn => ({
  state,
  owned: false,
  origin: state,
  view,
  compiled,
  quoteOf: quotesOf(view),
  at: view.mts,
  records: [],
  notes: [],
  valued: null,
  acts: [],
  filled: [],
  born: [],
})

/** The state as a copy that may change in all its parts: a look that changes nothing copies nothing. */
export function own(turn: Turn): AccountState {
  if (!turn.owned) {
    turn.origin = turn.state
    turn.state = copyState(turn.state)
    turn.owned = true
  }
  return turn.state
}

/** The same point on a state of its own, told to nobody: what would happen. */
export const fork = (turn: Turn): Turn => ({
  ...turn,
  state: copyState(turn.state),
  owned: true,
  records: [],
  notes: [],
  acts: [],
  filled: [],
  born: [],
})
/** Takes back what this input did to the account and wrote after its first `written` records. */
export function takeBack(turn: Turn, written: number): void {
  const { cseq } = turn.state
  const aseq = turn.origin.aseq + written
  turn.records.length = written
  Object.assign(turn.state, copyState(turn.origin), { aseq, cseq })
}

/** Writes the next record of the chain. */
export function write(turn: Turn, body: Body): JournalRecord {
  const s = turn.state
  const record = { aseq: s.aseq, mseq: turn.view.mseq, mts: turn.at, cseq: s.cseq, ...body } as JournalRecord
  s.aseq += 1
  turn.records.push(record)
  return record
}

const HALF = dec('0.5')
export interface Fill {
  order: string
  side: Side
  quantity: Dec
  price: Dec
  liquidity: 'maker' | 'taker'
  source: FillSource
  /** hedging: the ticket that is reduced; absent: the order's own */
  position?: string
}

/** Books a fill into a book and writes its record. */
export function fill(turn: Turn, book: Book, market: Market, f: Fill): void {
  const { state, compiled, quoteOf } = turn
  const live = book === state.book && state.day !== null
  const at = { day: live ? state.day!.k : -1, at: turn.at }
  const ticket = compiled.hedging ? { ticket: f.position ?? f.order } : {}
  const effect = bookFill(book, market, { ...f, ...at, ...ticket }, compiled.scale, quoteOf)
  if (live && effect.opened) state.day!.opened = true
  if (live && effect.closedSameDay) state.day!.openedAndClosed = true
  if (f.source.synthetic && !state.synthetic.includes(f.source.synthetic))
    state.synthetic = [...state.synthetic, f.source.synthetic].sort()
  const quote = quoteOf(market.symbol)!
  const mid = mul(add(quote.bid.price, quote.ask.price), HALF)
  const away = f.side === 'buy' ? sub(f.price, mid) : neg(sub(f.price, mid))
  write(turn, {
    kind: 'fill',
    phase: book.phase,
    order: f.order,
    symbol: market.symbol,
    side: f.side,
    quantity: str(f.quantity),
    price: str(f.price),
    liquidity: f.liquidity,
    source: f.source,
    instrument: `${market.symbol}@${market.doc.version}`,
    result: effect.result,
    fee: effect.fee,
    postings: effect.postings,
    spread_cost: str(mul(mul(away, f.quantity), market.contract)),
    position: effect.position,
  })
  if (live) noteFill(turn, f, effect, market.symbol)
}

/** The source of a fill against the book: the quote for level 1 and slippage beyond it, the levels event for deeper ones. */
export function bookSource(
  turn: Turn,
  market: Market,
  execution: Pick<Execution, 'kind' | 'mseq' | 'size' | 'raw'>,
): FillSource {
  const view = turn.view.symbol(market.symbol)!
  const deep = execution.kind === 'levels' || (execution.kind === 'slippage' && execution.mseq !== view.quote!.mseq)
  const quote = view.quote!
  return {
    kind: execution.kind,
    mseq: execution.mseq,
    price: str(execution.raw),
    size: str(execution.size),
    ...(quote.synthetic ? { synthetic: quote.synthetic } : {}),
    ts: deep ? view.levelsTs : quote.ts,
    venue: deep ? view.levelsVenue : quote.venue,
  }
}

/**
 * Trades executions as taker: remembers the depth taken, books and writes each. Returns the quantity filled. Hedging:
 * `position` is the ticket that they reduce.
 */
export function takeDepth(
  turn: Turn,
  book: Book,
  market: Market,
  order: string,
  side: Side,
  executions: readonly Execution[],
  position?: string | null,
): Dec {
  let filled: Dec = { n: 0n, s: 0 }
  for (const e of executions) {
    if (e.kind !== 'slippage')
      take(book, market.symbol, side === 'buy' ? 'ask' : 'bid', e.raw, e.quantity, turn.view.mseq)
    fill(turn, book, market, {
      order,
      side,
      quantity: e.quantity,
      price: e.price,
      liquidity: 'taker',
      source: bookSource(turn, market, e),
      ...(position ? { position } : {}),
    })
    filled = add(filled, e.quantity)
  }
  return filled
}
