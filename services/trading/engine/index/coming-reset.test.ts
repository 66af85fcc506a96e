/** What is called quiet is held against the step itself: whatever equity the bounds allow, the reset only writes the day. */
import { expect, test } from 'bun:test'
import { compileSpec } from '@assay/core/domain/engine/compile'
import { type AccountState, newAccount } from '@assay/core/domain/engine/state'
import { step } from '@assay/core/domain/engine/step'
import { triggers } from '@assay/core/domain/engine/triggers'
import type { Rule } from '@assay/core/domain/engine/types'
import { equity } from '@assay/core/domain/engine/valuation'
import { MarketView } from '@assay/core/domain/engine/view'
import { dec, lte } from '@assay/core/domain/money/dec'
import { pick, randomOf } from '@assay/core/testing/random-world'
import { spec } from '@assay/core/testing/world'
import { isQuietReset } from './coming-reset.ts'

const START = Date.parse('2024-03-04T08:00:00Z')
const random = randomOf(41)
const money = (from: number, to: number): string => (from + random() * (to - from)).toFixed(2)

function randomRules(): Rule[] {
  const metric = pick(random, ['equity', 'min', 'balance'] as const)
  const compare = pick(random, ['lt', 'lte'] as const)
  return [
    {
      rule: 'max_daily_loss',
      anchor: pick(random, ['balance', 'equity', 'max', 'initial', 'day_high'] as const),
      limit:
        random() < 0.4
          ? { amount: '3000' }
          : { pct: pick(random, ['3', '5', '120']), of: pick(random, ['initial', 'anchor'] as const) },
      metric,
      compare,
      tested: pick(random, ['always', 'reset'] as const),
      effect: 'hard',
    },
    {
      rule: 'min_trading_days',
      n: 1,
      counts: pick(random, ['opened', 'opened_and_closed', 'moved', 'won'] as const),
      pct: '1',
      effect: 'gate',
    },
  ]
}
/** An account with one position of 1,000 and a market whose price makes its equity `result` above its balance. */
function accountAt(balance: string, result: number, rules: Rule[]) {
  const compiled = compileSpec(spec(rules))
  const view = new MarketView()
  const price = (100 + result / 1000).toFixed(5)
  const at = { venue: 'test', ts: START, pos: 1, mts: START }
  view.apply({ kind: 'quote', symbol: 'TST/USD', bid: '100', ask: '100', ...at, mseq: 1 })
  let state: AccountState = newAccount('a')
  for (const op of ['create', 'start'] as const)
    state = step(state, { kind: 'command', command: { op }, cseq: state.cseq + 1 }, view, compiled).state
  view.apply({ kind: 'quote', symbol: 'TST/USD', bid: price, ask: price, ...at, mseq: 2 })
  const positions = [
    { id: 'o1', symbol: 'TST/USD', quantity: dec('1000'), cost: dec('100000'), openedAt: START, openedDay: 0 },
  ]
  return { compiled, view, state: { ...state, book: { ...state.book, balance: dec(balance), positions } } }
}

test('a reset that is called quiet writes the day and its floors, and sets no floor above the least equity', () => {
  const seen = { quiet: 0, loud: 0 }
  for (let i = 0; i < 4000; i++) {
    const { compiled, view, state } = accountAt(money(94_000, 106_000), Number(money(-4000, 4000)), randomRules())
    const now = equity(state, compiled, view)
    const [least, most] = [dec(money(93_000, 106_000)), dec(money(93_000, 110_000))]
    if (!lte(least, now) || !lte(now, most)) continue
    if (!isQuietReset(state, compiled, { least, most, highest: most })) {
      seen.loud++
      continue
    }
    seen.quiet++
    const days = 1 + Math.floor(random() * 2)
    const mts = state.day!.next + (days - 1) * 86_400_000
    const after = step(state, { kind: 'deadline', mts }, view, compiled)
    for (const { kind } of after.records) expect(['day', 'floor', 'checkpoint']).toContain(kind)
    const floor = triggers(after.state, compiled, view).floorAt(null)
    if (floor) expect(lte(floor.value, least)).toBe(true)
  }
  expect(seen.quiet).toBeGreaterThan(200)
  expect(seen.loud).toBeGreaterThan(200)
})
