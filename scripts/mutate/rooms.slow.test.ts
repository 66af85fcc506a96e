/** The oracle is worth what it notices: in each room of the engine one thing is broken on purpose. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { capture } from '../capture.ts'
import { copyRepository } from './copy.ts'

interface Broken {
  room: string
  file: string
  from: string
  to: string
}
const ENGINE = 'packages/core/domain/engine'
const BROKEN: Broken[] = [
  {
    room: 'fills: a step beyond the depth costs nothing',
    file: 'packages/core/domain/matching/marketable.ts',
    from: 'ceilTo(add(last.price, moved), market.tick)',
    to: 'ceilTo(last.price, market.tick)',
  },
  {
    room: 'fees: a maker pays what a taker does',
    file: 'packages/core/domain/ledger/book-fill.ts',
    from: "liquidity === 'maker' ? market.makerBps : market.takerBps",
    to: 'market.takerBps',
  },
  {
    room: 'margin: waiting orders reserve none',
    file: `${ENGINE}/orders/admit.ts`,
    from: 'const free = sub(held, add(used, reserved))',
    to: 'const free = sub(held, used)',
  },
  {
    room: 'floors: an intraday one does not follow equity',
    file: 'packages/core/domain/rules/max-loss.ts',
    from: "rule.mode === 'closed_balance' || rule.mode === 'intraday_equity'",
    to: "rule.mode === 'closed_balance'",
  },
  {
    room: 'resets: the day starts from the balance, not from equity',
    file: `${ENGINE}/deadlines.ts`,
    from: 'equity: facts.equity,\n    high: facts.equity,',
    to: 'equity: facts.balance,\n    high: facts.equity,',
  },
  {
    room: 'OCO: a partial fill leaves the other leg as it was',
    file: `${ENGINE}/orders/oco.ts`,
    from: 'partner.quantity = sub(partner.quantity, got)',
    to: 'partner.quantity = sub(partner.quantity, sub(got, got))',
  },
  {
    room: 'swap: longs and shorts are taken for each other',
    file: `${ENGINE}/carry.ts`,
    from: 'const rate = sign(quantity) > 0 ?',
    to: 'const rate = sign(quantity) < 0 ?',
  },
  {
    room: 'settlement: at the last mark, not at the price',
    file: `${ENGINE}/carry.ts`,
    from: 'const price = dec(event.price)',
    to: 'const price = turn.quoteOf(event.symbol)!.bid.price',
  },
  {
    room: 'stop-out: the smallest loss is closed first',
    file: `${ENGINE}/stop-out.ts`,
    from: 'cmp(a.result, b.result)',
    to: 'cmp(b.result, a.result)',
  },
  {
    room: 'funding: longs receive what they should pay',
    file: `${ENGINE}/carry.ts`,
    from: 'neg(mul(mul(sizeOf(quantity, market), mark), rate))',
    to: 'mul(mul(sizeOf(quantity, market), mark), rate)',
  },
  {
    room: 'doubt: of a limit the first later instant is kept, not the deepest',
    file: `${ENGINE}/provisional.ts`,
    from: '!kept || lt(gapOf(c), kept.gap)',
    to: '!kept',
  },
  {
    room: 'stops: a needed one may be given up',
    file: 'packages/core/domain/rules/max-risk-per-trade.ts',
    from: 'rule.needs_stop && isProtected(position, facts, before)',
    to: '!rule.needs_stop && isProtected(position, facts, before)',
  },
]
const WORLDS = '30'

let copy = ''
beforeAll(async () => {
  copy = (await copyRepository(1))[0]!
}, 60_000)
afterAll(() => rmSync(copy, { recursive: true, force: true }))
const compareWorlds = () => capture([process.execPath, 'scripts/mutate/oracle.ts', WORLDS], { cwd: copy })

describe('the oracle names a difference when an engine is wrong in', () => {
  test('no room: then it names none', async () => {
    expect((await compareWorlds()).code).toBe(0)
  }, 300_000)
  test.each(BROKEN)(
    '$room',
    async ({ file, from, to }) => {
      const text = await Bun.file(copy + file).text()
      expect(text.split(from)).toHaveLength(2)
      await Bun.write(copy + file, text.replace(from, to))
      const { code, output } = await compareWorlds()
      await Bun.write(copy + file, text)
      expect(output).toMatch(/^seed \d+: \{"step":\d+,"account":"a\d+","what":/)
      expect(code).toBe(1)
    },
    300_000,
  )
})
