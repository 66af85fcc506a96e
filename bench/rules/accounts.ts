import { type Compiled, compileSpec } from '@assay/core/domain/engine/compile'
import { factsOf, sortedRules } from '@assay/core/domain/engine/facts'
import { type AccountState, newAccount, type Order, type Position } from '@assay/core/domain/engine/state'
import { step } from '@assay/core/domain/engine/step'
import type { AccountSpec, Rule } from '@assay/core/domain/engine/types'
import { equity, quotesOf, unrealised } from '@assay/core/domain/engine/valuation'
import type { MarketView } from '@assay/core/domain/engine/view'
import { nextWarning } from '@assay/core/domain/engine/warnings'
import { abs, add, type Dec, dec, floorTo, gt, max, mul, sub, toNumber, ZERO } from '@assay/core/domain/money/dec'
import { pick } from '@assay/core/testing/random-world'
import { spec } from '@assay/core/testing/world'
import type { Book } from '../../services/trading/engine/book.ts'
import { type Hosted, hostedNew } from '../../services/trading/engine/hosted.ts'
import { sha256Text } from '../../services/trading/engine/seal.ts'
import { CONVERTING, DIRECT, INSTRUMENTS } from './market.ts'

const HOUR = 3_600_000
const STATIC: Rule = {
  rule: 'max_loss',
  mode: 'static',
  limit: { pct: '6' },
  lock: null,
  metric: 'equity',
  compare: 'lt',
  effect: 'hard',
}
const DAILY: Rule = {
  rule: 'max_daily_loss',
  anchor: 'balance',
  limit: { pct: '3', of: 'initial' },
  metric: 'equity',
  compare: 'lt',
  tested: 'always',
  effect: 'hard',
}
const END_OF_DAY: Rule = { ...STATIC, mode: 'eod_balance' }
const INTRADAY: Rule = { ...STATIC, mode: 'intraday_equity', lock: { at: 'initial', offset: '100' } }
const TARGET: Rule = {
  rule: 'profit_target',
  pct: '8',
  basis: 'equity',
  require_flat: false,
  sticky: false,
  effect: 'gate',
}
// not at a full hour: checkpoints are not part of a reset
const more = {
  instruments: INSTRUMENTS,
  reset_zone: 'UTC',
  reset_time: '17:30',
  stop_out: '0.5',
  warnings: ['0.5', '0.8', '0.95'],
}
/** A quarter each: static, daily, end-of-day and intraday trailing; a target, warnings and a stop-out level for all. */
export const SPECS: AccountSpec[] = [STATIC, DAILY, END_OF_DAY, INTRADAY].map((rule) => spec([TARGET, rule], more))
/** One in so many has a stop and a limit order beside its positions. */
const WITH_ORDERS = 4
const COMPILED: Compiled[] = SPECS.map((s) => compileSpec(s, sha256Text))

/**
 * An account that trades: 1 to 5 positions (40 % several symbols, 10 % with conversion), headroom 0.1 to 5 %, leverage 1
 * to 10. `rising`: it is long only and stands at its high.
 */
export function trading(
  account: string,
  random: () => number,
  view: MarketView,
  rising = false,
): { state: AccountState; compiled: Compiled; spec: AccountSpec } {
  const which = Math.floor(random() * SPECS.length)
  const compiled = COMPILED[which]!
  const created = step(newAccount(account), { kind: 'command', command: { op: 'create' }, cseq: 1 }, view, compiled)
  const { state } = step(created.state, { kind: 'command', command: { op: 'start' }, cseq: 2 }, view, compiled)
  const count = random() < 0.4 ? 2 + Math.floor(random() * 4) : 1
  const symbols = new Set<string>()
  if (random() < 0.1) symbols.add(pick(random, CONVERTING))
  while (symbols.size < count) symbols.add(pick(random, DIRECT))
  const notional = (100_000 * (1 + random() * 9)) / symbols.size
  const positions = [...symbols].map((symbol): Position => {
    const quote = view.symbol(symbol)!.quote!
    const long = rising || random() < 0.5
    const price = long ? quote.ask.price : quote.bid.price
    const size = Math.max(0.01, notional / toNumber(price) / (CONVERTING.includes(symbol) ? 120 : 1)).toFixed(2)
    const quantity = dec(long ? size : `-${size}`)
    return { id: 'o1', symbol, quantity, cost: mul(quantity, price), openedAt: view.mts, openedDay: 0 }
  })
  const floor = state.rules.reduce((highest, r) => (r.floor ? max(highest, r.floor) : highest), ZERO)
  const headroom = dec((100_000 * (0.001 + random() * 0.049)).toFixed(2))
  const result = unrealised(positions, compiled, quotesOf(view))
  const balance = sub(add(floor, headroom), result)
  const checkpoint = Math.floor(view.mts / HOUR) * HOUR + HOUR
  const book = { ...state.book, balance, positions }
  const rules = state.rules.map((r) => ({ ...r }))
  const traded = {
    ...state,
    checkpoint,
    book,
    rules,
    orders: random() < 1 / WITH_ORDERS ? orders(positions[0]!, view) : [],
  }
  const settled = rising ? atItsHigh(traded, compiled, view) : traded
  return { state: warned(settled, compiled, view), compiled, spec: SPECS[which]! }
}
/** Its high is where its equity is: each better price is a new one. */
function atItsHigh(state: AccountState, compiled: Compiled, view: MarketView): AccountState {
  const high = equity(state, compiled, view)
  const rules = state.rules.map((r) => (r.high ? { ...r, high, floor: sub(high, dec('6000')) } : r))
  return { ...state, rules, day: { ...state.day!, high } }
}
/** What its distance to the floor would have warned of before. */
function warned(state: AccountState, compiled: Compiled, view: MarketView): AccountState {
  const facts = factsOf(state, compiled, quotesOf(view), view.mts)
  for (const entry of sortedRules(state, compiled).warned) {
    const own = state.rules[entry.index]!
    for (let level = nextWarning(entry, facts); level && !gt(facts.equity, level); level = nextWarning(entry, facts))
      own.warned++
  }
  return state
}
/** A protecting stop and a limit to add, a few percent away. */
function orders({ symbol, quantity }: Position, view: MarketView): Order[] {
  const { bid } = view.symbol(symbol)!.quote!
  const away = (share: string): Dec => floorTo(mul(bid.price, dec(share)), dec('0.01'))
  const long = quantity.n > 0n
  const shared = {
    clientId: null,
    symbol,
    timeInForce: 'gtc',
    trailing: null,
    filled: ZERO,
    postOnly: false,
    expiresAt: null,
    createdAt: view.mts,
    arrivesAt: null,
    ahead: null,
    bracket: null,
    parent: null,
    oco: null,
    position: null,
  } as const
  return [
    {
      ...shared,
      id: 'o2',
      type: 'stop',
      side: long ? 'sell' : 'buy',
      price: null,
      stop: away(long ? '0.96' : '1.04'),
      quantity: abs(quantity),
      reduceOnly: true,
    },
    {
      ...shared,
      id: 'o3',
      type: 'limit',
      side: long ? 'buy' : 'sell',
      price: away(long ? '0.97' : '1.03'),
      stop: null,
      quantity: dec('0.01'),
      reduceOnly: false,
    },
  ]
}
export function host(book: Book, account: string, random: () => number, rising = false): Hosted {
  const { state, compiled } = trading(account, random, book.view, rising)
  const hosted = { ...hostedNew(account, compiled, null), state, book }
  book.host(hosted)
  return hosted
}
