import { expect, test } from 'bun:test'
import { ProofWorld, testKey } from '../../testing/proof-world.ts'
import { spec } from '../../testing/world.ts'
import { verifyProof } from './verify.ts'

const START = Date.parse('2024-03-04T22:58:30Z')

test.each(['always', 'reset'] as const)(
  'a verdict of a limit tested %s is sealed with the head of the segment that holds it, and its proof follows',
  async (tested) => {
    const world = new ProofWorld(
      spec([
        {
          rule: 'max_daily_loss',
          anchor: 'balance',
          limit: { pct: '3', of: 'initial' },
          metric: 'equity',
          compare: 'lt',
          tested,
          effect: 'hard',
        },
      ]),
    )
    const quote = (seconds: number, bid: string, ask: string): void =>
      world.tick(START + seconds * 1000, { kind: 'quote', symbol: 'TST/USD', bid, ask })
    world.tick(START, { kind: 'symbol_state', symbol: 'TST/USD', state: 'open' })
    quote(0, '100.00', '100.02')
    world.command({ op: 'create' })
    world.command({ op: 'start' })
    world.command({ op: 'order', symbol: 'TST/USD', side: 'buy', type: 'market', quantity: '1000' })
    // the reset at 23:00 UTC lies between the second and the third
    for (const seconds of [60, 91, 160, 220, 280]) quote(seconds, '96.00', '96.02')
    world.seal()
    const verdict = world.records.find((r) => r.kind === 'verdict')!
    const sealed = world.records.find((r) => r.kind === 'sealed') as unknown as { log_head: string }
    const holding = world.heads.find((h) => h.first <= verdict.mseq && verdict.mseq <= h.last)!
    expect(sealed.log_head).toBe(holding.head)
    expect((await verifyProof(await world.proof(), { keys: [testKey(1).key] })).exit).toBe(0)
  },
)
