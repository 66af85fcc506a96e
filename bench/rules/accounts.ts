import { type Compiled, compileSpec } from '@assay/core/domain/engine/compile'
import { type AccountState, newAccount, type Position } from '@assay/core/domain/engine/state'
import { step } from '@assay/core/domain/engine/step'
import type { AccountSpec, Rule } from '@assay/core/domain/engine/types'
import { quotesOf, unrealised } from '@assay/core/domain/engine/valuation'
import type { MarketView } from '@assay/core/domain/engine/view'
import { add, dec, max, mul, sub, toNumber, ZERO } from '@assay/core/domain/money/dec'
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
// not at a full hour: checkpoints are not part of a reset
const more = { instruments: INSTRUMENTS, reset_zone: 'UTC', reset_time: '17:30' }
export const SPECS: AccountSpec[] = [spec([STATIC], more), spec([DAILY], more)]
const COMPILED: Compiled[] = SPECS.map((s) => compileSpec(s, sha256Text))

/** An account that trades: 1 to 5 positions (40 % several symbols, 10 % with conversion), headroom 0.1 to 5 %, leverage 1 to 10. */
export function trading(
  account: string,
  random: () => number,
  view: MarketView,
): { state: AccountState; compiled: Compiled; spec: AccountSpec } {
  const which = random() < 0.5 ? 0 : 1
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
    const long = random() < 0.5
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
  return { state: { ...state, checkpoint, book: { ...state.book, balance, positions } }, compiled, spec: SPECS[which]! }
}
export function host(book: Book, account: string, random: () => number): Hosted {
  const { state, compiled } = trading(account, random, book.view)
  const hosted = { ...hostedNew(account, compiled, null), state, book }
  book.host(hosted)
  return hosted
}
